import { FRONT_FORMAT, type FrontTable, type FrontWorker, type GatewayMode } from "../protocol/front-messages.ts";
import type { ProjectConfig } from "../protocol/gateway-config.ts";
import { withFailurePlaces } from "./build/failure-places.ts";
import type { Fronts } from "./fronts.ts";
import { drainingOf, frontWorkerOf } from "./lifecycle/front-record.ts";
import { healthOf } from "./lifecycle/summary.ts";
import type { ProjectWorker } from "./project-worker.ts";
import { Publications } from "./publications.ts";
import type { AssetChange } from "./watch/asset-watch.ts";

/**
 * What a project's front is told: the table as a whole, one worker, how all are, what browsers have to load again. Each change has a revision; a worker's
 * publication is in force once a revision at least as new is.
 */
export interface FrontTellingOptions {
  dir: string;
  fronts: () => Fronts;
  config: () => ProjectConfig;
  mode: () => GatewayMode;
  workers: () => readonly ProjectWorker[];
  /** What the sessions of the home serve, by name. */
  sessions: () => FrontTable["sessions"];
  /** Another revision, newer than all before it, also those of servers before. */
  nextRevision: () => number;
}

export class FrontTelling {
  readonly #options: FrontTellingOptions;
  readonly #publications = new Publications();

  constructor(options: FrontTellingOptions) {
    this.#options = options;
  }

  /** In production a session's host is one like any other. */
  get sessions(): FrontTable["sessions"] {
    return this.#options.mode() === "dev" ? [...this.#options.sessions()] : [];
  }

  /** As of now, with a revision of its own. */
  table(): FrontTable {
    const { config, mode, workers, nextRevision } = this.#options;
    const { project, routes, publicDir, trustedProxies, hasPublicMetrics, limits, tls } = config();
    return {
      format: FRONT_FORMAT,
      revision: nextRevision(),
      mode: mode(),
      project,
      routes: [...routes],
      workers: workers().map((worker) => this.#frontWorker(worker)),
      draining: this.#draining(),
      ...(publicDir === undefined ? {} : { publicDir }),
      trustedProxies: [...trustedProxies],
      hasPublicMetrics,
      sessions: this.sessions,
      limits,
      ...(tls === undefined ? {} : { tls }),
    };
  }

  tellAll(): void {
    this.#options.fronts().tell(this.table());
  }

  publish(worker: ProjectWorker, publication: number): void {
    const revision = this.#options.nextRevision();
    this.#publications.add(worker.name, publication, revision);
    this.#options.fronts().tellWorker(revision, this.#frontWorker(worker), this.#draining());
  }

  /** By worker: the newest publication that is in force now. */
  applied(revision: number): Map<string, number> {
    return this.#publications.applied(revision);
  }

  tellHealth(): void {
    const workers = this.#options.workers().map(({ state }) => healthOf(state));
    this.#options.fronts().say({ type: "health", workers });
  }

  /** Browsers are told; style sheets alone are taken in without loading the page again. `owner` undefined: the project's own folder. */
  tellAssets(owner: string | undefined, { css, others }: AssetChange): void {
    const workers = this.#options.workers().filter(({ name }) => owner === undefined || name === owner);
    const fronts = this.#options.fronts();
    if (others.length > 0) return fronts.say({ type: "reload", workers: workers.map(({ name }) => name) });
    // As the browser asks for them: below the worker's route.
    for (const { name, config } of workers) {
      const base = owner === undefined || config.path === "/" ? "" : config.path;
      fronts.say({ type: "reload", workers: [name], css: css.map((path) => `${base}${encodedPath(path)}`) });
    }
  }

  #frontWorker({ state, config }: ProjectWorker): FrontWorker {
    return withFailurePlaces(frontWorkerOf(state), { dir: config.dir, projectDir: this.#options.dir });
  }

  #draining(): string[] {
    return this.#options.workers().flatMap(({ state }) => drainingOf(state));
  }
}

/** Of a file's path the one that it is asked for by (RFC 3986 §3.3). */
const encodedPath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");
