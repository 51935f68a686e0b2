/**
 * Work that takes turns by key: one after the other, also when the one before failed. Whoever ends what the work is about calls it off: work that waits
 * or is under way can ask, before its effect, whether it is still wanted.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #open = new Map<string, Set<AbortController>>();

  /** `calledOff` is aborted when `callOff` is called after this. */
  take<T>(key: string, work: (calledOff: AbortSignal) => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const turn = new AbortController();
    const open = this.#open.get(key) ?? new Set();
    this.#open.set(key, open.add(turn));
    const run = (): Promise<T> => work(turn.signal);
    const done = before.then(run, run);
    const settled = done.catch(() => {});
    this.#last.set(key, settled);
    void settled.then(() => {
      open.delete(turn);
      if (this.#last.get(key) !== settled) return;
      this.#last.delete(key);
      this.#open.delete(key);
    });
    return done;
  }

  callOff(key: string): void {
    for (const turn of this.#open.get(key) ?? []) turn.abort();
  }
}
