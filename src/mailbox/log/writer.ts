import { statSync } from "node:fs";
import { messageOf, toWire, WarrenError, type WireError } from "../../protocol/errors.ts";
import { firstAnswer, keepAnswer } from "./answers.ts";
import { carryOut } from "./carry-out.ts";
import { logReplaced, notStored } from "./errors.ts";
import { beginEpoch, checkEpoch } from "./leadership.ts";
import { LoopGuard } from "./loop-guard.ts";
import { MessageIds } from "./message-ids.ts";
import type { Effect, Leader, Operation, PerformType } from "./operations.ts";
import { leaveExpired } from "./outbox.ts";
import { Presences } from "./presences.ts";
import { openLog, sqliteCode } from "./schema.ts";
import { sweep } from "./sweep.ts";
import type { Turn } from "./turn.ts";
import { WritingStatements } from "./writing-statements.ts";

/**
 * The one connection that writes. All operations that are there become one transaction: `begin immediate`, compare the epoch, carry them out one by
 * one, commit; only then are they answered (invariants 1, 2 and 6). An operation that is refused leaves nothing of itself, and the others go on.
 * When the epoch is another's, or the commit fails, the whole batch is refused, and this writer is done for.
 *
 * Most refusals come before anything is written, so that there is nothing to undo. When one comes later, the transaction is rolled back and carried out again
 * with a savepoint for each operation, which costs half as much again.
 */
export type Outcome = { answer: object; effects: Effect[] } | { error: WireError };

/** A sweep is carried out in order with the operations. */
export type Step = Operation<PerformType> | { type: "log.sweep"; nowMs: number };

/** The write-ahead log as far as it is in use; its file may be longer. */
export interface WalState {
  bytes: number;
  /** Not in the file yet. */
  uncopiedBytes: number;
}

export interface WriterOptions {
  path: string;
  presences?: Presences;
  guard?: LoopGuard;
}

/** SQLite's codes after which nothing of the transaction can be trusted: PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB. */
const BROKEN_CODES: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 26]);

/** How long the write-ahead log is, is looked at after so many operations, which write 16 MiB of bodies at most. */
const WAL_LOOK_STEPS = 16;

export class Writer {
  readonly #path: string;
  readonly log: WritingStatements;
  readonly #presences: Presences;
  readonly #guard: LoopGuard;
  readonly #ids = new MessageIds();
  /** Of the file that was opened: what stands at the path has to stay that. */
  readonly #file: string;
  readonly #pageBytes: number;
  #wal: WalState | undefined;
  /** Steps since it was looked at. */
  #walStepCount = 0;
  #epoch: number | undefined;
  #ledSinceMs = 0;

  constructor({ path, presences, guard }: WriterOptions) {
    this.#path = path;
    this.log = new WritingStatements(openLog(path));
    this.#file = fileAt(path);
    this.#pageBytes = Number(this.log.get("pragma page_size")?.page_size);
    this.#presences = presences ?? new Presences();
    this.#guard = guard ?? new LoopGuard();
  }

  /** @throws MAIL_NOT_STORED */
  takeLead(leader: Leader, nowMs: number): number {
    this.log.forget(); // others have written
    const epoch = this.#transaction(() => {
      leaveExpired(this.log);
      return beginEpoch(this.log, leader, nowMs);
    });
    this.#epoch = epoch;
    this.#ledSinceMs = nowMs;
    return epoch;
  }

  /** One outcome for each. @throws MAIL_FENCED, MAIL_NOT_STORED, MAIL_NOT_LEADING: for all of them. */
  perform(steps: readonly Step[]): Outcome[] {
    try {
      return this.#performAll(steps, (step, epoch) => this.#step(step, epoch));
    } catch (error) {
      if (!(error instanceof HalfDone)) throw error;
      return this.#performAll(steps, (step, epoch) => this.#guardedStep(step, epoch));
    }
  }

  #performAll(steps: readonly Step[], perform: (step: Step, epoch: number) => Outcome): Outcome[] {
    this.#walStepCount += steps.length;
    return this.#transaction(() => {
      const epoch = checkEpoch(this.log, this.#epoch);
      return steps.map((step) => perform(step, epoch));
    });
  }

  /** Copies the write-ahead log into the file, as far as nobody reads it; the next transaction begins it anew when that was all. */
  copyWal(): void {
    this.#wal = undefined;
    this.log.get("pragma wal_checkpoint(passive)");
  }

  /** As it was a few operations ago at most. */
  wal(): WalState {
    if (this.#wal && this.#walStepCount < WAL_LOOK_STEPS) return this.#wal;
    this.#walStepCount = 0;
    this.#wal = this.#lookAtWal();
    return this.#wal;
  }

  #lookAtWal(): WalState {
    const { log, checkpointed } = this.log.get("pragma wal_checkpoint(noop)") as { log: number; checkpointed: number };
    return { bytes: log * this.#pageBytes, uncopiedBytes: (log - checkpointed) * this.#pageBytes };
  }

  close(): void {
    this.log.database.close();
  }

  /** @throws HalfDone */
  #step(step: Step, epoch: number): Outcome {
    const { writeCount } = this.log;
    try {
      return this.#carryOut(step, epoch);
    } catch (error) {
      this.#throwIfBroken(error);
      if (this.log.writeCount !== writeCount) throw new HalfDone();
      return { error: toWire(error, "INTERNAL") };
    }
  }

  #guardedStep(step: Step, epoch: number): Outcome {
    this.log.flush(); // what was counted before is not this one's
    this.log.run("savepoint step");
    try {
      const outcome = this.#carryOut(step, epoch);
      this.log.run("release step");
      return outcome;
    } catch (error) {
      this.#throwIfBroken(error);
      this.log.run("rollback to step");
      this.log.run("release step");
      this.log.forget();
      return { error: toWire(error, "INTERNAL") };
    }
  }

  #throwIfBroken(error: unknown): void {
    if (!this.log.database.isTransaction || isBroken(error)) throw error;
  }

  #carryOut(step: Step, epoch: number): Outcome {
    const turn = this.#turn(step, epoch);
    if (step.type === "log.sweep") {
      sweep(turn);
      for (const task of turn.after) task();
      return { answer: {}, effects: turn.effects };
    }
    const first = firstAnswer(this.log, step);
    if (first) return { answer: first, effects: [] };
    const answer = carryOut(turn, step);
    keepAnswer(turn, step, answer);
    for (const task of turn.after) task();
    return { answer, effects: turn.effects };
  }

  #turn(step: Step, epoch: number): Turn {
    this.#ledSinceMs = Math.min(this.#ledSinceMs, step.nowMs); // a clock that was set back: what this leader does is its own all the same
    return {
      log: this.log,
      by: "by" in step ? step.by : { client: "", isMailbox: true },
      nowMs: step.nowMs,
      epoch,
      ledSinceMs: this.#ledSinceMs,
      presences: this.#presences,
      guard: this.#guard,
      newId: () => this.#ids.next(step.nowMs),
      effects: [],
      settled: new Set(),
      after: [],
    };
  }

  #transaction<T>(work: () => T): T {
    try {
      this.log.run("begin immediate");
      const result = work();
      this.log.flush();
      this.log.run("commit");
      this.#guard.keep();
      // Committed into a file that nobody will open again is not stored.
      if (fileAt(this.#path) !== this.#file) throw logReplaced(this.#path);
      return result;
    } catch (error) {
      this.#rollBack();
      throw error instanceof WarrenError || error instanceof HalfDone ? error : notStored(error);
    }
  }

  #rollBack(): void {
    this.log.forget();
    this.#guard.undo();
    try {
      if (this.log.database.isTransaction) this.log.run("rollback");
    } catch {
      // the disk is gone; what was not committed is not there either
    }
  }
}

/** An operation was refused when it had written something. */
class HalfDone extends Error {}

const isBroken = (error: unknown): boolean => BROKEN_CODES.has(sqliteCode(error) ?? 0);

function fileAt(path: string): string {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    return messageOf(error);
  }
}
