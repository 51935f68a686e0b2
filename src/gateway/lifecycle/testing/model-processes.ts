import type { WorkerEvent } from "../events.ts";
import { type Behaviour, bootMs, exists, type ModelProcess } from "./model-process.ts";
import type { ModelSources } from "./model-sources.ts";
import type { Surroundings } from "./surroundings.ts";

export const QUIET = { refused: 0, reset: 0, late: 0, bad: 0, failed: 0, total: 0 };

/** The processes of the worker, and what the server does with them. They outlive it. */
export class ModelProcesses {
  /** Versions that something bad was done to which they did not deserve. */
  readonly blamed = new Set<string>();
  /** What is to happen to the next start. */
  startFault: "port" | "circumstance" | undefined;
  isNextProbeLost = false;
  /** Instances that are to be killed as soon as they have answered. */
  killsToCome = 0;
  readonly #world: Surroundings;
  readonly #sources: ModelSources;
  readonly #byId = new Map<string, ModelProcess>();
  readonly #stopping = new Set<string>();
  #nextPid = 100;

  constructor(world: Surroundings, sources: ModelSources) {
    this.#world = world;
    this.#sources = sources;
  }

  get(id: string): ModelProcess | undefined {
    return this.#byId.get(id);
  }

  all(): ModelProcess[] {
    return [...this.#byId.values()];
  }

  existing(): ModelProcess[] {
    return this.all().filter(exists);
  }

  start(id: string, version: string | null): void {
    const { random, nowMs, broken } = this.#world;
    if (this.startFault) return this.#failStart(id);
    if (this.#byId.has(id)) return void broken.push(`${id} is started twice`);
    const behaviour = this.#sources.behaviourOf(version);
    const process: ModelProcess = {
      id,
      version,
      behaviour,
      port: this.#freePort(),
      pid: this.#nextPid++,
      isRunning: true,
      leftCount: 0,
      answersAtMs: version === null ? Number.POSITIVE_INFINITY : nowMs + bootMs(behaviour, false, random),
      isHung: false,
      ignoresTerm: random.chance(10),
      isProven: false,
      isEndTold: false,
    };
    this.#byId.set(id, process);
    const { pid, port } = process;
    this.#world.answer(random.between(1, 30), () => ({ kind: "started", instance: id, pid, port }));
    this.#misbehave(process);
  }

  load(id: string, version: string): void {
    const { random, nowMs } = this.#world;
    const process = this.#byId.get(id);
    if (!process?.isRunning || process.isHung) this.blamed.add(version);
    if (!process?.isRunning) return;
    const behaviour = this.#sources.behaviourOf(version);
    Object.assign(process, { version, behaviour, answersAtMs: nowMs + bootMs(behaviour, true, random) });
    if (behaviour !== "crashes_at_start" || random.chance(50)) return this.#misbehave(process);
    this.#world.answer(10, () => ({ kind: "load_failed", instance: id, reason: "SyntaxError", output: ["main.ts:1"] }));
  }

  /** A second order joins the first. */
  stop(id: string, graceMs: number): void {
    const { random } = this.#world;
    const process = this.#byId.get(id);
    if (!process || !exists(process)) {
      return this.#world.answer(random.between(0, 5), () => ({ kind: "gone", instance: id }));
    }
    if (this.#stopping.has(id)) return;
    this.#stopping.add(id);
    // Who heeds SIGTERM ends though the server that sent it may be gone; SIGKILL needs one that is there.
    if (!process.ignoresTerm) return this.#world.later(random.between(0, 100), () => this.#end(process));
    this.#world.answer(graceMs, () => void this.#end(process));
  }

  probe(id: string, waitMs: number, timeoutMs: number): void {
    const { nowMs } = this.#world;
    const process = this.#byId.get(id);
    if (this.isNextProbeLost && process) {
      this.isNextProbeLost = false;
      return this.blame(process);
    }
    const refusal = { kind: "probed", instance: id, isOk: false, reason: "refused" } as const;
    if (!process?.isRunning) return this.#world.answer(1, () => refusal);
    const answersAtMs = process.isHung ? Number.POSITIVE_INFINITY : process.answersAtMs;
    const resultMs = Math.min(answersAtMs, nowMs + waitMs + timeoutMs);
    this.#world.answer(Math.max(1, resultMs - nowMs), () => this.#resultOf(process));
  }

  /** Its first process ends by itself, or by somebody's hand. */
  exit(process: ModelProcess, leftCount = 0): void {
    if (!process.isRunning) return;
    process.isRunning = false;
    process.leftCount = leftCount;
    this.tellEnd(process);
  }

  /** Who was not told because no server was there, is found missing by the next. */
  tellEnd(process: ModelProcess): void {
    const { random } = this.#world;
    this.#world.answer(random.between(0, 5), () => {
      const { id: instance, leftCount } = process;
      const outcome = isLost(instance) ? LOST : FAILED;
      return { kind: "exited", instance, outcome, leftCount, output: ["boom"] };
    });
  }

  blame({ version }: ModelProcess): void {
    if (version) this.blamed.add(version);
  }

  /** The server is gone, and with it who would go on stopping them. */
  abandon(): void {
    this.#stopping.clear();
  }

  #failStart(id: string): void {
    const code = this.startFault === "port" ? "PORT_TAKEN" : "EAGAIN";
    this.startFault = undefined;
    const failure = { kind: "start_failed", instance: id, code, reason: code, isVersionsFault: false } as const;
    this.#world.answer(this.#world.random.between(1, 20), () => failure);
  }

  #misbehave(process: ModelProcess): void {
    const ms = this.#world.random.between(5, 150);
    if (process.behaviour === "crashes_at_start") this.#world.later(ms, () => this.exit(process));
    else if (process.behaviour === "daemonises") this.#world.later(ms, () => this.exit(process, 1));
  }

  #resultOf(process: ModelProcess): WorkerEvent {
    const { id: instance, behaviour } = process;
    const isAnswering = process.isRunning && !process.isHung && this.#world.nowMs >= process.answersAtMs;
    if (!isAnswering) return { kind: "probed", instance, isOk: false, reason: "no answer" };
    if (behaviour === "squats") return { kind: "squatted", instance, port: 3_000 };
    if (behaviour === "answers_500") return { kind: "probed", instance, isOk: false, status: 500 };
    if (!process.isProven) this.#afterProof(process, behaviour);
    process.isProven = true;
    return { kind: "probed", instance, isOk: true, status: 200 };
  }

  /** It has answered well for the first time. */
  #afterProof(process: ModelProcess, behaviour: Behaviour): void {
    const { id: instance } = process;
    const ms = this.#world.random.between(50, 1_500);
    const isToBeKilled = this.killsToCome > 0;
    if (isToBeKilled) {
      this.killsToCome -= 1;
      this.blame(process);
    }
    if (isToBeKilled || behaviour === "crashes_soon") this.#world.later(ms, () => this.exit(process));
    if (behaviour === "leaks") this.#world.answer(ms, () => ({ kind: "memory", instance, bytes: 2 ** 40 }));
    if (behaviour !== "resets") return;
    const trouble = { kind: "trouble", instance, ...QUIET, bad: 2, failed: 2, total: 8 } as const;
    for (const times of [1, 2]) this.#world.answer(ms * times, () => trouble);
  }

  #end(process: ModelProcess): void {
    process.leftCount = 0;
    this.exit(process);
    this.#world.answer(this.#world.random.between(0, 10), () => ({ kind: "gone", instance: process.id }));
  }

  #freePort(): number {
    const holders = this.all().filter((one) => exists(one) || !one.isEndTold);
    const taken = new Set(holders.map(({ port }) => port));
    for (const { port } of this.#world.state.instances) if (port !== null) taken.add(port);
    let port = 9_000;
    while (taken.has(port)) port += 1;
    return port;
  }
}

const FAILED = { kind: "exited", status: 1 } as const;
const LOST = { kind: "lost", reason: "shim killed" } as const;
/** Now and then a shim is killed too, and the exit status with it. */
const isLost = (id: string): boolean => id.endsWith("7");
