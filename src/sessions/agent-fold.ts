import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";
import { INPUT_SOURCE_BYTES, type JournalRecord, RECORD } from "../protocol/journal-records.ts";
import type { ChannelExit } from "../protocol/keeper-calls.ts";
import { readConversation, writeConversation } from "./agent-files.ts";
import { AgentJournal } from "./agent-journal.ts";
import { Conversation } from "./agents/conversation.ts";
import type { JournalPosition } from "./journal/journal-reader.ts";
import { OutputTail } from "./output-tail.ts";

/**
 * A conversation, kept up with the journal of its agent: from the last checkpoint on, with another one written from time to time.
 *
 * Invariants
 * 1. A checkpoint is of a place between two records; the `end` of a program is folded once.
 * 2. A program whose end nobody wrote down (the keeper was killed) has ended where the next one begins: `starts` says in which segments.
 */
export interface AgentFoldOptions {
  directory: string;
  journalDir: string;
  /** The first segment of each program after the first one. */
  starts: readonly number[];
  log: Log;
  /** Called for the lines that were written to the agent: 16 hex digits. */
  onInput?: (source: string) => void;
  /** Some records were folded. */
  onFolded?: () => void;
}

/** A checkpoint is due after this much of the journal, and when that is worth it: a long conversation is written less often. */
const CHECKPOINT_RECORDS = 200;
const CHECKPOINT_BYTES = 1024 * 1024;
const CHECKPOINT_SHARE = 8;
/** Of what the agent wrote to stderr, for who asks why it did not start. */
const ERRORS_BYTES_MAX = 2 * 1024;

export class AgentFold {
  readonly conversation: Conversation;
  readonly #options: AgentFoldOptions;
  readonly #journal: AgentJournal;
  readonly #errors = new OutputTail(ERRORS_BYTES_MAX);
  readonly #since = { records: 0, bytes: 0 };
  #keptBytes = 0;
  #keeping: Promise<void> | undefined;
  /** A checkpoint that was due is being written, or waits for the one before it. */
  #isDueKept = false;
  #activeAtMs = 0;

  private constructor(options: AgentFoldOptions, from: { conversation: Conversation; position?: JournalPosition }) {
    const { conversation, position } = from;
    this.#options = options;
    this.conversation = conversation;
    this.#journal = new AgentJournal({
      journalDir: options.journalDir,
      ...(position ? { from: position } : {}),
      onRecord: (record, segment) => this.#take(record, segment),
      onBatch: () => {
        options.onFolded?.();
        this.#keepIfDue();
      },
    });
  }

  /** Not read yet: `catchUp` does. */
  static async open(options: AgentFoldOptions): Promise<AgentFold> {
    const kept = await readConversation(options.directory);
    if (!kept) return new AgentFold(options, { conversation: new Conversation() });
    return new AgentFold(options, {
      conversation: Conversation.restore(kept.conversation),
      position: kept.position,
    });
  }

  /** Milliseconds since 1970 of the last thing that was said; 0 when nothing was, since the checkpoint. */
  get activeAtMs(): number {
    return this.#activeAtMs;
  }

  /** The end of what the agent wrote to stderr. */
  get errorsText(): string {
    return this.#errors.read().output.trim();
  }

  /** See `AgentJournal.catchUp`. */
  catchUp(): Promise<void> {
    return this.#journal.catchUp();
  }

  /** Writes a checkpoint. One that cannot be written costs time at the next start, nothing else. */
  async keep(): Promise<void> {
    const { directory, log } = this.#options;
    await this.#keeping;
    const { position } = this.#journal;
    if (!position) return;
    const conversation = this.conversation.snapshot();
    Object.assign(this.#since, { records: 0, bytes: 0 });
    this.#keeping = writeConversation(directory, { format: 1, position, conversation }).then(
      (bytes) => {
        this.#keptBytes = bytes;
      },
      (error) => log.warn("conversation_not_kept", { directory, error: messageOf(error) }),
    );
    await this.#keeping;
  }

  /** Folds nothing more, and resolves when nothing is being written. */
  async close(): Promise<void> {
    await this.#journal.close();
    await this.#keeping;
  }

  #take({ kind, offset, bytes, timeMs }: JournalRecord, segment: number): void {
    this.#since.records += 1;
    this.#since.bytes += bytes.length;
    switch (kind) {
      case RECORD.size:
        return this.#onSegment(segment, timeMs);
      case RECORD.output:
        this.#activeAtMs = timeMs;
        return this.conversation.onAgentBytes(offset, bytes, timeMs);
      case RECORD.input:
        this.#activeAtMs = timeMs;
        this.conversation.onClientBytes(offset, bytes.subarray(INPUT_SOURCE_BYTES), timeMs);
        return this.#options.onInput?.(Buffer.from(bytes.subarray(0, INPUT_SOURCE_BYTES)).toString("hex"));
      case RECORD.errors:
        return this.#errors.push(bytes);
      case RECORD.end:
        return this.conversation.onEnd(timeMs, exitOf(bytes));
    }
  }

  /** The `i`th start is of the program that has had `i + 1` before it. */
  #onSegment(segment: number, timeMs: number): void {
    const start = this.#options.starts.indexOf(segment);
    if (start !== -1 && this.conversation.life <= start) this.conversation.onEnd(timeMs);
  }

  #keepIfDue(): void {
    const { records, bytes } = this.#since;
    const isDue = records >= CHECKPOINT_RECORDS || bytes >= CHECKPOINT_BYTES;
    if (!isDue || this.#isDueKept || bytes * CHECKPOINT_SHARE < this.#keptBytes) return;
    this.#isDueKept = true;
    void this.keep().finally(() => {
      this.#isDueKept = false;
    });
  }
}

function exitOf(bytes: Uint8Array): Pick<ChannelExit, "code" | "signal"> | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as ChannelExit;
  } catch {
    return undefined; // written by a newer keeper
  }
}
