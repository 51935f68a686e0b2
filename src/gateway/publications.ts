/**
 * Each change at the front has a revision, and a worker counts its own publications: which of these is in force by a revision that the front has applied.
 * Revisions grow from server to server as well.
 */
export class Publications {
  #pending: { worker: string; publication: number; revision: number }[] = [];

  /** What comes after `last`, the newest that any server has told. */
  static revisionAfter(last: number, wallMs: number): number {
    return Math.max(last + 1, wallMs);
  }

  add(worker: string, publication: number, revision: number): void {
    this.#pending.push({ worker, publication, revision });
  }

  /** The newest publication of each worker that is in force since this revision. */
  applied(revision: number): Map<string, number> {
    const inForce = this.#pending.filter((one) => one.revision <= revision);
    this.#pending = this.#pending.filter((one) => one.revision > revision);
    return new Map(inForce.map(({ worker, publication }) => [worker, publication]));
  }
}
