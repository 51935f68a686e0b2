import type { Reached } from "../../test/harness/remote-sim/apart.ts";

const TOLD_MS = 60_000;

/** How far a long run of schedules is: said each minute; and, when it is interrupted, where another run goes on. */
export class ScheduleProgress implements Disposable {
  readonly #say: (line: string) => void;
  readonly #startMs = performance.now();
  readonly #timer = setInterval(() => this.#tell(), TOLD_MS);
  readonly #firstSeed: number;
  #next: number;
  #threads: Reached[] = [];

  constructor(firstSeed: number, say: (line: string) => void) {
    this.#say = say;
    this.#firstSeed = firstSeed;
    this.#next = firstSeed;
    process.once("exit", this.#interrupted);
  }

  reached(reached: Reached): void {
    this.#threads[reached.thread] = reached;
  }

  /** Everything before this one was run. */
  begins(seed: number): void {
    this.#next = seed;
    this.#threads = [];
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    process.off("exit", this.#interrupted);
  }

  /** What later threads have run lies behind what the first has not. */
  get #goesOnAt(): number {
    return (this.#threads[0]?.seed ?? this.#next - 1) + 1;
  }

  #tell(): void {
    const now = this.#threads.reduce((sum, { firstSeed, seed }) => sum + seed + 1 - firstSeed, 0);
    const count = this.#next - this.#firstSeed + now;
    const rate = (count * 1_000) / (performance.now() - this.#startMs);
    this.#say(`${count} schedules, ${rate.toFixed(1)} in a second; all before seed ${this.#goesOnAt} are over`);
  }

  readonly #interrupted = (): void => {
    this.#tell();
    this.#say(`WARREN_FIRST_SEED=${this.#goesOnAt} goes on from there`);
  };
}
