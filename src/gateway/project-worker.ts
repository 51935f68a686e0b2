import type { Clock } from "../platform/clock.ts";
import { usageOf } from "../platform/process.ts";
import { messageOf } from "../protocol/errors.ts";
import type { GatewayMode } from "../protocol/front-messages.ts";
import type { SaveTimes } from "../protocol/gateway-units.ts";
import type { Outcome } from "../protocol/outcome.ts";
import { Builder } from "./build/builder.ts";
import type { WorkerEvent } from "./lifecycle/events.ts";
import { healthyOf, initialState, type WorkerState } from "./lifecycle/state.ts";
import type { WorkerConfig } from "./project-config.ts";
import type { WorkerRecord } from "./project-record.ts";
import { SaveWatch } from "./save-times.ts";
import type { SourceWatch } from "./watch/source-watch.ts";
import { WorkerSources } from "./watch/worker-sources.ts";
import { WorkerControl } from "./worker-control.ts";
import { type ProjectHands, RealHands } from "./worker-hands.ts";
import { lifecycleSpec, sourceSpec } from "./worker-spec.ts";

/** What a worker without sources of ours is said to be. */
const MEMORY_LOOK_MS = 5_000;
const NO_VERSION = "as-it-is";

interface Material {
  sources: WorkerSources;
  builder: Builder;
}

/** What must not be removed from disk. */
const versionsOf = ({ instances, current, standby, candidate, pin, source }: WorkerState): Set<string> =>
  new Set(
    [
      ...instances.map(({ version }) => version),
      current?.version,
      standby?.version,
      candidate?.version,
      pin,
      source,
    ].filter((version) => version != null),
  );

/** Undefined for what is not made of sources. */
function materialOf(config: WorkerConfig, projectDir: string, personEnv: readonly string[]): Material | undefined {
  const spec = sourceSpec(config, projectDir, personEnv);
  if (!spec) return undefined;
  const sources = new WorkerSources(spec);
  return { sources, builder: new Builder({ sources, keepCount: config.keepCount }) };
}

/** One worker of a project: its sources, its decisions, and the hands that carry them out. */
export interface ProjectWorkerOptions {
  config: WorkerConfig;
  mode: GatewayMode;
  /** What a server before has written down. */
  record: WorkerRecord | undefined;
  project: ProjectHands;
  /** "KEY=value" */
  personEnv: readonly string[];
  /** Of the project's sources; undefined in production, where nobody watches. */
  watch: () => SourceWatch | undefined;
  clock: Clock;
  save: () => void;
  onChange: (worker: ProjectWorker) => void;
}

export class ProjectWorker {
  readonly name: string;
  readonly #options: ProjectWorkerOptions;
  readonly #control: WorkerControl;
  readonly #hands: RealHands;
  readonly #tags: Map<string, number>;
  #material: Material | undefined;
  #config: WorkerConfig;
  #watching: SourceWatch | undefined;
  readonly #save: SaveWatch;
  #cancelMemory = (): void => {};

  constructor(options: ProjectWorkerOptions) {
    const { config, mode, record, project, clock, save, personEnv } = options;
    this.#options = options;
    this.#config = config;
    this.name = config.name;
    this.#tags = new Map(Object.entries(record?.tags ?? {}));
    this.#material = materialOf(config, project.dir, personEnv);
    this.#save = new SaveWatch(config.name);
    const tell = (event: WorkerEvent): void => this.tell(event);
    const look = (): Promise<void> => this.look();
    const versionsInUse = (): Set<string> => versionsOf(this.state);
    this.#hands = new RealHands({
      versionsInUse,
      config,
      builder: this.#material?.builder,
      project,
      tell,
      look,
      tags: this.#tags,
      save,
    });
    const idPrefix = `${config.name}-${clock.wallMs().toString(36).slice(-4)}`;
    this.#control = new WorkerControl({
      state: record?.state ?? initialState(lifecycleSpec(config, mode), { idPrefix }),
      hands: this.#hands,
      clock,
      save,
      onChange: () => options.onChange(this),
    });
  }

  get state(): WorkerState {
    return this.#control.state;
  }

  get config(): WorkerConfig {
    return this.#config;
  }

  get sources(): WorkerSources | undefined {
    return this.#material?.sources;
  }

  get record(): WorkerRecord {
    return { state: this.state, tags: Object.fromEntries(this.#tags) };
  }

  has(instance: string): boolean {
    return this.#tags.has(instance);
  }

  /** Finds what runs and what was built, and begins to decide. */
  async open(): Promise<void> {
    const { runs } = this.#options.project;
    const ports = new Map(this.state.instances.map(({ id, port }) => [id, port]));
    const found = await Promise.all(
      [...this.#tags].map(async ([id, tag]) => {
        const process = await runs.takeUp(id, tag);
        if (!process) return [];
        const port = ports.get(id) ?? null;
        if (port !== null) this.#hands.adopt(id, port);
        return [{ id, pid: process.pid, port }];
      }),
    );
    const versions = (await this.#material?.builder.open().catch(() => [])) ?? [];
    this.tell({ kind: "recovered", instances: found.flat(), versions });
    this.configure(this.#config, this.#options.mode);
  }

  tell(event: WorkerEvent): void {
    this.#control.tell(event);
    this.#save.note(event, this.#options.clock.monotonicMs(), this.#servingVersion());
  }

  /** How long the last save took. */
  get lastSave(): SaveTimes | undefined {
    return this.#save.last;
  }

  configure(config: WorkerConfig, mode: GatewayMode): void {
    this.#config = config;
    this.#replaceMaterial(config);
    this.#hands.configure(config, this.#material?.builder);
    this.tell({ kind: "configured", spec: lifecycleSpec(config, mode) });
    this.#cancelMemory();
    if (config.memoryBytesMax !== undefined) this.#lookAtMemory();
  }

  /** What is in force at the front, and new requests go to. */
  #servingVersion(): string | undefined {
    const { current, publication, appliedPublication } = this.state;
    return appliedPublication >= publication && healthyOf(this.state, current).length > 0
      ? current?.version
      : undefined;
  }

  /** Only where there is a limit. */
  #lookAtMemory(): void {
    const { clock, project } = this.#options;
    this.#cancelMemory = clock.timer(MEMORY_LOOK_MS, () => {
      for (const { id, process } of this.state.instances) {
        if (process !== "running") continue;
        this.tell({ kind: "memory", instance: id, bytes: usageOf(project.runs.membersOf(id)).rssBytes });
      }
      this.#lookAtMemory();
    });
  }

  /** Made of something else from now on: what is built of it is looked up anew. */
  #replaceMaterial(config: WorkerConfig): void {
    const { project, personEnv } = this.#options;
    const material = materialOf(config, project.dir, personEnv);
    if (JSON.stringify(material?.sources.spec) === JSON.stringify(this.#material?.sources.spec)) return;
    this.#watching?.remove(this.name);
    this.#watching = undefined;
    void this.#material?.builder.close();
    this.#material = material;
    void (material?.builder.open() ?? Promise.resolve([])).catch(() => []).then(() => this.look());
  }

  /** Says which version the sources are; where they are watched, from now on also when they change. */
  async look(): Promise<void> {
    const sources = this.#material?.sources;
    if (!sources) return this.tell({ kind: "sources", change: 0, version: NO_VERSION });
    const watch = this.#options.watch();
    if (watch && watch === this.#watching) return watch.look(this.name);
    this.#watching?.remove(this.name);
    this.#watching = watch;
    try {
      const { version } = watch ? await watch.add(sources) : await sources.look();
      this.tell({ kind: "sources", change: 0, version });
    } catch (error) {
      this.#watching = undefined; // `decide` asks again
      this.#options.project.log.error("sources_unreadable", { worker: this.name, error: messageOf(error) });
    }
  }

  ended(instance: string, outcome: Outcome, leftCount: number): void {
    this.#hands.ended(instance, outcome, leftCount);
  }

  /** Ends every process, whatever was decided; after `close`. */
  async end(graceMs = this.state.spec.stopGraceMs): Promise<void> {
    const { runs } = this.#options.project;
    await Promise.all([...this.#tags.keys()].map((id) => runs.stop(id, { graceMs })));
  }

  close(): void {
    this.#control.close();
    this.#cancelMemory();
    this.#watching?.remove(this.name);
    this.#hands.close();
    void this.#material?.builder.close();
  }
}
