import type { Clock } from "../platform/clock.ts";
import { WarrenError } from "../protocol/errors.ts";
import type { GatewayMode } from "../protocol/front-messages.ts";
import type { WorkerConfig } from "../protocol/gateway-config.ts";
import { suggest } from "../protocol/suggest.ts";
import { isGone } from "./lifecycle/state.ts";
import type { ProjectRecord } from "./project-record.ts";
import { ProjectWorker } from "./project-worker.ts";
import type { SourceWatch } from "./watch/source-watch.ts";
import type { ProjectHands } from "./worker-hands.ts";

/**
 * The workers of one project by name: those that are configured, and those that are no longer and have processes still.
 *
 * Invariants
 * 1. A name has one worker at a time; it is kept, and in the record, until nothing of it runs.
 * 2. A worker that is gone is forgotten before anybody is told of it.
 */
export interface ProjectWorkersOptions {
  record: ProjectRecord;
  mode: () => GatewayMode;
  /** What carries out what is decided; there once the project is open. */
  hands: () => ProjectHands;
  watch: () => SourceWatch | undefined;
  clock: Clock;
  save: () => void;
  /** One is no more. */
  onGone: () => void;
  onChange: () => void;
}

export class ProjectWorkers {
  readonly #options: ProjectWorkersOptions;
  readonly #workers = new Map<string, ProjectWorker>();

  constructor(options: ProjectWorkersOptions) {
    this.#options = options;
  }

  all(): readonly ProjectWorker[] {
    return [...this.#workers.values()];
  }

  get(name: string): ProjectWorker | undefined {
    return this.#workers.get(name);
  }

  /** @throws WORKER_NOT_FOUND */
  named(name: string, project: string): ProjectWorker {
    const found = this.#workers.get(name);
    if (found) return found;
    const names = [...this.#workers.keys()];
    const near = suggest(name, names);
    throw new WarrenError(
      "WORKER_NOT_FOUND",
      `The project ${project} has no worker ${name}. ${near ? `Did you mean ${near}?` : `It has ${names.join(", ") || "none"}.`}`,
      { fix: "warren gateway status" },
    );
  }

  ownerOf(instance: string): ProjectWorker | undefined {
    return this.all().find((worker) => worker.has(instance));
  }

  /** Begins, or goes on with what the record says; what it says of others is ended. */
  async open(configs: readonly WorkerConfig[]): Promise<void> {
    for (const config of configs) this.#add(config);
    for (const [name, { state }] of Object.entries(this.#options.record.workers)) {
      if (!this.#workers.has(name) && !isGone(state)) this.#addRemoved(name);
    }
    await Promise.all(this.all().map((worker) => worker.open()));
    this.#remove(configs);
  }

  configure(configs: readonly WorkerConfig[]): void {
    this.#remove(configs);
    for (const config of configs) {
      const worker = this.#workers.get(config.name);
      if (worker) worker.configure(config, this.#options.mode());
      else void this.#add(config).open();
    }
  }

  /** Ends them; resolves when all are gone. */
  async end(graceMs: number | undefined): Promise<void> {
    this.close();
    await Promise.all(this.all().map((worker) => worker.end(graceMs)));
  }

  /** Lets go: their instances go on. */
  close(): void {
    for (const worker of this.all()) worker.close();
  }

  #add(config: WorkerConfig): ProjectWorker {
    const { record, mode, hands, watch, clock, save } = this.#options;
    const worker = new ProjectWorker({
      config,
      mode: mode(),
      record: record.workers[config.name],
      project: hands(),
      personEnv: record.env,
      watch,
      clock,
      save,
      onChange: (one) => this.#onChange(one),
    });
    this.#workers.set(config.name, worker);
    return worker;
  }

  #addRemoved(name: string): void {
    const { dir, workers } = this.#options.record;
    const { spec } = workers[name]!.state;
    const health = { path: "/", isConfigured: false, ...spec.health };
    const { drainMs, startTimeoutMs, keepCount, instances, isLive } = spec;
    const rest = { drainMs, startTimeoutMs, keepCount, instances, isLive, health };
    this.#add({
      ...{ name, dir, type: "command", path: "/", route: "/", env: {}, allowEnv: [], sharedDirs: [] },
      ...rest,
    });
  }

  #remove(configs: readonly WorkerConfig[]): void {
    const names = new Set(configs.map(({ name }) => name));
    for (const worker of this.all()) if (!names.has(worker.name)) worker.tell({ kind: "removed" });
  }

  #onChange(worker: ProjectWorker): void {
    const { record, onGone, onChange } = this.#options;
    if (isGone(worker.state) && this.#workers.get(worker.name) === worker) {
      worker.close();
      this.#workers.delete(worker.name);
      delete record.workers[worker.name];
      onGone();
    }
    onChange();
  }
}
