import type { Clock } from "../../platform/clock.ts";
import { decodeSize, type JournalRecord, RECORD, SEGMENT_BYTES } from "../../protocol/journal-records.ts";
import { type JournalPosition, JournalReader } from "../journal/journal-reader.ts";
import type { JournalEnd } from "../keeper-port.ts";
import { Emulator, type EmulatorEvents } from "./emulator.ts";
import { PlainTail } from "./plain-tail.ts";
import type { PlacedText, ScreenEvent, ScreenLook, ScreenPicture } from "./screen-messages.ts";
import { loadSnapshot, saveSnapshot } from "./snapshot.ts";

/**
 * The screen of one session, made by following its journal, a slice at a time. Asleep, it is a place in the journal and a snapshot on disk.
 *
 * Invariants
 * 1. The emulator is in the state after `#position`; what `#tail` keeps back comes before a look at it and before it sleeps.
 * 2. Steps, sleep and close do not overlap: one who owns all screens calls them in turn.
 */
export interface FollowedScreenOptions {
  journalDir: string;
  /** What is in the journal already: others have told of it. */
  end: JournalEnd;
  /** Read into; shared, since only one takes a step at a time. */
  buffer: Buffer;
  clock: Clock;
  tell: (event: ScreenEvent) => void;
}

/** One step: about 3 ms of emulation. */
const SLICE_BYTES = 256 * 1024;
/** Answers that one step gives; what a program asks beyond it stays without an answer. All 256 colours are 7 kB. */
const STEP_REPLY_BYTES_MAX = 16 * 1024;
/** Of OSC 133, those that say something of a command. */
const MARK_LETTERS: ReadonlySet<string> = new Set("ABCD");
/** Further behind, plain text that scrolls away is passed over. */
const SKIP_BEHIND_BYTES = 1024 * 1024;

export class FollowedScreen {
  readonly #options: FollowedScreenOptions;
  readonly #reader: JournalReader;
  #end: JournalEnd;
  #position: JournalPosition | undefined;
  #emulator: Emulator | undefined;
  #tail: PlainTail | undefined;
  /** There was nothing more although there should have been: not again before the next news. */
  #isDry = false;
  #savedOffset = 0;
  #hasToldTitle = false;
  /** Output up to here was given to the emulator, or is being given. */
  #fedTo = 0;
  /** Bells and notifications up to here were told: by this one, or by whoever had the session before. */
  #toldTo: number;
  /** Of this step. */
  #replyBytes = 0;
  /** By kind, what is told at the end of this step: the last ones, in their order. */
  readonly #untold = new Map<string, ScreenEvent>();
  /** The last output that was news, or look. */
  usedAtMs: number;
  /** The last output that was news. */
  outputAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: FollowedScreenOptions) {
    this.#options = options;
    this.#end = options.end;
    this.#toldTo = options.end.output;
    this.#reader = new JournalReader(options.journalDir, options.buffer);
    this.usedAtMs = options.clock.monotonicMs();
  }

  get isAwake(): boolean {
    return this.#emulator !== undefined;
  }

  /** There is more in the journal. */
  get isBehind(): boolean {
    return !this.#isDry && !this.has(this.#end);
  }

  /** Bytes of output that would be read again after a crash. */
  get unsavedBytes(): number {
    return this.#emulator && this.#position ? this.#position.offset - this.#savedOffset : 0;
  }

  advance(end: JournalEnd): void {
    this.#end = end;
    this.#isDry = false;
  }

  /** Whether it is as new as that, or as new as it will be. */
  has({ segment, segmentBytes }: JournalEnd): boolean {
    if (this.#position === undefined) return false;
    return this.#position.segment === segment ? this.#position.at >= segmentBytes : this.#position.segment > segment;
  }

  /** Whether nothing is left to do for a look at that. */
  isReadyFor(end: JournalEnd): boolean {
    return this.#isDry || (this.isAwake && this.has(end));
  }

  /** Reads on by a slice. It wakes up for that, and for `isLookedAt`. */
  async step(isLookedAt: boolean): Promise<void> {
    this.#replyBytes = 0;
    try {
      await this.#step(isLookedAt);
    } finally {
      for (const event of this.#untold.values()) this.#options.tell(event);
      this.#untold.clear();
    }
  }

  async #step(isLookedAt: boolean): Promise<void> {
    if (!this.#emulator && (await this.#wake(isLookedAt)) === "asleep") return;
    const position = this.#position ?? (await this.#reader.start());
    const read = position && (await this.#reader.read(position, SLICE_BYTES));
    if (!read || read.kind === "none") {
      this.#isDry = true;
      return;
    }
    if (read.kind === "gap") {
      this.#flush();
      this.#emulator?.interrupt();
    } else {
      if (isNextProgram(position, read.position)) {
        this.#flush();
        this.#emulator?.startProgram();
      }
      this.#position = read.position; // passed over, if it cannot be taken
      this.#take(read.records);
    }
    this.#position = read.position;
    if (this.#end.output - read.position.offset <= SKIP_BEHIND_BYTES) this.#flush();
    if (read.position.offset > this.#options.end.output) {
      this.outputAtMs = this.#options.clock.monotonicMs();
      this.usedAtMs = this.outputAtMs;
    }
  }

  look(request: ScreenLook): ScreenPicture | PlacedText {
    const emulator = this.#emulator;
    if (!emulator || !this.#position) throw screenUnavailable();
    this.#flush();
    this.usedAtMs = this.#options.clock.monotonicMs();
    if (request.kind === "text") return { ...emulator.text(request), offset: this.#position.offset };
    const bytes = request.kind === "screen" ? emulator.screen() : emulator.render(request.cols, request.rows);
    return { position: this.#position, bytes, ...emulator.size, title: emulator.title };
  }

  async save(): Promise<void> {
    const position = this.#position;
    if (!this.#emulator || !position || position.offset === this.#savedOffset) return;
    this.#flush();
    await saveSnapshot(this.#options.journalDir, {
      position,
      ...this.#emulator.size,
      title: this.#emulator.title,
      screen: this.#emulator.screen(),
    });
    this.#savedOffset = position.offset;
  }

  /** Saves it, and gives up its memory. */
  async sleep(): Promise<void> {
    await this.save().catch(() => {}); // no room, or no directory any more: it is made from what the journal has
    this.#giveUp();
    await this.#reader.close();
  }

  /** After an error: begins anew, with an empty screen, behind what it could not take, with the next news. */
  async recover(): Promise<void> {
    const { cols, rows } = this.#emulator?.size ?? { cols: 80, rows: 24 };
    this.#giveUp();
    await this.#reader.close();
    if (this.#position) this.#emulator = this.#newEmulator(cols, rows);
    this.#isDry = true;
  }

  /** From the last snapshot, or else from the beginning of the journal. */
  async #wake(isLookedAt: boolean): Promise<"awake" | "asleep"> {
    const snapshot = await loadSnapshot(this.#options.journalDir);
    this.#position = undefined;
    this.#savedOffset = 0;
    if (!snapshot || !(await this.#fits(snapshot.position))) return "awake";
    const { position, cols, rows, title, screen } = snapshot;
    this.#position = position;
    this.#savedOffset = position.offset;
    this.#fedTo = position.offset;
    if (!this.#hasToldTitle && title !== "") this.#tellLater("title", { kind: "title", title });
    this.#hasToldTitle = true;
    if (!isLookedAt && this.has(this.#end)) {
      await this.#reader.close();
      return "asleep";
    }
    this.#emulator = this.#newEmulator(cols, rows);
    this.#emulator.restore(screen);
    return "awake";
  }

  /** Whether there is a record there, or the end, or it was there before the oldest segments went. */
  async #fits(position: JournalPosition): Promise<boolean> {
    const { segment, segmentBytes, output } = this.#end;
    if (position.offset > output || position.segment > segment) return false;
    if (position.segment === segment && position.at >= segmentBytes) return position.at === segmentBytes;
    const read = await this.#reader.read(position, SLICE_BYTES);
    if (read.kind !== "records") return read.kind === "gap" && read.position.offset >= position.offset;
    const [first] = read.records;
    return first !== undefined && (first.kind === RECORD.input || first.offset === position.offset);
  }

  #take(records: readonly JournalRecord[]): void {
    let parts: Uint8Array[] = [];
    const feed = (before: number): void => {
      if (parts.length > 0) this.#feed(parts.length === 1 ? parts[0]! : Buffer.concat(parts), before);
      parts = [];
    };
    let offset = 0;
    for (const { kind, bytes, offset: at } of records) {
      offset = at;
      if (kind === RECORD.size) {
        feed(offset);
        this.#resize(bytes);
      } else if (kind === RECORD.output) {
        if (offset === this.#toldTo) feed(offset); // from here on, everything is news
        parts.push(bytes);
        offset += bytes.length;
      }
    }
    feed(offset);
  }

  /** `offset`: behind them. */
  #feed(bytes: Uint8Array, offset: number): void {
    const emulator = this.#emulator;
    if (!emulator) return;
    this.#fedTo = offset;
    if (!this.#tail && this.#end.output - offset > SKIP_BEHIND_BYTES && emulator.scrollsPlainly)
      this.#tail = new PlainTail(emulator.size.rows);
    if (!this.#tail?.push(bytes)) {
      this.#flush();
      emulator.write(bytes);
    }
    this.#toldTo = Math.max(this.#toldTo, offset);
  }

  #flush(): void {
    if (this.#emulator) this.#tail?.flush(this.#emulator);
    this.#tail = undefined;
  }

  #resize(bytes: Uint8Array): void {
    const size = decodeSize(bytes);
    const cols = Math.max(1, size.cols);
    const rows = Math.max(1, size.rows);
    if (!this.#emulator) {
      this.#emulator = this.#newEmulator(cols, rows);
      return;
    }
    if (cols === this.#emulator.size.cols && rows === this.#emulator.size.rows) return; // each segment begins with it
    this.#flush();
    this.#emulator.resize(cols, rows);
  }

  #giveUp(): void {
    this.#emulator?.dispose();
    this.#emulator = undefined;
    this.#tail = undefined;
    this.#isDry = false;
  }

  #newEmulator(cols: number, rows: number): Emulator {
    const events: EmulatorEvents = {
      onTitle: (title) => this.#tellLater("title", { kind: "title", title }),
      onBell: () => this.#tellNews({ kind: "bell" }),
      onNotification: (text) => this.#tellNews({ kind: "notification", text }),
      onReply: (text) => this.#reply(text),
      onMark: (letter, status) => this.#mark(letter, status),
    };
    return new Emulator({ cols, rows }, events);
  }

  /** However often a program says it in a step, it is told once, as it was said last. */
  #tellLater(kind: string, event: ScreenEvent): void {
    this.#untold.delete(kind);
    this.#untold.set(kind, { ...event, offset: this.#fedTo });
  }

  /** What calls for a user's attention, once. */
  #tellNews(event: ScreenEvent): void {
    if (this.#isNews) this.#tellLater(event.kind, event);
  }

  /** The last of each letter: a command that began and ended in one step is still seen to begin. */
  #mark(letter: string, status: number | undefined): void {
    if (!MARK_LETTERS.has(letter)) return;
    this.#tellLater(`mark ${letter}`, { kind: "mark", letter, ...(status === undefined ? {} : { status }) });
  }

  #reply(text: string): void {
    if (!this.#isNews || this.#replyBytes + text.length > STEP_REPLY_BYTES_MAX) return;
    this.#replyBytes += text.length;
    this.#options.tell({ kind: "reply", text, offset: this.#fedTo });
  }

  get #isNews(): boolean {
    return this.#fedTo > this.#toldTo;
  }
}

/** A segment that is not full is followed by another one only when another program goes on in it. */
const isNextProgram = (before: JournalPosition | undefined, after: JournalPosition): boolean =>
  before !== undefined && before.segment !== after.segment && before.at <= SEGMENT_BYTES;

const screenUnavailable = (): Error => new Error("nothing was written yet");
