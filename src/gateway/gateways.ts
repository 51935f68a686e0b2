import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { homeDigest } from "../platform/paths.ts";
import { messageOf, WarrenError } from "../protocol/errors.ts";
import type { FrontStats } from "../protocol/front-messages.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import { type GatewayEvent, GatewayEventFile } from "./event-file.ts";
import { viewGateway, viewWorker } from "./gateway-view.ts";
import type { WorkerCommand } from "./lifecycle/events.ts";
import type { WorkerState } from "./lifecycle/state.ts";
import { summaryOf } from "./lifecycle/summary.ts";
import { rollbackTarget } from "./lifecycle/versions.ts";
import { GatewayProject, type ProjectOptions } from "./project.ts";
import { recordedProjects } from "./project-record.ts";
import type { ProjectWorker } from "./project-worker.ts";

/** The gateways of a home: what the messages `gateway.*` do. Belongs to the primary server, as the jobs do. */
export interface GatewaysOptions {
  /** `<home>/gateway` */
  dir: string;
  socketDir: string;
  nodePath: string;
  keeper: ProjectOptions["keeper"];
  frontSpec: ProjectOptions["frontSpec"];
  loadConfig: ProjectOptions["loadConfig"];
  clock: Clock;
  log: Log;
  onEvent: (event: GatewayEvent) => void;
}

/** How long `settled` and `refresh` wait when nobody says. */
const SETTLED_TIMEOUT_MS = 60_000;
/** Answers of requests that may not be done twice are kept for a repeat. */
const ANSWERS_MAX = 100;

type Of<T extends `gateway.${string}` & keyof typeof import("../protocol/messages.ts").messages> = PayloadOf<T>;

export class Gateways {
  readonly #options: GatewaysOptions;
  readonly #events: GatewayEventFile;
  /** By directory. */
  readonly #projects = new Map<string, GatewayProject>();
  readonly #starting = new Map<string, Promise<GatewayProject>>();
  readonly #answers = new Map<string, unknown>();
  readonly #over = new AbortController();
  #started: Promise<void> = Promise.resolve();

  constructor(options: GatewaysOptions) {
    this.#options = options;
    const { dir, log, onEvent } = options;
    this.#events = new GatewayEventFile({ path: join(dir, "events.jsonl"), log, onEvent });
  }

  get events(): GatewayEventFile {
    return this.#events;
  }

  get isIdle(): boolean {
    return this.#projects.size === 0 && this.#starting.size === 0;
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
          else this.#projects.set(project.dir, project);
        } catch (error) {
          this.#options.log.error("gateway_not_taken_up", { dir: homeDir, error: messageOf(error) });
        }
      }),
    );
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
      this.#begin(real, { dir: real, env, ...(port === undefined ? {} : { port }) }).finally(() =>
        this.#starting.delete(real),
      );
    this.#starting.set(real, starting);
    return { gateway: await this.#view(await starting), action: "started" };
  }

  async down({ workdir }: Of<"gateway.down">): Promise<DataOf<"gateway.down">> {
    await this.#started;
    const project = this.#projectOf(workdir);
    this.#projects.delete(project.dir);
    const workers = await project.down();
    this.#events.add("gateway_down", project.dir, {});
    return { dir: project.dir, workers };
  }

  /** All of them, as `nuke` wants it. */
  async downAll(graceMs?: number): Promise<number> {
    await this.#started;
    const all = [...this.#projects.values()];
    this.#projects.clear();
    await Promise.all(all.map((project) => project.down(graceMs === undefined ? {} : { graceMs })));
    return all.length;
  }

  async status({ workdir }: Of<"gateway.status">): Promise<DataOf<"gateway.status">> {
    await this.#started;
    const one = workdir === undefined ? undefined : this.#find(workdir);
    const chosen = workdir === undefined ? [...this.#projects.values()] : one ? [one] : [];
    return { gateways: await Promise.all(chosen.map((project) => this.#view(project))) };
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
    const known = requestId === undefined ? undefined : this.#answers.get(requestId);
    if (known !== undefined) return known as DataOf<"gateway.stop">;
    const { project, worker } = this.#workerOf(reference);
    if (command.verb === "rollback") {
      const target = rollbackTarget(worker.state, command.to);
      if ("refusal" in target)
        throw new WarrenError("ROLLBACK_IMPOSSIBLE", `${worker.name}: ${target.refusal}.`, {
          fix: "warren gateway status",
        });
    }
    worker.tell({ kind: "command", command });
    const answer = { worker: viewWorker(project, worker) };
    if (requestId !== undefined) this.#keepAnswer(requestId, answer);
    return answer;
  }

  async settled(
    { timeout_ms, ...reference }: Of<"gateway.settled">,
    signal: AbortSignal,
  ): Promise<DataOf<"gateway.settled">> {
    await this.#started;
    const { project, worker } = this.#workerOf(reference);
    await this.#settled(project, worker, timeout_ms ?? SETTLED_TIMEOUT_MS, signal);
    return { worker: viewWorker(project, worker) };
  }

  async metrics({ workdir }: Of<"gateway.metrics">): Promise<DataOf<"gateway.metrics">> {
    await this.#started;
    return { text: (await this.#projectOf(workdir).fronts.stats())?.metrics ?? "" };
  }

  /** What is so now, for who subscribes. */
  snapshot(): { seq: number; snapshot: unknown } {
    const gateways = [...this.#projects.values()].map((project) => viewGateway(project, undefined));
    return { seq: this.#events.seq, snapshot: { gateways } };
  }

  async #begin(dir: string, request: Parameters<typeof GatewayProject.up>[1]): Promise<GatewayProject> {
    const project = await GatewayProject.up(this.#projectOptions(join(this.#options.dir, homeDigest(dir))), request);
    this.#projects.set(dir, project);
    return project;
  }

  #projectOptions(homeDir: string): ProjectOptions {
    const { socketDir, nodePath, keeper, frontSpec, loadConfig, clock, log } = this.#options;
    return {
      homeDir,
      key: basename(homeDir),
      socketDir,
      nodePath,
      keeper,
      frontSpec,
      loadConfig,
      isPortHeld: (port) => this.#isHeld(port),
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
    const stats: FrontStats | undefined = await project.fronts.stats();
    return viewGateway(project, stats);
  }

  async #settled(
    project: GatewayProject,
    worker: ProjectWorker,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const isSettled = (): true | undefined => (isAtRest(worker.state) ? true : undefined);
    const limit = AbortSignal.any([signal, this.#over.signal, AbortSignal.timeout(timeoutMs)]);
    await project.until(isSettled, limit);
  }

  #keepAnswer(requestId: string, answer: unknown): void {
    this.#answers.set(requestId, answer);
    if (this.#answers.size > ANSWERS_MAX) this.#answers.delete(this.#answers.keys().next().value!);
  }

  #workerOf({ worker, workdir }: { worker: string; workdir?: string | undefined }): {
    project: GatewayProject;
    worker: ProjectWorker;
  } {
    const at = worker.lastIndexOf("/");
    if (at < 0) {
      const project = this.#projectOf(workdir ?? "/");
      return { project, worker: project.worker(worker) };
    }
    const named = [...this.#projects.values()].find(({ config }) => config.project === worker.slice(0, at));
    if (!named) throw gatewayNotFound(worker.slice(0, at));
    return { project: named, worker: named.worker(worker.slice(at + 1)) };
  }

  /** The project of a directory: the nearest one upwards that is up. */
  #find(workdir: string): GatewayProject | undefined {
    for (let dir = realDirectory(workdir); ; dir = dirname(dir)) {
      const found = this.#projects.get(dir);
      if (found || dir === dirname(dir)) return found;
    }
  }

  #projectOf(workdir: string): GatewayProject {
    const found = this.#find(workdir);
    if (!found) throw gatewayNotFound(workdir);
    return found;
  }
}

const RESTING: ReadonlySet<string> = new Set([
  "healthy",
  "degraded",
  "failed",
  "paused",
  "stopped",
  "crash_looping",
  "unhealthy",
]);

/** Nothing is on its way: no build, no version that is being started. */
const isAtRest = (state: WorkerState): boolean =>
  RESTING.has(summaryOf(state).state) && state.build === null && state.candidate === null && state.touched === null;

const realDirectory = (dir: string): string => (existsSync(dir) ? realpathSync(dir) : dir);

const gatewayNotFound = (what: string): WarrenError =>
  new WarrenError("GATEWAY_NOT_FOUND", `No gateway serves ${what}.`, { fix: "warren up" });
