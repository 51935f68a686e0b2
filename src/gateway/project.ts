import { join } from "node:path";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { Turns } from "../platform/turns.ts";
import type { GatewayEventType } from "../protocol/envelope.ts";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import type { FrontTable, GatewayMode } from "../protocol/front-messages.ts";
import type { ProjectConfig } from "../protocol/gateway-config.ts";
import type { KeeperAnswers, KeeperCall, ListenAddress, ServerSpec } from "../protocol/keeper-calls.ts";
import { ChangeWaiters } from "./change-waiters.ts";
import { FrontTelling } from "./front-telling.ts";
import { Fronts } from "./fronts.ts";
import { InstanceRuns } from "./instances/instance-runs.ts";
import { PortPool } from "./ports/port-pool.ts";
import { ProjectFile, type ProjectRecord } from "./project-record.ts";
import { ProjectWatches } from "./project-watches.ts";
import type { ProjectWorker } from "./project-worker.ts";
import { ProjectWorkers } from "./project-workers.ts";
import { Publications } from "./publications.ts";
import type { ProjectHands } from "./worker-hands.ts";

/**
 * The gateway of one project: its front, its workers, and what they share. It puts the pieces together and passes things on: which workers there are is kept by
 * `ProjectWorkers`, what is decided of one is decided in `lifecycle`, what the front is told is said by `FrontTelling`.
 *
 * Invariants
 * 1. The record is written before anything is done that it speaks of.
 * 2. Each change at the front has a revision; a worker's publication is in force once a revision at least as new is.
 */
export interface ProjectOptions {
  /** `<home>/gateway/<key>` */
  homeDir: string;
  /** Eight hex digits of its directory. */
  key: string;
  socketDir: string;
  nodePath: string;
  keeper: { call<C extends KeeperCall>(call: C): Promise<KeeperAnswers[C["call"]]> };
  /** How a front of this build is started. */
  frontSpec: (name: string, homeDir: string) => ServerSpec;
  /** `mode`: in the place of what the files say. */
  loadConfig: (dir: string, mode?: GatewayMode) => Promise<ProjectConfig>;
  /** Ports that other projects have. */
  isPortHeld: (port: number) => boolean;
  /** Of all builds of the home, by folder. */
  builds: Turns;
  /** What the sessions of the home serve, by name. */
  sessions: () => FrontTable["sessions"];
  clock: Clock;
  log: Log;
  onEvent: (type: GatewayEventType, dir: string, data: Record<string, unknown>) => void;
}

export class GatewayProject {
  readonly #options: ProjectOptions;
  /** One after the other: what was read for another mode, or earlier, is not in force after what was read later. */
  readonly #loads = new Turns();
  readonly #file: ProjectFile;
  readonly #record: ProjectRecord;
  readonly #workers: ProjectWorkers;
  readonly #over = new AbortController();
  readonly #waiters = new ChangeWaiters();
  readonly #telling: FrontTelling;
  readonly #watches: ProjectWatches;
  #config: ProjectConfig;
  #configError: string | undefined;
  /** It goes down or lets go: what is still being read changes nothing any more. */
  #isEnding = false;
  #isDown = false;
  #fronts!: Fronts;
  #runs!: InstanceRuns;
  #ports!: PortPool;

  /**
   * What a server before has begun, and nobody could take up, is gone on with: its processes are found or ended.
   * @throws what the configuration, the port and the keeper say; what was found is left as it is then
   */
  static async up(
    options: ProjectOptions,
    request: { dir: string; env: string[]; port?: number },
  ): Promise<GatewayProject> {
    const config = await options.loadConfig(request.dir);
    const left = new ProjectFile(options.homeDir).read();
    const record: ProjectRecord = {
      format: 1,
      dir: config.dir,
      env: request.env,
      ...(request.port === undefined ? {} : { askedPort: request.port }),
      revision: left?.revision ?? 0,
      workers: left?.workers ?? {},
    };
    const project = new GatewayProject(options, config, record);
    try {
      await project.#open({ isNew: left === undefined });
    } catch (error) {
      if (left) project.close();
      else await project.#undo();
      throw error;
    }
    return project;
  }

  /** Goes on with what another server has begun. Undefined: it is not up. @throws as `up` */
  static async takeUp(options: ProjectOptions): Promise<GatewayProject | undefined> {
    const record = new ProjectFile(options.homeDir).read();
    if (!record) return undefined;
    const { config, error } = await configNow(options, record);
    const project = new GatewayProject(options, config, record);
    project.#configError = error;
    try {
      await project.#open({ isNew: false });
    } catch (error) {
      project.close();
      throw error;
    }
    return project;
  }

  private constructor(options: ProjectOptions, config: ProjectConfig, record: ProjectRecord) {
    this.#options = options;
    this.#config = config;
    this.#record = record;
    this.#file = new ProjectFile(options.homeDir);
    this.#telling = new FrontTelling({
      dir: record.dir,
      fronts: () => this.#fronts,
      config: () => this.#config,
      mode: () => this.mode,
      workers: () => this.workers,
      sessions: options.sessions,
      nextRevision: () => this.#nextRevision(),
    });
    this.#watches = new ProjectWatches({
      dir: record.dir,
      clock: options.clock,
      log: options.log,
      onConfig: () => void this.reconfigure().catch(() => {}),
      onAssets: (worker, change) => this.#telling.tellAssets(worker, change),
      sources: {
        onTouched: (worker, change) => this.#workers.get(worker)?.tell({ kind: "touched", change }),
        onSettled: (worker, { change, version }) =>
          this.#workers.get(worker)?.tell({ kind: "sources", change, version }),
        onWatching: (worker, watched) => this.#fronts.watch(worker, watched),
      },
    });
    this.#workers = new ProjectWorkers({
      record,
      mode: () => this.mode,
      hands: () => this.#hands(),
      watch: () => this.#watches.sources,
      clock: options.clock,
      save: () => this.#save(),
      onGone: () => {
        this.#telling.tellAll();
        this.#save();
      },
      onChange: () => {
        this.#telling.tellHealth();
        this.#waiters.changed();
      },
    });
  }

  get dir(): string {
    return this.#record.dir;
  }

  get config(): ProjectConfig {
    return this.#config;
  }

  get configError(): string | undefined {
    return this.#configError;
  }

  /** All of it has ended, on purpose: its workers' states change no more. */
  get isDown(): boolean {
    return this.#isDown;
  }

  get mode(): GatewayMode {
    return this.#record.mode ?? this.#config.mode;
  }

  get address(): ListenAddress | undefined {
    return this.#record.address;
  }

  get fronts(): Fronts {
    return this.#fronts;
  }

  get ports(): PortPool {
    return this.#ports;
  }

  get runs(): InstanceRuns {
    return this.#runs;
  }

  get workers(): readonly ProjectWorker[] {
    return this.#workers.all();
  }

  /** @throws WORKER_NOT_FOUND */
  worker(name: string): ProjectWorker {
    return this.#workers.named(name, this.#config.project);
  }

  /** Calls `look` now and after each change, until it answers something or `signal` is aborted. */
  until<T>(look: () => T | undefined, signal: AbortSignal): Promise<T | undefined> {
    return this.#waiters.until(look, signal);
  }

  /** Another mode from now on, whatever the file says. @throws as `loadConfig`; nothing has changed then */
  setMode(mode: GatewayMode): Promise<void> {
    return this.#loads.take(this.dir, async () => {
      const config = await this.#options.loadConfig(this.dir, mode);
      if (this.#isEnding) return;
      this.#record.mode = mode;
      this.#configure(config);
    });
  }

  /** Reads the configuration and looks at every source: for production, in which nobody watches. @throws CONFIG_INVALID; nothing has changed then */
  async refresh(): Promise<void> {
    await this.reconfigure();
    await Promise.all(this.workers.map((worker) => worker.look()));
  }

  /** The files may say something else by now. @throws as `loadConfig`; nothing has changed then */
  reconfigure(): Promise<void> {
    return this.#loads.take(this.dir, () => this.#reconfigure());
  }

  async #reconfigure(): Promise<void> {
    try {
      const config = await this.#options.loadConfig(this.dir, this.#record.mode);
      if (this.#isEnding) return;
      this.#configure(config);
      this.#configError = undefined;
    } catch (error) {
      if (this.#isEnding) throw error;
      const reason = messageOf(error);
      const isNews = reason !== this.#configError; // what is followed anew is read once more
      this.#configError = reason;
      const watched = isWarrenError(error) ? error.detail?.watched : undefined;
      if (Array.isArray(watched)) this.#watches.followConfig(watched as string[]);
      if (isNews) this.#options.onEvent("config_refused", this.dir, { reason });
      throw error;
    }
  }

  /** Sessions have come or gone, in the home: the front is told if it is news there. */
  tellSessions(): void {
    const { sessions } = this.#fronts.table;
    if (JSON.stringify(sessions) !== JSON.stringify(this.#telling.sessions)) this.#telling.tellAll();
  }

  /** Ends every instance and the front; resolves when all are gone. */
  async down({ graceMs }: { graceMs?: number } = {}): Promise<string[]> {
    const names = this.workers.map(({ name }) => name);
    this.#isEnding = true; // first: a worker that comes meanwhile would be nobody's to end
    this.#watches.close();
    await this.#fronts.stop();
    await this.#workers.end(graceMs);
    this.#over.abort();
    this.#file.forget();
    this.#isDown = true;
    this.#waiters.changed();
    return names;
  }

  /** Lets go: front and instances go on, and another server takes them up. */
  close(): void {
    this.#isEnding = true;
    this.#over.abort();
    this.#fronts.close(); // first: it watches on for the next one, and is not told to stop
    this.#workers.close();
    this.#watches.close();
  }

  async #open({ isNew }: { isNew: boolean }): Promise<void> {
    const { key, homeDir, frontSpec, keeper, socketDir, log, nodePath } = this.#options;
    const { ports } = this.#config;
    const { isPortHeld } = this.#options;
    const name = `front-${key}`;
    this.#ports = new PortPool({ ...ports, isHeld: (port) => port === this.#record.address?.port || isPortHeld(port) });
    this.#runs = new InstanceRuns(
      {
        dir: homeDir,
        nodePath,
        log,
        onEnded: (id, outcome, leftCount) => this.#workers.ownerOf(id)?.ended(id, outcome, leftCount),
        isKnown: (id) => this.#workers.ownerOf(id) !== undefined,
      },
      this.#over.signal,
    );
    const { host, port } = this.#record.address ?? {
      host: this.#config.host,
      port: this.#record.askedPort ?? this.#config.port,
    };
    this.#fronts = new Fronts(
      {
        keeper,
        spec: frontSpec(name, homeDir),
        listen: { host, port },
        socketPathOf: (generation) => join(socketDir, `${name}.${generation}.sock`),
        log,
        events: {
          onApplied: (revision) => this.#onApplied(revision),
          onDrained: (id) => this.#workers.ownerOf(id)?.tell({ kind: "drained", instance: id }),
          onTrouble: ({ type: _, ...trouble }) =>
            this.#workers.ownerOf(trouble.instance)?.tell({ kind: "trouble", ...trouble }),
          onWaiting: () => this.#waiters.changed(),
          onSign: (worker) => this.#watches.sources?.touch(worker) ?? Promise.resolve(),
        },
      },
      this.#telling.table(),
    );
    await this.#runs.open();
    if (isNew) await this.#fronts.open(); // the port first: without it nothing is started
    this.#watches.follow(this.#config, this.mode);
    // In its turn: what `follow` has read again is in force behind it, since a worker decides by what was found first.
    await this.#loads.take(this.dir, () => this.#takeUpWorkers());
    if (!isNew) await this.#fronts.open();
    this.#record.address = this.#fronts.server?.address ?? { host, port };
    this.#save();
    this.#options.onEvent("gateway_up", this.dir, { ...this.#record.address, mode: this.mode });
  }

  /** It does not come up: nothing of it stays. */
  async #undo(): Promise<void> {
    this.#isEnding = true; // first, as for `down`
    await this.#fronts.stop().catch(() => {});
    await this.#workers.end(0).catch(() => {});
    this.close();
  }

  async #takeUpWorkers(): Promise<void> {
    const known = new Set(Object.values(this.#record.workers).flatMap(({ tags }) => Object.keys(tags)));
    await this.#runs.forgetOthers(known);
    await this.#workers.open(this.#config.workers);
  }

  #configure(config: ProjectConfig): void {
    this.#config = config;
    this.#watches.follow(config, this.mode);
    this.#workers.configure(config.workers);
    this.#telling.tellAll();
    this.#save();
    this.#waiters.changed();
  }

  #hands(): ProjectHands {
    const { nodePath, log, socketDir, key, builds, onEvent } = this.#options;
    const project = this;
    return {
      dir: this.dir,
      get mode() {
        return project.mode;
      },
      personEnv: Object.fromEntries(this.#record.env.map(splitVariable)),
      nodePath,
      ports: this.#ports,
      runs: this.#runs,
      builds,
      log,
      standbyPath: (instance) => join(socketDir, `${key}-${instance}.sock`),
      publish: (name, publication) => {
        const worker = this.#workers.get(name);
        if (worker) this.#telling.publish(worker, publication);
      },
      close: (instance, spreadMs) => this.#fronts.say({ type: "close", instance, spreadMs }),
      reload: (worker) => this.#fronts.say({ type: "reload", workers: [worker] }),
      report: (worker, type, fields) => {
        log.info(type, { worker, ...fields });
        onEvent(type, this.dir, { worker, ...fields });
      },
    };
  }

  #onApplied(revision: number): void {
    for (const [worker, publication] of this.#telling.applied(revision))
      this.#workers.get(worker)?.tell({ kind: "applied", publication });
  }

  /** Grows from server to server as well. */
  #nextRevision(): number {
    this.#record.revision = Publications.revisionAfter(this.#record.revision, this.#options.clock.wallMs());
    return this.#record.revision;
  }

  #save(): void {
    if (this.#over.signal.aborted) return; // it is forgotten, or the next server's
    this.#record.config = this.#config;
    for (const worker of this.workers) this.#record.workers[worker.name] = worker.record;
    try {
      this.#file.write(this.#record);
    } catch (error) {
      this.#options.log.error("record_not_written", { dir: this.dir, error: messageOf(error) });
    }
  }
}

/** What the files say, or, when that cannot be, what was in force. */
async function configNow(
  { loadConfig }: ProjectOptions,
  { dir, mode, config }: ProjectRecord,
): Promise<{ config: ProjectConfig; error: string | undefined }> {
  try {
    return { config: await loadConfig(dir, mode), error: undefined };
  } catch (error) {
    if (!config) throw error;
    return { config, error: messageOf(error) };
  }
}

function splitVariable(assignment: string): [string, string] {
  const at = assignment.indexOf("=");
  return at < 1 ? [assignment, ""] : [assignment.slice(0, at), assignment.slice(at + 1)];
}
