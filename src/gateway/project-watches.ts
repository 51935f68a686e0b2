import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { GatewayMode } from "../protocol/front-messages.ts";
import type { ProjectConfig } from "../protocol/gateway-config.ts";
import { type AssetChange, AssetWatch } from "./watch/asset-watch.ts";
import { ConfigWatch } from "./watch/config-watch.ts";
import { SourceWatch, type SourceWatchOptions } from "./watch/source-watch.ts";

/**
 * What a project's gateway hears of files: its configuration, its public folders, its workers' sources. In production nobody watches: what was deployed is
 * taken up when somebody says so.
 */
export interface ProjectWatchesOptions {
  dir: string;
  clock: Clock;
  log: Log;
  onConfig: () => void;
  /** Undefined: the project's own public folder. */
  onAssets: (worker: string | undefined, change: AssetChange) => void;
  sources: Pick<SourceWatchOptions, "onTouched" | "onSettled" | "onWatching">;
}

/** The project's own public folder, among those of its workers. */
const PROJECT_FILES = "";

export class ProjectWatches {
  readonly #options: ProjectWatchesOptions;
  #mode: GatewayMode = "prod";
  #sources: SourceWatch | undefined;
  #config: ConfigWatch | undefined;
  #assets: AssetWatch | undefined;

  constructor(options: ProjectWatchesOptions) {
    this.#options = options;
  }

  /** Undefined in production. */
  get sources(): SourceWatch | undefined {
    if (this.#mode === "prod") return undefined;
    const { dir, log, sources } = this.#options;
    this.#sources ??= new SourceWatch({
      ...sources,
      onDegraded: (reason) => log.warn("watch_degraded", { dir, reason }),
      onError: (worker, error) => log.warn("sources_unreadable", { worker, error }),
    });
    return this.#sources;
  }

  /** From now on what this configuration names, in the place of what the one before did. */
  follow({ watched, workers, publicDir }: ProjectConfig, mode: GatewayMode): void {
    if (mode === "prod") return this.close();
    this.#mode = mode;
    const { clock, onConfig, onAssets } = this.#options;
    this.#config ??= new ConfigWatch({ onChange: onConfig, clock });
    this.#config.follow(watched);
    this.#assets ??= new AssetWatch({
      onAssets: (key, change) => onAssets(key === PROJECT_FILES ? undefined : key, change),
    });
    const roots = new Map(workers.flatMap((worker) => (worker.publicDir ? [[worker.name, worker.publicDir]] : [])));
    if (publicDir) roots.set(PROJECT_FILES, publicDir);
    this.#assets.follow(roots);
  }

  /** One of these will mend a configuration that cannot be. */
  followConfig(paths: readonly string[]): void {
    this.#config?.follow(paths);
  }

  /** Nobody watches any more, until `follow`. */
  close(): void {
    this.#mode = "prod";
    for (const watch of [this.#sources, this.#config, this.#assets]) watch?.close();
    this.#sources = undefined;
    this.#config = undefined;
    this.#assets = undefined;
  }
}
