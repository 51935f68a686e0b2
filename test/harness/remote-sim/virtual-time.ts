import type { Clock } from "../../../src/platform/clock.ts";
import type { SealingCrypto } from "../../../src/sealing/crypto.ts";

/**
 * Time that passes only when there is nothing left to do: tasks in the order of their moments, and everything that one leaves to promises is over before the next.
 * So a schedule is the same each time, and an hour takes as long as what happens in it.
 */
interface Task {
  atMs: number;
  order: number;
  run: () => void;
  isCancelled: boolean;
}

/** Immediates in one go of the event loop: Node runs all microtasks, and looks for rejections, after each. A go for each would take longer than what happens in it. */
const TURNS = 32;

export class VirtualTime {
  nowMs = 0;
  #order = 0;
  /** A heap by moment, then by order. */
  readonly #tasks: Task[] = [];
  /** Asked of the event loop, and not yet come. */
  #turnsLeft = 0;
  /** Who wait for the next: more than one, where more than one lets time pass. */
  #waiting: (() => void)[] = [];
  /** What goes on on other threads (real cryptography): time waits for it. */
  isBusy: () => boolean = () => false;

  /** Runs it once after `delayMs`; the answer cancels it. */
  after(delayMs: number, run: () => void): () => void {
    const task: Task = { atMs: this.nowMs + Math.max(0, delayMs), order: ++this.#order, run, isCancelled: false };
    this.#push(task);
    return () => {
      task.isCancelled = true;
    };
  }

  /** Until there is nothing to do before this moment, or `isEnough`. */
  async runUntil(untilMs: number, isEnough: () => boolean = () => false): Promise<void> {
    for (;;) {
      await this.#settled();
      if (isEnough()) return;
      const next = this.#tasks[0];
      if (!next || next.atMs > untilMs) break;
      this.#pop();
      if (next.isCancelled) continue;
      this.nowMs = next.atMs;
      next.run();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  async #settled(): Promise<void> {
    do await this.#turn();
    while (this.isBusy());
  }

  /** Whatever promises have led to is over, and a rejection that nobody has taken was thrown. */
  #turn(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    if (this.#turnsLeft === 0) {
      this.#turnsLeft = TURNS;
      for (let count = TURNS; count > 0; count--) setImmediate(this.#onTurn);
    }
    return promise;
  }

  readonly #onTurn = (): void => {
    this.#turnsLeft -= 1;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  };

  #push(task: Task): void {
    const tasks = this.#tasks;
    let at = tasks.push(task) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(task, tasks[above]!)) break;
      tasks[at] = tasks[above]!;
      at = above;
    }
    tasks[at] = task;
  }

  #pop(): void {
    const tasks = this.#tasks;
    const last = tasks.pop()!;
    if (tasks.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= tasks.length) break;
      if (below + 1 < tasks.length && isBefore(tasks[below + 1]!, tasks[below]!)) below += 1;
      if (!isBefore(tasks[below]!, last)) break;
      tasks[at] = tasks[below]!;
      at = below;
    }
    tasks[at] = last;
  }
}

const isBefore = (a: Task, b: Task): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** One actor from its start to its crash: what a crashed one had begun has no more effect, and nobody answers it. */
export class Life {
  isOver = false;
  readonly #time: VirtualTime;
  readonly #wall: { offsetMs: number };
  readonly #ends = new Set<() => void>();

  constructor(time: VirtualTime, wall: { offsetMs: number }) {
    this.#time = time;
    this.#wall = wall;
  }

  readonly clock: Clock = {
    wallMs: () => EPOCH_MS + Math.floor(this.#time.nowMs) + this.#wall.offsetMs,
    monotonicMs: () => this.#time.nowMs,
    timer: (delayMs, task) => this.#time.after(delayMs, () => this.isOver || task()),
  };

  /** Called when it ends; the answer takes it back. */
  onEnd(task: () => void): () => void {
    this.#ends.add(task);
    return () => this.#ends.delete(task);
  }

  end(): void {
    this.isOver = true;
    for (const task of [...this.#ends]) task();
  }

  /** What an actor awaits of the world: never answered to one that is gone. */
  async of<T>(work: () => Promise<T>): Promise<T> {
    if (this.isOver) return new Promise<T>(() => {});
    const result = await work();
    return this.isOver ? new Promise<T>(() => {}) : result;
  }
}

const EPOCH_MS = Date.UTC(2026, 10, 1);

/** The same with one operation at a time, so that threads answer in one order; and says whether it is busy. */
export function inOneOrder(crypto: SealingCrypto): { crypto: SealingCrypto; isBusy: () => boolean } {
  let last: Promise<unknown> = Promise.resolve();
  let pending = 0;
  const wrapped = Object.fromEntries(
    Object.entries(crypto).map(([name, work]) => {
      if (name === "random") return [name, work];
      const inTurn = (...args: unknown[]): Promise<unknown> => {
        pending += 1;
        const done = last.then(() => (work as (...all: unknown[]) => unknown)(...args));
        const isOver = (): void => {
          pending -= 1;
        };
        last = done.then(isOver, isOver);
        return done;
      };
      return [name, inTurn];
    }),
  );
  return { crypto: wrapped as unknown as SealingCrypto, isBusy: () => pending > 0 };
}
