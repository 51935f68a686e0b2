import { isWarrenError, messageOf } from "../protocol/errors.ts";
import { hubNotStored } from "./errors.ts";
import type { Statements } from "./statements.ts";

/**
 * What changes the store: operations that come while one batch is being synced are the next batch, one transaction. Each is answered after its batch is
 * on the disk, so that what was answered is there after any crash (invariant 1).
 *
 * An operation that is refused (a WarrenError) fails alone, and what it has changed before is committed with the batch: it may only have cleared away what nobody
 * needs (`Archive.put` does, to make room). When SQLite or the disk fails, its whole batch does. A sync that
 * failed cannot be made good by trying again: the file's state is unknown, so `onBroken` is told, and the hub ends.
 */
export interface GroupCommitOptions {
  statements: Statements;
  /** Resolves when everything that was committed is on the disk. */
  sync: () => Promise<void>;
  onBroken: (error: unknown) => void;
}

interface Operation {
  work: () => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

type Outcome = { value: unknown } | { error: unknown };

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #waiting: Operation[] = [];
  #isBusy = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Resolves with what `work` answers, when it is on the disk. @throws HUB_NOT_STORED, and what `work` refuses */
  write<T>(work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject });
    if (!this.#isBusy) {
      this.#isBusy = true;
      queueMicrotask(() => void this.#drain());
    }
    return promise;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#commit(batch);
    }
    this.#isBusy = false;
  }

  async #commit(batch: readonly Operation[]): Promise<void> {
    let outcomes: Outcome[];
    try {
      outcomes = this.#transaction(batch);
    } catch (error) {
      for (const { reject } of batch) reject(hubNotStored(messageOf(error)));
      return;
    }
    try {
      await this.#options.sync();
    } catch (error) {
      for (const { reject } of batch) reject(hubNotStored(messageOf(error)));
      this.#options.onBroken(error);
      return;
    }
    for (const [index, { resolve, reject }] of batch.entries()) {
      const outcome = outcomes[index]!;
      if ("error" in outcome) reject(outcome.error);
      else resolve(outcome.value);
    }
  }

  #transaction(batch: readonly Operation[]): Outcome[] {
    const { statements } = this.#options;
    statements.run("begin immediate");
    try {
      const outcomes = batch.map(({ work }) => outcomeOf(work));
      statements.run("commit");
      return outcomes;
    } catch (error) {
      if (statements.database.isTransaction) statements.run("rollback");
      throw error;
    }
  }
}

function outcomeOf(work: () => unknown): Outcome {
  try {
    return { value: work() };
  } catch (error) {
    if (isWarrenError(error)) return { error };
    throw error;
  }
}
