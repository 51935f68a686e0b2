interface Happening {
  atMs: number;
  run: () => void;
}

/** What is to happen, by its time. Few at a time: looked through, not sorted. */
export class Timeline {
  #happenings: Happening[] = [];

  add(atMs: number, run: () => void): void {
    this.#happenings.push({ atMs, run });
  }

  nextMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.#happenings) if (atMs < nextMs) nextMs = atMs;
    return nextMs;
  }

  /** The first of them, which is then no longer to happen. */
  take(): () => void {
    const nextMs = this.nextMs();
    const index = this.#happenings.findIndex(({ atMs }) => atMs === nextMs);
    return this.#happenings.splice(index, 1)[0]!.run;
  }
}
