import type { WorkerAction } from "../actions.ts";
import { decide, needsWriting } from "../decide.ts";
import type { WorkerEvent } from "../events.ts";
import type { WorkerSpec } from "../spec.ts";
import { desiredVersion, initialState, type WorkerState } from "../state.ts";
import { continuityOf, invariantsOf } from "./invariants.ts";
import { ModelFront } from "./model-front.ts";
import { exists } from "./model-process.ts";
import { ModelProcesses } from "./model-processes.ts";
import { ModelSources } from "./model-sources.ts";
import type { Random } from "./random.ts";
import type { Surroundings } from "./surroundings.ts";
import { Timeline } from "./timeline.ts";

/** Events that may be told again soon after. */
const LATELY_COUNT = 8;

/**
 * A model of everything around `decide`: sources, builds, processes, a front, and the server that carries out what is decided, on a virtual clock. The server
 * may die between any two steps: before a state is written, or after any number of its actions.
 */
export class World implements Surroundings {
  nowMs = 1_000_000;
  random: Random;
  state: WorkerState;
  readonly broken: string[] = [];
  readonly sources: ModelSources;
  readonly processes: ModelProcesses;
  readonly front: ModelFront;
  /** The server dies in its next step: before writing (-1), or after so many actions; or when it is about to carry out such an action. */
  doom: number | WorkerAction["kind"] | undefined;
  readonly lately: WorkerEvent[] = [];
  linked: string | undefined;
  /** For a person who looks at a schedule. */
  trace: ((line: string) => void) | undefined;
  #isUp = false;
  #written: WorkerState;
  /** Somebody said stop, or it was in development: drains may be short. */
  #isHasty = false;
  /** Of the server. */
  #generation = 0;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  readonly #timeline = new Timeline();
  readonly #givenUp = new Set<string>();

  constructor(spec: WorkerSpec, random: Random) {
    this.random = random;
    this.state = initialState(spec);
    this.#written = this.state;
    this.sources = new ModelSources(this, random);
    this.processes = new ModelProcesses(this, this.sources);
    this.front = new ModelFront(this);
    this.recover();
  }

  /** The next thing happens, at its time. */
  happen(): void {
    const nextMs = this.#timeline.nextMs();
    if (this.#isUp && this.#wakeAtMs < nextMs) {
      this.nowMs = Math.max(this.nowMs, this.#wakeAtMs);
      this.#wakeAtMs = Number.POSITIVE_INFINITY;
      this.tell({ kind: "tick" });
    } else if (nextMs < Number.POSITIVE_INFINITY) {
      this.nowMs = Math.max(this.nowMs, nextMs);
      this.#timeline.take()();
    } else this.nowMs += 1_000;
  }

  later(ms: number, run: () => void): void {
    this.#timeline.add(this.nowMs + ms, run);
  }

  answer(ms: number, event: () => WorkerEvent | undefined): void {
    const generation = this.#generation;
    this.later(ms, () => {
      const made = generation === this.#generation ? event() : undefined;
      if (made) this.tell(made);
    });
  }

  tell(event: WorkerEvent): void {
    if (!this.#isUp) return;
    if (this.doom === -1) return this.die();
    this.#note(event);
    const { state, actions } = decide(this.state, event, this.nowMs);
    this.broken.push(...continuityOf(this.state, event, state));
    this.state = state;
    if (needsWriting(event, actions)) this.#written = state;
    if (event.kind === "exited" || event.kind === "gone") this.#noteEnd(event.instance);
    this.#check(actions);
    for (const [index, action] of actions.entries()) {
      if (this.doom === index || this.doom === action.kind) return this.die();
      this.#carryOut(action);
    }
    if (typeof this.doom === "number") this.die();
  }

  die(): void {
    this.trace?.(`${this.nowMs} the server dies`);
    this.doom = undefined;
    this.#isUp = false;
    this.#generation += 1;
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    this.lately.length = 0; // nobody is left who would say it again
    this.front.disconnect();
    this.sources.abandon();
    this.processes.abandon();
    this.later(this.random.between(5, 6_000), () => this.recover());
  }

  /** The next server reads back what was written, and looks at what exists. An end that nobody was told it may learn now, or find that there is nobody. */
  recover(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.state = JSON.parse(JSON.stringify(this.#written));
    const { random, processes } = this;
    const found = processes.all().filter((one) => exists(one) || (!one.isEndTold && random.chance(50)));
    const instances = found.map(({ id, pid, port }) => ({ id, pid, port: random.chance(95) ? port : null }));
    for (const process of processes.all()) if (!found.includes(process)) process.isEndTold = true;
    this.tell({ kind: "recovered", instances, versions: [...this.sources.disk] });
    if (!this.#isUp) return;
    for (const process of found) if (!process.isRunning) processes.tellEnd(process);
    this.front.connect();
  }

  /** The front and the server lose each other for a while. */
  disconnect(): void {
    this.front.disconnect();
    this.answer(this.random.between(5, 2_000), () => void this.front.connect());
  }

  noticeSave(): void {
    if (this.#isUp) this.sources.notice();
  }

  watchAnew(): void {
    if (this.#isUp) this.sources.watchAnew();
  }

  #note(event: WorkerEvent): void {
    this.trace?.(`${this.nowMs} ${JSON.stringify(event)}`);
    this.#pardon(event);
    const isStop = event.kind === "command" && event.command.verb === "stop";
    if (this.state.spec.mode === "dev" || isStop) this.#isHasty = true;
    if (event.kind === "tick" || event.kind === "recovered") return;
    if (this.lately.push(event) > LATELY_COUNT) this.lately.shift();
  }

  #noteEnd(id: string): void {
    const process = this.processes.get(id);
    if (process) process.isEndTold = true;
  }

  /** What gives a bad version another chance. */
  #pardon(event: WorkerEvent): void {
    const { state } = this;
    if (event.kind === "sources" && event.version !== state.source) this.#givenUp.delete(event.version);
    if (event.kind === "built") this.#givenUp.delete(event.version); // late, but it is there
    if (event.kind !== "command" || ["pause", "unpause", "stop", "drain"].includes(event.command.verb)) return;
    for (const version of [desiredVersion(state), state.source]) if (version) this.#givenUp.delete(version);
  }

  #check(actions: readonly WorkerAction[]): void {
    for (const action of actions) {
      if (action.kind === "report" && action.name === "switched_back") this.#givenUp.delete(String(action.fields.to));
      const isVerdict = action.kind === "report" && (action.name === "version_bad" || action.name === "build_failed");
      if (isVerdict) this.#givenUp.add(String(action.fields.version));
    }
    const broken = invariantsOf(this.state, actions, {
      nowMs: this.nowMs,
      isProven: (id) => this.processes.get(id)?.isProven ?? false,
      isEndTold: (id) => this.processes.get(id)?.isEndTold ?? false,
      isGivenUp: (version) => this.#givenUp.has(version),
      existing: () => this.processes.existing().map(({ id }) => id),
    });
    this.broken.push(...broken);
  }

  #carryOut(action: WorkerAction): void {
    const { sources, processes, front } = this;
    switch (action.kind) {
      case "look":
        return sources.look();
      case "build":
        return sources.build(action.version);
      case "cancel_build":
        return sources.cancel(action.version);
      case "start":
        return processes.start(action.instance, action.version);
      case "load":
        return processes.load(action.instance, action.version);
      case "stop":
        return this.#stop(action.instance, action.graceMs);
      case "probe":
        return processes.probe(action.instance, action.waitMs, action.timeoutMs);
      case "publish":
        return front.publish();
      case "close":
        return front.close(action.instance, action.spreadMs);
      case "link":
        this.linked = action.version;
        return;
      case "wake":
        this.#wakeAtMs = action.atMs;
        return;
      case "report":
        this.trace?.(`    ${action.name} ${JSON.stringify(action.fields)}`);
        return;
      case "reload":
        return;
    }
  }

  #stop(id: string, graceMs: number): void {
    if (this.processes.get(id)?.isRunning) this.front.checkStop(id, this.#isHasty);
    this.processes.stop(id, graceMs);
  }
}
