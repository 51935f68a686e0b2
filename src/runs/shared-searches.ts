import type { ProcessInfo } from "../platform/process.ts";
import { findMembers, ProcessView, type RunMarks } from "./tree.ts";

/**
 * Searches that are asked for in the same turn look at the processes together: when a thousand trees end at once, each needs a few searches, and a search
 * reads something of every process.
 *
 * Invariant: what a search sees is never older than the call that asked for it.
 */
export class SharedSearches {
  readonly #look: () => ProcessView;
  #waiting: { marks: RunMarks; resolve: (members: ProcessInfo[]) => void; reject: (error: unknown) => void }[] = [];

  constructor(look: () => ProcessView = () => new ProcessView()) {
    this.#look = look;
  }

  /** As `findMembers`. */
  readonly find = (marks: RunMarks): Promise<ProcessInfo[]> => {
    const { promise, resolve, reject } = Promise.withResolvers<ProcessInfo[]>();
    this.#waiting.push({ marks, resolve, reject });
    if (this.#waiting.length === 1) setImmediate(() => this.#search());
    return promise;
  };

  #search(): void {
    const searches = this.#waiting;
    this.#waiting = [];
    try {
      const view = this.#look();
      for (const { marks, resolve } of searches) resolve(findMembers(marks, view));
    } catch (error) {
      for (const { reject } of searches) reject(error);
    }
  }
}
