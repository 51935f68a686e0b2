import type { Clock } from "../platform/clock.ts";
import { usageOf } from "../platform/process.ts";
import { messageOf } from "../protocol/errors.ts";
import type { GatewayMode } from "../protocol/front-messages.ts";
import type { WorkerConfig } from "../protocol/gateway-config.ts";
import type { SaveTimes } from "../protocol/gateway-units.ts";
import type { Outcome } from "../protocol/outcome.ts";
import type { WorkerEvent } from "./lifecycle/events.ts";
import { healthyOf, initialState, type WorkerState } from "./lifecycle/state.ts";
import type { WorkerRecord } from "./project-record.ts";
import { SaveWatch } from "./save-times.ts";
import type { SourceWatch } from "./watch/source-watch.ts";
import { WorkerControl } from "./worker-control.ts";
import { type ProjectHands, RealHands } from "./worker-hands.ts";
import { type Material, materialOf } from "./worker-material.ts";
import { lifecycleSpec } from "./worker-spec.ts";

/** What a worker without sources of ours is said to be. */
const MEMORY_LOOK_MS = 5_000;
const NO_VERSION = "as-it-is";

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
  #mode: GatewayMode;
  #stage: "opening" | "open" | "closed" = "opening";
  #watching: SourceWatch | undefined;
  readonly #save: SaveWatch;
  #cancelMemory = (): void => {};

  constructor(options: ProjectWorkerOptions) {
    const { config, mode, record, project, clock, save } = options;
    this.#options = options;
    this.#config = config;
    this.#mode = mode;
    this.name = config.name;
    this.#tags = new Map(Object.entries(record?.tags ?? {}));
    this.#material = this.#materialOf(config);
    this.#save = new SaveWatch(config.name);
    const tell = (event: WorkerEvent): void => this.tell(event);
    const look = (): Promise<void> => this.#look();
    const versionsInUse = (): Set<string> => versionsOf(this.state);
    this.#hands = new RealHands({
      versionsInUse,
      config,
      maker: this.#material?.maker,
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

  /** Undefined: it is not made of anything of ours. */
  get material(): Material | undefined {
    return this.#material;
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
    const versions = (await this.#material?.maker.open().catch(() => [])) ?? [];
    this.tell({ kind: "recovered", instances: found.flat(), versions });
    if (this.#stage === "closed") return;
    this.#stage = "open";
    this.configure(this.#config, this.#mode);
  }

  tell(event: WorkerEvent): void {
    this.#control.tell(event);
    this.#save.note(event, this.#options.clock.monotonicMs(), this.#servingVersion());
  }

  /** How long the last save took. */
  get lastSave(): SaveTimes | undefined {
    return this.#save.last;
  }

  /** While it is being opened this is only noted: it decides by what is found first. */
  configure(config: WorkerConfig, mode: GatewayMode): void {
    this.#config = config;
    this.#mode = mode;
    if (this.#stage !== "open") return;
    this.#replaceMaterial(config);
    this.#hands.configure(config, this.#material?.maker);
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

  #materialOf(config: WorkerConfig): Material | undefined {
    const { project, personEnv } = this.#options;
    return materialOf(config, { projectDir: project.dir, personEnv, builds: project.builds });
  }

  /** Made of something else from now on: what is built of it is looked up anew. */
  #replaceMaterial(config: WorkerConfig): void {
    const material = this.#materialOf(config);
    if (JSON.stringify(material?.spec) === JSON.stringify(this.#material?.spec)) return;
    this.#watching?.remove(this.name);
    this.#watching = undefined;
    void this.#material?.maker.close();
    this.#material = material;
    void (material?.maker.open() ?? Promise.resolve([])).catch(() => []).then(() => this.#look());
  }

  /** Somebody says that it may have changed: what failed or was rolled back is tried again, where that is what was deployed. */
  look(): Promise<void> {
    return this.#look({ isAsked: true });
  }

  /** Says which version it is now; where its sources are watched, from now on also when they change. */
  async #look({ isAsked = false } = {}): Promise<void> {
    const material = this.#material;
    if (!material) return this.tell({ kind: "sources", change: 0, version: NO_VERSION });
    const watch = material.sources && this.#options.watch();
    if (watch && watch === this.#watching) return watch.look(this.name);
    this.#watching?.remove(this.name);
    this.#watching = watch;
    try {
      const { version } = watch ? await watch.add(material.sources!) : await material.look();
      if (isAsked && material.spec.isDeployed) this.#forgetRefusal(version);
      this.tell({ kind: "sources", change: 0, version });
    } catch (error) {
      this.#watching = undefined; // `decide` asks again
      this.#options.project.log.error("sources_unreadable", { worker: this.name, error: messageOf(error) });
    }
  }

  /** The link has been set to it anew, and another one serves: as if it had led to that one in between. */
  #forgetRefusal(version: string): void {
    const { source, current, candidate } = this.state;
    if (source !== version || candidate !== null || current === null || current.version === version) return;
    this.tell({ kind: "sources", change: 0, version: current.version });
  }

  ended(instance: string, outcome: Outcome, leftCount: number): void {
    this.#hands.ended(instance, outcome, leftCount);
  }

  /** Ends every process, whatever was decided; after `close`. */
  async end(graceMs = this.state.spec.stopGraceMs): Promise<void> {
    const { runs } = this.#options.project;
    await this.#hands.startsOver();
    await Promise.all([...this.#tags.keys()].map((id) => runs.stop(id, { graceMs })));
  }

  close(): void {
    this.#stage = "closed";
    this.#control.close();
    this.#cancelMemory();
    this.#watching?.remove(this.name);
    this.#hands.close();
    void this.#material?.maker.close();
  }
}
