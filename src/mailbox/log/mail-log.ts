import { dirname } from "node:path";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { makeDirectories } from "../../platform/directories.ts";
import type { Log } from "../../platform/log.ts";
import { fromWire, isWarrenError, messageOf, type WarrenError } from "../../protocol/errors.ts";
import type { Backup } from "./backup.ts";
import { putBackEcho } from "./echo.ts";
import { closed, notStored } from "./errors.ts";
import { refuseNetworkFileSystem } from "./file-system.ts";
import { BATCH_MAX, BATCHES_AHEAD, WAL_BYTES_HARD_MAX, WAL_BYTES_MAX, WAL_IDLE_MS } from "./limits.ts";
import { LogThread } from "./log-thread.ts";
import { isLook } from "./looks.ts";
import { messageBytes } from "./message-rows.ts";
import type { AnswerTo, Effect, Leader, Operation, Performed, PerformType, ReadType } from "./operations.ts";
import type { Outcome, Step, WalState } from "./writer.ts";

/**
 * The store of the mailbox (docs/mailbox-design.md), as the leader has it: everything is asynchronous and carried out by threads of its own, so that
 * a slow disk holds up no connection.
 *
 * - Operations are carried out in the order in which they were given; those that wait while a transaction is on its way to the disk become the next
 *   one (group commit). Each is answered after the commit.
 * - A fenced or broken log is told once by `onLost`; from then on everything is refused with that error, and the leader ends itself.
 * - Nothing is loaded and nothing is written by opening a log that is there.
 */
export interface MailLogOptions {
  path: string;
  log: Log;
  clock?: Clock;
  /** statfs(2)'s f_type of a directory. */
  fileSystemType?: (directory: string) => number;
}

export type LostReason = "fenced" | "broken";

interface Waiting {
  step: Step;
  bytes: number;
  resolve: (outcome: Outcome) => void;
  reject: (error: unknown) => void;
}

/** Subjects, bodies and data of one transaction; more waits for the next one. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024;

export class MailLog {
  readonly path: string;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #writer: LogThread;
  #reader: LogThread | undefined;
  #queue: Waiting[] = [];
  #batchCount = 0;
  /** Of these, the ones with more in them than pings. */
  #workCount = 0;
  #willPump = false;
  #isCopying = false;
  #isClosed = false;
  #lost: WarrenError | undefined;
  #onLost: ((reason: LostReason, error: WarrenError) => void) | undefined;
  #cancelIdle: (() => void) | undefined;

  private constructor({ path, log, clock = systemClock }: MailLogOptions) {
    this.path = path;
    this.#log = log;
    this.#clock = clock;
    this.#writer = new LogThread({ role: "writer", path }, (error) => this.#lose(notStored(error)));
  }

  /** @throws MAIL_NETWORK_FILE_SYSTEM, STATE_TOO_NEW, MAIL_SQLITE_TOO_OLD, MAIL_LOG_DAMAGED, MAIL_NOT_OPENED */
  static async open(options: MailLogOptions): Promise<MailLog> {
    makeDirectories(dirname(options.path), 0o700);
    refuseNetworkFileSystem(dirname(options.path), options.fileSystemType);
    const mailLog = new MailLog(options);
    await mailLog.#writer.ready();
    return mailLog;
  }

  /** Called once, when this leader can store nothing any more: it has to end itself. */
  onLost(listener: (reason: LostReason, error: WarrenError) => void): void {
    this.#onLost = listener;
    if (this.#lost) listener(reasonOf(this.#lost), this.#lost);
  }

  /** Begins a new epoch, and resolves with it; each transaction checks it from then on. @throws MAIL_NOT_STORED */
  async takeLead(leader: Leader): Promise<number> {
    this.#refuseIfOver();
    const answer = await this.#writer.call({ kind: "lead", leader, nowMs: this.#clock.wallMs() });
    return answer.kind === "done" ? Number(answer.value) : 0;
  }

  /** Resolves after the commit. A repeat, by client and request id, gets the first answer and has no effects. @throws the refusal of that message */
  async perform<T extends PerformType>(operation: Operation<T>): Promise<Performed<T>> {
    const outcome = await this.#enqueue(operation as Operation<PerformType>, saidBytes(operation));
    if ("error" in outcome) throw fromWire(outcome.error);
    return outcome as unknown as Performed<T>;
  }

  /** As of the last commit. History, search and export have a thread of their own; the rest takes microseconds. */
  async read<T extends ReadType>(operation: Operation<T>): Promise<AnswerTo<T>> {
    this.#refuseIfOver();
    const asked = operation as Operation<ReadType>;
    const answer = isLook(asked.type)
      ? await this.#writer.call({ kind: "look", operation: asked as Operation<typeof asked.type> })
      : await this.#reading().call({ kind: "read", operation: asked });
    return (answer as { value: unknown }).value as AnswerTo<T>;
  }

  /** What time has done; the effect `due` among them says when to sweep next. */
  async sweep(nowMs: number): Promise<Effect[]> {
    const outcome = await this.#enqueue({ type: "log.sweep", nowMs }, 0);
    if ("error" in outcome) throw fromWire(outcome.error);
    return outcome.effects;
  }

  /** Consistent, while others write. @throws MAIL_BACKUP_PATH */
  async backup(to: string): Promise<Backup> {
    this.#refuseIfOver();
    const thread = new LogThread({ role: "backup", path: this.path });
    await thread.ready();
    const answer = await thread.call({ kind: "backup", to });
    return (answer as { value: unknown }).value as Backup;
  }

  /** After what is in hand; the write-ahead log is copied into the file when nobody else has it open. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelIdle?.();
    this.#pump();
    await this.#reader?.close();
    await this.#writer.close();
  }

  #enqueue(step: Step, bytes: number): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#refuseIfOver();
      this.#queue.push({ step, bytes, resolve, reject });
      if (this.#willPump) return;
      this.#willPump = true;
      queueMicrotask(() => {
        this.#willPump = false;
        this.#pump();
      });
    });
  }

  #pump(): void {
    while (this.#queue.length > 0 && (this.#batchCount < BATCHES_AHEAD || this.#isClosed))
      void this.#commit(this.#batch());
  }

  #batch(): Waiting[] {
    let count = 0;
    for (let bytes = 0; count < BATCH_MAX && count < this.#queue.length; count++) {
      bytes += this.#queue[count]!.bytes;
      if (count > 0 && bytes > BATCH_BYTES_MAX) break;
    }
    return this.#queue.splice(0, count);
  }

  async #commit(batch: Waiting[]): Promise<void> {
    const work = batch.some(({ step }) => step.type !== "mail.ping") ? 1 : 0;
    this.#batchCount += 1;
    this.#workCount += work;
    if (work > 0) this.#cancelIdle?.();
    try {
      const answer = await this.#writer.call({ kind: "perform", steps: batch.map(({ step }) => step) });
      if (answer.kind !== "performed") return;
      for (const [at, { step, resolve }] of batch.entries()) {
        const outcome = answer.outcomes[at]!;
        putBackEcho(step, outcome);
        resolve(outcome);
      }
      this.#copyWal(answer.wal);
    } catch (error) {
      const refusal = isWarrenError(error) ? error : notStored(error);
      for (const { reject } of batch) reject(refusal);
      if (refusal.code !== "MAIL_NOT_LEADING") this.#lose(refusal);
    } finally {
      this.#batchCount -= 1;
      this.#workCount -= work;
      this.#pump();
      if (work > 0 && this.#workCount === 0) this.#planIdle();
    }
  }

  #lose(error: WarrenError): void {
    if (this.#lost || this.#isClosed) return;
    this.#lost = error;
    this.#cancelIdle?.();
    this.#log.error("mail_log_lost", { code: error.code, error: error.message });
    for (const { reject } of this.#queue.splice(0)) reject(error);
    this.#onLost?.(reasonOf(error), error);
  }

  /** Beside the writer; and, when it writes faster than that copies, by itself. */
  #copyWal({ bytes, uncopiedBytes }: WalState): void {
    if (bytes > WAL_BYTES_HARD_MAX) void this.#writer.call({ kind: "copy" }).catch((error) => this.#tell(error));
    if (uncopiedBytes <= WAL_BYTES_MAX || this.#isCopying) return;
    this.#isCopying = true;
    this.#reading()
      .call({ kind: "checkpoint" })
      .catch((error) => this.#tell(error))
      .finally(() => {
        this.#isCopying = false;
      });
  }

  #planIdle(): void {
    if (this.#isClosed || this.#lost) return;
    this.#cancelIdle?.();
    this.#cancelIdle = this.#clock.timer(WAL_IDLE_MS, () => void this.#tidy().catch((error) => this.#tell(error)));
  }

  /**
   * With nothing else to do: the write-ahead log is copied, and the search index gets what it lacks. Pings write nothing, and always come: they count as nothing.
   * What is left when somebody writes is done after that.
   */
  async #tidy(): Promise<void> {
    await this.#writer.call({ kind: "copy" });
    const isIdle = (): boolean => this.#workCount === 0 && !this.#isClosed && !this.#lost;
    for (let hasMore = true; hasMore && isIdle(); ) {
      const answer = await this.#reading().call({ kind: "index" });
      hasMore = answer.kind === "done" && answer.value === true;
    }
  }

  #tell(error: unknown): void {
    if (!this.#isClosed) this.#log.warn("mail_log_upkeep_failed", { error: messageOf(error) });
  }

  /** Another one when it has died, or could not open the log. */
  #reading(): LogThread {
    if (this.#reader?.hasEnded) this.#reader = undefined;
    this.#reader ??= new LogThread({ role: "reader", path: this.path }, (error) => {
      this.#reader = undefined;
      this.#tell(error);
    });
    return this.#reader;
  }

  #refuseIfOver(): void {
    if (this.#lost) throw this.#lost;
    if (this.#isClosed) throw closed();
  }
}

const reasonOf = (error: WarrenError): LostReason => (error.code === "MAIL_FENCED" ? "fenced" : "broken");

/** Of a message of this machine, or of a copy that has come from another. */
function saidBytes({ payload }: Operation): number {
  const { copy } = payload as { copy?: object };
  return messageBytes(copy ?? (payload as object));
}
