/**
 * How often the processes of runs are looked at though nobody asks: a look reads something of every process of the machine. While the trees are the same
 * and use next to no processor time, there is little to see, and looks get rare.
 */
export const QUIET_LOOK_MS = 20_000;
/** Of one processor, by all trees together. */
const QUIET_SHARE_MAX = 0.01;

export interface Seen {
  atMs: number;
  /** By all trees, since the look before. */
  usedMs: number;
  pids: readonly number[];
}

export class LookPace {
  #last: { atMs: number; pids: string } | undefined;
  #isQuiet = false;

  /** Always true, while something goes on. */
  isDue(nowMs: number): boolean {
    return !this.#isQuiet || this.#last === undefined || nowMs - this.#last.atMs >= QUIET_LOOK_MS;
  }

  note({ atMs, usedMs, pids }: Seen): void {
    const before = this.#last;
    this.#last = { atMs, pids: pids.join() };
    this.#isQuiet = before?.pids === this.#last.pids && usedMs <= QUIET_SHARE_MAX * (atMs - before.atMs);
  }
}
