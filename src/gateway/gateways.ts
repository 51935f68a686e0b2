import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { type Clock, TIMER_MS_MAX } from "../platform/clock.ts";
import { KeptAnswers } from "../platform/kept-answers.ts";
import type { Log } from "../platform/log.ts";
import { homeDigest } from "../platform/paths.ts";
import { Turns } from "../platform/turns.ts";
import { messageOf, WarrenError } from "../protocol/errors.ts";
import type { Worker } from "../protocol/gateway-units.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import type { RunLogPaths } from "../runs/logs/files.ts";
import { type GatewayEvent, GatewayEventFile } from "./event-file.ts";
import { gatewayNotFound, projectsAt, realDirectory, withHolder, workerMeant, workersMeant } from "./find-worker.ts";
import { byName, runningOf, viewGateway, viewWorker } from "./gateway-view.ts";
import { ENDED_KEPT } from "./instances/old-logs.ts";
import { UsageMeter } from "./instances/usage.ts";
import type { WorkerCommand } from "./lifecycle/events.ts";
import { rollbackTarget } from "./lifecycle/versions.ts";
import { productionArtefacts } from "./production-artefacts.ts";
import { GatewayProject, type ProjectOptions } from "./project.ts";
import { recordedProjects } from "./project-record.ts";
import type { ProjectWorker } from "./project-worker.ts";
import { isAtRest, waitForConditions } from "./worker-conditions.ts";
import type { Material } from "./worker-material.ts";

/** The gateways of a home: what the messages `gateway.*` do. Belongs to the primary server, as the jobs do. */
export interface GatewaysOptions {
  /** `<home>/gateway` */
  dir: string;
  socketDir: string;
  nodePath: string;
  keeper: ProjectOptions["keeper"];
  frontSpec: ProjectOptions["frontSpec"];
  loadConfig: ProjectOptions["loadConfig"];
  sessions: ProjectOptions["sessions"];
  clock: Clock;
  log: Log;
  onEvent: (event: GatewayEvent) => void;
}

/** How long `settled` and `refresh` wait when nobody says. */
const SETTLED_TIMEOUT_MS = 60_000;

type Of<T extends `gateway.${string}` & keyof typeof import("../protocol/messages.ts").messages> = PayloadOf<T>;

export class Gateways {
  readonly #options: GatewaysOptions;
  readonly #builds = new Turns();
  readonly #events: GatewayEventFile;
  readonly #usage: UsageMeter;
  /** By directory. */
  readonly #projects = new Map<string, GatewayProject>();
  readonly #starting = new Map<string, Promise<GatewayProject>>();
  /** Those whose last processes are being waited for. */
  readonly #ending = new Map<string, Promise<string[]>>();
  readonly #answers = new KeptAnswers<DataOf<"gateway.stop">>();
  readonly #over = new AbortController();
  #started: Promise<void> = Promise.resolve();

  constructor(options: GatewaysOptions) {
    this.#options = options;
    const { dir, log, clock, onEvent } = options;
    this.#usage = new UsageMeter(clock);
    this.#events = new GatewayEventFile({ path: join(dir, "events.jsonl"), log, onEvent });
  }

  get events(): GatewayEventFile {
    return this.#events;
  }

  get isIdle(): boolean {
    return this.#projects.size === 0 && this.#starting.size === 0 && this.#ending.size === 0;
  }

  /** Goes on with what a server before has begun; who asks meanwhile is answered afterwards. What cannot be taken up is said, and left as it is. */
  start(): Promise<void> {
    this.#started = this.#takeUp();
    return this.#started;
  }

  async #takeUp(): Promise<void> {
    await Promise.all(
      recordedProjects(this.#options.dir).map(async (homeDir) => {
        try {
          const project = await GatewayProject.takeUp(this.#projectOptions(homeDir));
          if (!project) return;
          if (this.#over.signal.aborted) project.close();
          else this.#add(project.dir, project);
        } catch (error) {
          this.#options.log.error("gateway_not_taken_up", { dir: homeDir, error: messageOf(error) });
        }
      }),
    );
  }

  /** What `sessions` answers has changed. */
  tellSessions(): void {
    for (const project of this.#projects.values()) project.tellSessions();
  }

  /** Lets go of all: they go on. */
  close(): void {
    this.#over.abort();
    for (const project of this.#projects.values()) project.close();
    this.#projects.clear();
  }

  async up({ dir, env, port }: Of<"gateway.up">): Promise<DataOf<"gateway.up">> {
    await this.#started;
    const real = realDirectory(dir);
    const running = this.#projects.get(real);
    if (running) return { gateway: await this.#view(running), action: "already_running" };
    const starting =
      this.#starting.get(real) ??
      this.#begin(real, { dir: real, env, ...(port === undefined ? {} : { port }) })
        .catch(async (error) => {
          throw await withHolder(
            error,
            this.#projects,
            async () => port ?? (await this.#options.loadConfig(real)).port,
          );
        })
        .finally(() => this.#starting.delete(real));
    this.#starting.set(real, starting);
    return { gateway: await this.#view(await starting), action: "started" };
  }

  async down({ workdir }: Of<"gateway.down">): Promise<DataOf<"gateway.down">> {
    await this.#started;
    const project = this.#projectOf(workdir);
    const workers = await this.#end(project);
    this.#events.add("gateway_down", project.dir, {});
    return { dir: project.dir, workers };
  }

  /** All of them, as `nuke` wants it. */
  async downAll(graceMs?: number): Promise<number> {
    await this.#started;
    const all = [...this.#projects.values()];
    await Promise.all([...all.map((project) => this.#end(project, graceMs)), ...this.#ending.values()]);
    return all.length;
  }

  /** From now on it is not up; resolves when all its processes are gone. The answer: its workers. */
  #end(project: GatewayProject, graceMs?: number): Promise<string[]> {
    this.#projects.delete(project.dir);
    const ending = project
      .down(graceMs === undefined ? {} : { graceMs })
      .finally(() => this.#ending.delete(project.dir));
    this.#ending.set(project.dir, ending);
    return ending;
  }

  async status({ workdir }: Of<"gateway.status">): Promise<DataOf<"gateway.status">> {
    await this.#started;
    return { gateways: await Promise.all(projectsAt(this.#projects, workdir).map((project) => this.#view(project))) };
  }

  /** The workers of the project of `workdir`, or of all; what they use included, what they were asked for not. */
  async workers({ workdir }: { workdir?: string | undefined }): Promise<Worker[]> {
    await this.#started;
    this.#measure();
    return projectsAt(this.#projects, workdir).flatMap((project) =>
      byName(project.workers).map((worker) => viewWorker(project, worker, { usage: this.#usage })),
    );
  }

  /** Which workers a word means, and the names that there are. */
  async meant(
    reference: string,
    workdir: string | undefined,
  ): Promise<{ workers: Worker[]; isHere: boolean; names: string[] }> {
    await this.#started;
    const { found, isHere } = workersMeant(this.#projects, reference, workdir);
    const names = [...this.#projects.values()].flatMap((project) => project.workers.map(({ name }) => name));
    return { workers: found.map(({ project, worker }) => viewWorker(project, worker)), isHere, names };
  }

  async mode({ workdir, mode }: Of<"gateway.mode">): Promise<DataOf<"gateway.mode">> {
    await this.#started;
    const project = this.#projectOf(workdir);
    await project.setMode(mode);
    this.#events.add("mode_changed", project.dir, { mode });
    return { gateway: await this.#view(project) };
  }

  async refresh({ workdir }: Of<"gateway.refresh">, signal: AbortSignal): Promise<DataOf<"gateway.refresh">> {
    await this.#started;
    const project = this.#projectOf(workdir);
    await project.refresh();
    await Promise.all(project.workers.map((worker) => this.#settled(project, worker, SETTLED_TIMEOUT_MS, signal)));
    return { gateway: await this.#view(project) };
  }

  /** SIGHUP: every project in production takes up what was deployed. */
  async refreshAll(): Promise<void> {
    const all = [...this.#projects.values()].filter(({ mode }) => mode === "prod");
    await Promise.all(
      all.map((project) =>
        project.refresh().catch((error) => {
          this.#options.log.error("refresh_failed", { dir: project.dir, error: messageOf(error) });
        }),
      ),
    );
  }

  /** A person's word to one worker. A repeat of the same request gets the first answer. @throws ROLLBACK_IMPOSSIBLE */
  async command(
    reference: { worker: string; workdir?: string | undefined },
    command: WorkerCommand,
    requestId?: string,
  ): Promise<DataOf<"gateway.stop">> {
    await this.#started;
    const known = this.#answers.of(requestId);
    if (known !== undefined) return known;
    const { project, worker } = workerMeant(this.#projects, reference.worker, reference.workdir);
    if (command.verb === "rollback") {
      const target = rollbackTarget(worker.state, command.to);
      if ("refusal" in target)
        throw new WarrenError("ROLLBACK_IMPOSSIBLE", `${worker.name}: ${target.refusal}.`, {
          fix: "warren gateway status",
        });
    }
    worker.tell({ kind: "command", command });
    return this.#answers.keep(requestId, { worker: viewWorker(project, worker) });
  }

  async settled(
    { timeout_ms, ...reference }: Of<"gateway.settled">,
    signal: AbortSignal,
  ): Promise<DataOf<"gateway.settled">> {
    await this.#started;
    const { project, worker } = workerMeant(this.#projects, reference.worker, reference.workdir);
    await this.#settled(project, worker, timeout_ms ?? SETTLED_TIMEOUT_MS, signal);
    return { worker: viewWorker(project, worker) };
  }

  async wait(
    { conditions, timeout_ms, ...reference }: Of<"gateway.wait">,
    signal: AbortSignal,
  ): Promise<DataOf<"gateway.wait">> {
    await this.#started;
    const { project, worker } = workerMeant(this.#projects, reference.worker, reference.workdir);
    // What was saved a moment ago counts, whether or not it was noticed; in production it is taken up when somebody says so.
    if (project.mode === "dev") await worker.look();
    const limit = this.#limit(timeout_ms, signal);
    return { ...(await waitForConditions(project, worker, conditions, limit)), worker: viewWorker(project, worker) };
  }

  /**
   * Where an instance of a worker writes what it says, the newest one's by default; also of one that is no more. `ended` resolves when it has, or with the signal.
   * @throws INSTANCE_NOT_FOUND
   */
  async logOf({ instance, ...reference }: Pick<Of<"gateway.log">, "worker" | "workdir" | "instance">): Promise<{
    instance: string;
    paths: RunLogPaths;
    isRunning: boolean;
    ended(signal: AbortSignal): Promise<unknown>;
  }> {
    await this.#started;
    const { project, worker } = workerMeant(this.#projects, reference.worker, reference.workdir);
    const { idPrefix, instances } = worker.state;
    const id = instance ?? instances.at(-1)?.id;
    const number = id?.startsWith(`${idPrefix}-`) ? id.slice(idPrefix.length + 1) : "";
    if (id === undefined || !/^[0-9]{1,9}$/.test(number)) throw instanceNotFound(worker.name, instance);
    const paths = project.runs.logsOf(id);
    if (instance !== undefined && !existsSync(paths.stdoutPath)) throw instanceNotFound(worker.name, instance);
    const isRunning = (): boolean => project.runs.runs(id);
    const ended = (signal: AbortSignal) =>
      project.until(() => !isRunning() || undefined, this.#limit(undefined, signal)).catch(() => undefined);
    return { instance: id, paths, isRunning: isRunning(), ended };
  }

  /** @throws CONFIG_INVALID, NO_WORKERS */
  async artefacts(
    { dir, env, names }: Of<"gateway.artefacts">,
    signal: AbortSignal,
  ): Promise<DataOf<"gateway.artefacts">> {
    await this.#started;
    const real = realDirectory(dir);
    const config = await this.#options.loadConfig(real, "prod");
    const running = (name: string): Material | undefined =>
      this.#projects.get(real)?.workers.find((worker) => worker.name === name)?.material;
    const limit = AbortSignal.any([signal, this.#over.signal]);
    return { artefacts: await productionArtefacts({ config, env, names, running, builds: this.#builds }, limit) };
  }

  async metrics({ workdir }: Of<"gateway.metrics">): Promise<DataOf<"gateway.metrics">> {
    await this.#started;
    return { text: (await this.#projectOf(workdir).fronts.stats())?.metrics ?? "" };
  }

  /** What is so now, for who subscribes. */
  snapshot(): { seq: number; snapshot: unknown } {
    const gateways = [...this.#projects.values()].map((project) => viewGateway(project, {}));
    return { seq: this.#events.seq, snapshot: { gateways } };
  }

  async #begin(dir: string, request: Parameters<typeof GatewayProject.up>[1]): Promise<GatewayProject> {
    await this.#ending.get(dir)?.catch(() => {}); // its front, its ports and its record are of one at a time
    const project = await GatewayProject.up(this.#projectOptions(join(this.#options.dir, homeDigest(dir))), request);
    if (this.#over.signal.aborted) project.close();
    else this.#add(dir, project);
    return project;
  }

  #add(dir: string, project: GatewayProject): void {
    this.#projects.set(dir, project);
    project.tellSessions(); // some may have come while it was being opened
  }

  #projectOptions(homeDir: string): ProjectOptions {
    const { socketDir, nodePath, keeper, frontSpec, loadConfig, sessions, clock, log } = this.#options;
    return {
      homeDir,
      key: basename(homeDir),
      socketDir,
      nodePath,
      keeper,
      frontSpec,
      loadConfig,
      isPortHeld: (port) => this.#isHeld(port),
      builds: this.#builds,
      sessions,
      clock,
      log,
      onEvent: (type, dir, data) => this.#events.add(type, dir, data),
    };
  }

  #isHeld(port: number): boolean {
    return [...this.#projects.values()].some(
      (project) => project.address?.port === port || project.ports.used.some((use) => use.port === port),
    );
  }

  async #view(project: GatewayProject): Promise<DataOf<"gateway.mode">["gateway"]> {
    const stats = await project.fronts.stats();
    this.#measure();
    return viewGateway(project, { stats, usage: this.#usage });
  }

  #measure(): void {
    this.#usage.measure([...this.#projects.values()].flatMap(runningOf));
  }

  async #settled(
    project: GatewayProject,
    worker: ProjectWorker,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const isSettled = (): boolean => project.isDown || isAtRest(worker.state);
    await project.until(() => isSettled() || undefined, this.#limit(timeoutMs, signal));
  }

  #limit(timeoutMs: number | undefined, signal: AbortSignal): AbortSignal {
    const timeout = timeoutMs === undefined ? [] : [AbortSignal.timeout(Math.min(timeoutMs, TIMER_MS_MAX))];
    return AbortSignal.any([signal, this.#over.signal, ...timeout]);
  }

  #projectOf(workdir: string): GatewayProject {
    const [found] = projectsAt(this.#projects, workdir);
    if (!found) throw gatewayNotFound(workdir);
    return found;
  }
}

const instanceNotFound = (worker: string, instance: string | undefined): WarrenError =>
  new WarrenError(
    "INSTANCE_NOT_FOUND",
    instance === undefined
      ? `The worker ${worker} has no instance.`
      : `instance not found: ${instance} of ${worker} (logs are kept of the ${ENDED_KEPT} that ended last)`,
    { fix: `warren why ${worker}` },
  );
