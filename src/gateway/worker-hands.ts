import { rmSync } from "node:fs";
import { type Log, logTail } from "../platform/log.ts";
import type { Turns } from "../platform/turns.ts";
import { isWarrenError, messageOf, toWire, unreachable } from "../protocol/errors.ts";
import type { GatewayMode } from "../protocol/front-messages.ts";
import type { WorkerConfig } from "../protocol/gateway-config.ts";
import type { Outcome } from "../protocol/outcome.ts";
import type { VersionMaker } from "./build/version-maker.ts";
import { type InstanceRuns, newTag } from "./instances/instance-runs.ts";
import { InstanceProber } from "./instances/prober.ts";
import type { ReportName, WorkerAction } from "./lifecycle/actions.ts";
import type { WorkerEvent } from "./lifecycle/events.ts";
import {
  type InstanceCommand,
  type InstanceWorker,
  instanceCommand,
  standbyCommand,
} from "./node-worker/instance-command.ts";
import { loadInto, type StandbyAnswer } from "./node-worker/standby-link.ts";
import type { PortPool } from "./ports/port-pool.ts";
import { saysPortTaken } from "./ports/port-taken.ts";
import type { WorkerHands } from "./worker-control.ts";

/** What several workers of a project share, and what its front and its people are told through. */
export interface ProjectHands {
  dir: string;
  mode: GatewayMode;
  personEnv: Readonly<Record<string, string | undefined>>;
  nodePath: string;
  ports: PortPool;
  runs: InstanceRuns;
  /** Of all builds of the home, by folder. */
  builds: Turns;
  log: Log;
  /** Where a spare waits for its code. */
  standbyPath: (instance: string) => string;
  publish: (worker: string, publication: number) => void;
  close: (instance: string, spreadMs: number) => void;
  reload: (worker: string) => void;
  report: (worker: string, name: ReportName, fields: Record<string, string | number | null>) => void;
}

export interface WorkerHandsOptions {
  config: WorkerConfig;
  /** Undefined for what has no processes. */
  maker: VersionMaker | undefined;
  project: ProjectHands;
  tell: (event: WorkerEvent) => void;
  /** Says which version the sources are. */
  look: () => Promise<void>;
  /** Their artefacts stay, however many there are. */
  versionsInUse: () => Set<string>;
  /** By instance; kept with the worker's state. */
  tags: Map<string, number>;
  save: () => void;
}

/** Longer than it takes to tell of a change. */
const OUTDATED_MS = 200;
const SPARE_BOOT_MS = 10_000;
const SPARE_LOOK_MS = 5;

type Of<K extends WorkerAction["kind"]> = Extract<WorkerAction, { kind: K }>;

/** Of a version's own making: another start of the same does no better. */
const VERSIONS_FAULTS = new Set(["PROGRAM_NOT_FOUND", "PROGRAM_NOT_EXECUTABLE", "COMMAND_EMPTY", "ARTEFACT_MISSING"]);

/** Of what did not come up: a stack has its message above a dozen places. */
const LAST_LINES = 20;

/** Carries a worker's decisions out, on real processes, files and sockets. What fails is an answer too; nothing throws. */
export class RealHands implements WorkerHands {
  readonly #options: WorkerHandsOptions;
  readonly #over = new AbortController();
  readonly #ports = new Map<string, number>();
  readonly #prober: InstanceProber;
  /** Actions on one instance are carried out one after the other. */
  readonly #turns = new Map<string, Promise<void>>();
  /** Processes may come of them yet. */
  readonly #starting = new Set<Promise<void>>();
  #build: AbortController | undefined;
  #config: WorkerConfig;
  #maker: VersionMaker | undefined;

  constructor(options: WorkerHandsOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#maker = options.maker;
    const { project, tell } = options;
    this.#prober = new InstanceProber({ runs: project.runs, log: project.log, tell, signal: this.#over.signal });
  }

  /** For whatever is started from now on. */
  configure(config: WorkerConfig, maker: VersionMaker | undefined): void {
    this.#config = config;
    this.#maker = maker;
  }

  carryOut(action: Exclude<WorkerAction, { kind: "wake" }>): void {
    const { project } = this.#options;
    const config = this.#config;
    switch (action.kind) {
      case "look":
        return void this.#options.look();
      case "build":
        return void this.#make(action);
      case "cancel_build":
        return this.#build?.abort();
      case "start":
        return this.#inTurn(action.instance, () => this.#begin(this.#start(action)));
      case "load":
        return this.#inTurn(action.instance, () => this.#load(action));
      case "stop":
        return this.#inTurn(action.instance, () => this.#stop(action));
      case "publish":
        return project.publish(config.name, action.publication);
      case "close":
        return project.close(action.instance, action.spreadMs);
      case "probe":
        return void this.#prober.probe(action, config, this.#ports.get(action.instance));
      case "link":
        return void this.#link(action.version);
      case "reload":
        return project.reload(config.name);
      case "report":
        return project.report(config.name, action.name, action.fields);
      default:
        return unreachable(action);
    }
  }

  /** An instance that runs still has its port. */
  adopt(instance: string, port: number): void {
    this.#ports.set(instance, port);
    this.#options.project.ports.adopt(port, instance);
  }

  /** Its first process has ended. */
  ended(instance: string, outcome: Outcome, leftCount: number): void {
    const { tell } = this.#options;
    const output = this.#lastLines(instance);
    const port = this.#ports.get(instance);
    const isPortTaken = port !== undefined && saysPortTaken(output, port);
    if (isPortTaken) this.#options.project.ports.refuse(port);
    tell({ kind: "exited", instance, outcome, leftCount, output, ...(isPortTaken ? { isPortTaken } : {}) });
    if (leftCount === 0) this.#gone(instance);
  }

  close(): void {
    this.#over.abort();
    this.#build?.abort();
  }

  /** Once it was closed and this has resolved, no process comes any more. */
  async startsOver(): Promise<void> {
    await Promise.all(this.#starting);
  }

  #begin(start: Promise<void>): Promise<void> {
    this.#starting.add(start);
    return start.finally(() => this.#starting.delete(start));
  }

  #inTurn(instance: string, act: () => Promise<void>): void {
    const { project } = this.#options;
    const config = this.#config;
    const turn = (this.#turns.get(instance) ?? Promise.resolve())
      .then(() => (this.#over.signal.aborted ? undefined : act()))
      .catch((error) => project.log.error("action_failed", { worker: config.name, instance, error: messageOf(error) }))
      .then(() => {
        if (this.#turns.get(instance) === turn) this.#turns.delete(instance);
      });
    this.#turns.set(instance, turn);
  }

  async #make({ version, isForced }: Of<"build">): Promise<void> {
    const { tell } = this.#options;
    const maker = this.#maker;
    if (!maker) return tell({ kind: "built", version });
    this.#build?.abort();
    const build = new AbortController();
    this.#build = build;
    const signal = AbortSignal.any([build.signal, this.#over.signal]);
    const outcome = await maker.build(version, signal, { isForced });
    if (signal.aborted) return;
    if (outcome.kind === "built") tell({ kind: "built", version });
    else if (outcome.kind === "failed") tell({ kind: "build_failed", version, failure: outcome.failure });
    else if (outcome.kind === "outdated") await this.#makeAgain({ kind: "build", version, isForced }, signal);
  }

  /** The sources changed while it was built. What they are now is told by those who watch, and cancels this; if they are the same after all, it is built. */
  async #makeAgain(order: Of<"build">, signal: AbortSignal): Promise<void> {
    await this.#options.look();
    await new Promise((wake) => setTimeout(wake, OUTDATED_MS));
    if (!signal.aborted) await this.#make(order);
  }

  async #start({ instance, version }: Of<"start">): Promise<void> {
    const { project, tell, tags, save } = this.#options;
    const config = this.#config;
    try {
      const taken = project.ports.take(instance);
      this.#ports.set(instance, taken.port);
      try {
        const { command, workdir, env, takesSocket } = await this.#commandFor(instance, version, taken.port);
        if (this.#over.signal.aborted) return this.#release(instance); // no process was made of it
        const tag = newTag();
        tags.set(instance, tag);
        save();
        if (!takesSocket) taken.close();
        const listen = takesSocket ? { listenFd: taken.fd } : {};
        const process = await project.runs.start({
          id: instance,
          tag,
          unit: config.name,
          command,
          workdir,
          env,
          ...listen,
        });
        tell({ kind: "started", instance, pid: process.pid, port: taken.port });
      } finally {
        taken.close();
      }
    } catch (error) {
      this.#release(instance);
      tags.delete(instance); // nothing was left of it
      const { code, error: reason } = toWire(error, "START_FAILED");
      tell({ kind: "start_failed", instance, code, reason, isVersionsFault: VERSIONS_FAULTS.has(code) });
    }
  }

  async #commandFor(instance: string, version: string | null, port: number): Promise<InstanceCommand> {
    const { project } = this.#options;
    const maker = this.#maker;
    const common = {
      worker: this.#worker(),
      port,
      mode: project.mode,
      personEnv: project.personEnv,
      nodePath: project.nodePath,
    };
    if (version === null) {
      const path = project.standbyPath(instance);
      rmSync(path, { force: true });
      return standbyCommand(common, path);
    }
    const artefactPath = await maker?.artefactOf(version);
    return instanceCommand({ ...common, ...(artefactPath === undefined ? {} : { artefactPath }) });
  }

  #worker(): InstanceWorker {
    const { name, type, dir, path, route, command, env, allowEnv, takesSocket } = this.#config;
    return {
      ...{ name, kind: type === "node" ? "node" : "command", dir, path, route, env, allowEnv },
      ...(command ? { command } : {}),
      ...(takesSocket ? { takesSocket } : {}),
    };
  }

  async #load({ instance, version }: Of<"load">): Promise<void> {
    const { tell } = this.#options;
    const maker = this.#maker;
    const artefact = await maker?.artefactOf(version);
    const failed = (reason: string, output: string[]): void => tell({ kind: "load_failed", instance, reason, output });
    if (artefact === undefined) return failed(`the artefact of ${version} is gone`, []);
    // Not awaited: its top level may wait for a long time, and it can be stopped meanwhile.
    void this.#loadOnceThere(instance, artefact)
      .then((answer) => {
        if (answer.kind === "failed") failed(answer.message, answer.stack.split("\n"));
        if (answer.kind === "absent") failed(messageOf(answer.error), this.#lastLines(instance));
      })
      .catch(() => {}); // the next server finds it, and ends it
  }

  /** A spare that was just started takes a moment until it can be told. */
  async #loadOnceThere(instance: string, artefact: string): Promise<StandbyAnswer> {
    const { project } = this.#options;
    const order = { load: artefact, env: { WORKER_ARTEFACT: artefact } };
    const deadlineMs = performance.now() + SPARE_BOOT_MS;
    for (;;) {
      const answer = await loadInto(project.standbyPath(instance), order, this.#over.signal);
      const isThere = project.runs.runs(instance);
      if (answer.kind !== "absent" || !isThere || performance.now() > deadlineMs) return answer;
      await new Promise((wake) => setTimeout(wake, SPARE_LOOK_MS));
    }
  }

  async #stop({ instance, graceMs }: Of<"stop">): Promise<void> {
    const { project } = this.#options;
    const config = this.#config;
    const survivors = await project.runs.stop(instance, { graceMs });
    if (survivors.length > 0) {
      project.log.error("tree_survived", { worker: config.name, instance, pids: survivors });
      this.#ports.delete(instance); // it stays taken
    }
    this.#gone(instance);
  }

  async #link(version: string): Promise<void> {
    const { project } = this.#options;
    const maker = this.#maker;
    const config = this.#config;
    try {
      await maker?.setCurrent(version);
      await maker?.prune(this.#options.versionsInUse());
    } catch (error) {
      const code = isWarrenError(error) ? error.code : undefined;
      project.log.warn("link_failed", { worker: config.name, version, code, error: messageOf(error) });
    }
  }

  #gone(instance: string): void {
    this.#release(instance);
    this.#options.tags.delete(instance);
    this.#prober.forget(instance);
    rmSync(this.#options.project.standbyPath(instance), { force: true });
    this.#options.tell({ kind: "gone", instance });
  }

  #release(instance: string): void {
    const port = this.#ports.get(instance);
    if (port !== undefined) this.#options.project.ports.release(port);
    this.#ports.delete(instance);
  }

  #lastLines(instance: string): string[] {
    const { stdoutPath, stderrPath } = this.#options.project.runs.logsOf(instance);
    const errors = logTail(stderrPath, LAST_LINES);
    return errors.length > 0 ? errors : logTail(stdoutPath, LAST_LINES);
  }
}
