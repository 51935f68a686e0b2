import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { readProcess } from "../platform/process.ts";
import { unreachable } from "../protocol/errors.ts";
import type { ChannelExit, KeeperChannel } from "../protocol/keeper-calls.ts";
import type { Outcome, SignalledBy } from "../protocol/outcome.ts";
import type { TerminalControl } from "../protocol/terminal-frames.ts";
import type { Session } from "../protocol/units.ts";
import { Activity, type ActivityState, isShell } from "./activity.ts";
import { type AttachedTo, Attachment, type ScreenAt } from "./attachment.ts";
import type { ByteStream } from "./byte-stream.ts";
import * as errors from "./errors.ts";
import type { JournalPosition } from "./journal/journal-reader.ts";
import type { JournalEnd, KeeperPort } from "./keeper-port.ts";
import { outcomeOfExit } from "./outcome-of-exit.ts";
import { OutputReader } from "./output-reader.ts";
import { QueryReplies } from "./query-replies.ts";
import type { SessionRecord } from "./record.ts";
import type { ScreenEvent } from "./screen/screen-messages.ts";
import type { Screens } from "./screen/screens.ts";
import { sourceFor } from "./stable-hash.ts";
import { TypingTurns } from "./typing-turns.ts";

/**
 * One live terminal: who looks at it, who types, what size it has, what its program is doing. The terminal itself is the keeper's; its output is in the
 * journal; its picture is the emulator's. So whatever is here can be lost at any moment, and the next generation builds it again.
 *
 * Invariants
 * 1. The size is that of the client that typed (or was attached alone) last; viewers have no say.
 * 2. Input goes to the keeper with the lease's epoch, under the client's own count: sent twice, it is taken once.
 * 3. The end is told once, after all output was read.
 */
export interface TerminalSessionOptions {
  record: SessionRecord;
  channel: KeeperChannel;
  journalDir: string;
  keeper: KeeperPort;
  screens: Screens;
  clock: Clock;
  log: Log;
  /** Who has sent the signal that ends it, as far as we did. */
  stoppedBy: () => SignalledBy;
  /** State, title, clients or size have changed. */
  onChange: () => void;
  onEnded: (exit: ChannelExit) => void;
}

/** Input of one client that waits, for the keeper or for somebody's paste; past it, the client is not read. */
const INPUT_WAITING_BYTES_MAX = 1024 * 1024;
/** Answers to the program's questions that wait for those before them; past it they are dropped, as a program that asks so much does not read them. */
const REPLIES_WAITING_BYTES_MAX = 16 * 1024;
const SIZE_MAX = 1000;
/** For the last output and the end to reach the clients. */
const TOLD_MS = 1_000;

export class TerminalSession implements AttachedTo {
  readonly record: SessionRecord;
  readonly #options: TerminalSessionOptions;
  readonly #channel: KeeperChannel;
  readonly #activity: Activity;
  readonly #turns: TypingTurns;
  readonly #replies: QueryReplies;
  readonly #attachments = new Map<string, Attachment>();
  /** By client, what it has typed and what the keeper has taken of it. */
  readonly #input = new Map<string, { typed: number; taken: number }>();
  /** Clients in the order in which they typed last; the last one has control. */
  readonly #typists: string[] = [];
  #end: JournalEnd;
  #title: string | undefined;
  #activeAtMs: number;
  #stopped = false;
  #repliesWaiting: Buffer = Buffer.alloc(0);
  #isReplying = false;
  #outcome: Outcome | undefined;

  constructor(options: TerminalSessionOptions) {
    const { record, channel, clock, keeper } = options;
    this.#options = options;
    this.record = record;
    this.#channel = channel;
    this.#end = { output: channel.output, segment: channel.segment, segmentBytes: channel.segmentBytes };
    this.#title = record.title;
    this.#activeAtMs = record.active_at_ms;
    this.#activity = new Activity({
      clock,
      isShell: isShell(record.command),
      isForeground: () => isForeground(channel.pid),
      onChange: () => options.onChange(),
    });
    this.#turns = new TypingTurns(clock, ({ client, seq, bytes }) =>
      keeper.write(channel.channel, { epoch: channel.epoch, source: client, offset: seq, bytes }),
    );
    this.#replies = new QueryReplies({
      clock,
      isTakenOver: channel.output > 0,
      seenFrom: () => this.#attachments.get(this.#controller ?? "")?.seenFrom,
      write: (bytes) => this.#reply(bytes),
    });
    keeper.listen(channel.channel, {
      onOutput: (end) => this.#onOutput(end),
      onExit: (exit) => this.#onExit(exit),
      onAck: (source, bytes) => this.#onAck(source, bytes),
      onRefused: (source, _, code) => this.#onRefused(source, code),
    });
    options.screens.open({ id: record.id, journalDir: options.journalDir, end: this.#end });
    if (channel.exit) queueMicrotask(() => this.#onExit(channel.exit as ChannelExit));
  }

  get size(): { cols: number; rows: number } {
    return { cols: this.#channel.cols, rows: this.#channel.rows };
  }

  get outputBytes(): number {
    return this.#end.output;
  }

  get state(): ActivityState {
    return this.#activity.state;
  }

  get channel(): KeeperChannel {
    return this.#channel;
  }

  /** The part of its view that only the live session knows. */
  live(): Pick<Session, "pid" | "state" | "cols" | "rows" | "client_count" | "viewer_count" | "output_bytes"> & {
    title?: string;
    attention?: string;
    activeAtMs: number;
  } {
    const viewers = [...this.#attachments.values()].filter(({ isViewer }) => isViewer).length;
    const { attention } = this.#activity;
    return {
      pid: this.#channel.pid,
      state: this.#activity.state,
      ...this.size,
      client_count: this.#attachments.size - viewers,
      viewer_count: viewers,
      output_bytes: this.#end.output,
      activeAtMs: this.#activeAtMs,
      ...(this.#title === undefined ? {} : { title: this.#title }),
      ...(attention === undefined ? {} : { attention }),
    };
  }

  /** `start` of the answer's attachment begins to speak frames: after the answer was sent. */
  async attach(request: {
    client: string;
    label: string;
    isViewer: boolean;
    cols: number;
    rows: number;
    since?: number;
    stream: ByteStream;
  }): Promise<{ attachment: Attachment; continued: boolean; inputBytes: number }> {
    const { client, cols, rows, stream, since } = request;
    if (this.#stopped) throw errors.sessionNotLive(this.record.name);
    checkSize(cols, rows);
    const inputBytes = request.isViewer ? 0 : await this.#inputBytesOf(client);
    const had = this.#controller === client;
    this.#attachments.get(client)?.cutOff(); // its connection before, of which nobody has told us yet
    const size = { cols, rows };
    const alone = ![...this.#attachments.values()].some((one) => !one.isViewer && one.client !== client);
    const controls = !request.isViewer && (alone || had);
    if (controls) await this.#takeSize(size);
    const { attachment, continued } = await Attachment.open({
      ...request,
      size,
      stream,
      to: this,
      ...(since === undefined ? {} : { since }),
    });
    this.#attachments.set(client, attachment);
    this.#input.set(client, { typed: inputBytes, taken: inputBytes });
    if (controls) {
      // Its connection before may have ended meanwhile, and somebody else have it since then.
      this.#controlBy(client);
      void this.#takeSize(size).catch(() => {});
    }
    this.#options.onChange();
    return { attachment, continued, inputBytes };
  }

  /** Writes as if it were typed, by nobody who has control for it. `source`: 16 hex digits; the same bytes under it are taken once. */
  send(source: string, bytes: Buffer): void {
    this.#activity.sent();
    this.#turns.push({ client: source, seq: 0, bytes });
  }

  async resize(cols: number, rows: number): Promise<void> {
    checkSize(cols, rows);
    await this.#takeSize({ cols, rows });
  }

  screen(): Promise<ScreenAt> {
    return this.#options.screens.screen(this.record.id);
  }

  render(cols: number, rows: number): Promise<ScreenAt> {
    return this.#options.screens.render(this.record.id, cols, rows);
  }

  openReader(from: number | JournalPosition, size?: { cols: number; rows: number }): Promise<OutputReader | undefined> {
    return OutputReader.open(this.#options.journalDir, from, size);
  }

  entered(attachment: Attachment): void {
    this.#tellControl();
    if (this.#outcome)
      attachment.end(this.#outcome); // it ended while the client was coming
    else if (this.#stopped) attachment.close();
  }

  typed(attachment: Attachment, seq: number, bytes: Buffer): void {
    const input = this.#input.get(attachment.client);
    if (!input) return;
    this.#controlBy(attachment.client);
    if (!sameSize(attachment.size, this.size)) void this.#takeSize(attachment.size).catch(() => {});
    this.#activity.input();
    this.#activeAtMs = this.#options.clock.wallMs();
    input.typed = Math.max(input.typed, seq + bytes.length);
    this.#turns.push({ client: attachment.client, seq, bytes });
    if (input.typed - input.taken > INPUT_WAITING_BYTES_MAX) attachment.hold(true);
  }

  resized(attachment: Attachment): void {
    if (!attachment.isViewer && this.#controller === attachment.client)
      void this.#takeSize(attachment.size).catch(() => {});
  }

  controlTaken(attachment: Attachment): void {
    this.#controlBy(attachment.client);
    void this.#takeSize(attachment.size).catch(() => {});
  }

  left(attachment: Attachment): void {
    if (this.#attachments.get(attachment.client) !== attachment) return; // it has come back meanwhile
    this.#attachments.delete(attachment.client);
    this.#input.delete(attachment.client);
    this.#turns.leave(attachment.client);
    const had = this.#controller === attachment.client;
    const at = this.#typists.indexOf(attachment.client);
    if (at !== -1) this.#typists.splice(at, 1);
    const next = this.#attachments.get(this.#controller ?? "");
    if (had && next) void this.#takeSize(next.size).catch(() => {});
    this.#tellControl();
    if (!this.#stopped) this.#options.onChange();
  }

  onScreen(event: ScreenEvent): void {
    switch (event.kind) {
      case "title":
        this.#title = event.title;
        return this.#options.onChange();
      case "bell":
        return this.#activity.bell();
      case "notification":
        return this.#activity.notification(event.text);
      case "mark":
        return this.#activity.mark(event.letter);
      case "reply":
        return this.#replies.push(event.text, event.offset ?? 0);
      default:
        return unreachable(event);
    }
  }

  /** Resolves when every client has been sent the end, or after a while: one that does not read is not waited for. */
  async told(): Promise<void> {
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#options.clock.timer(TOLD_MS, resolve);
    });
    await Promise.race([late, Promise.all([...this.#attachments.values()].map((attachment) => attachment.told))]);
    cancel();
  }

  /** Lets go of it; its program goes on. Clients come back to whoever has it next. */
  close(): void {
    this.#stopped = true;
    this.#activity.close();
    this.#turns.close();
    this.#replies.close();
    this.#options.keeper.forget(this.#channel.channel);
    for (const attachment of this.#attachments.values()) attachment.close();
  }

  #onOutput(end: JournalEnd): void {
    this.#activeAtMs = this.#options.clock.wallMs();
    this.#activity.output();
    this.#follow(end);
  }

  #follow(end: JournalEnd): void {
    // Output is told at once, an answer by its promise: the end in an answer may be older than what came behind it.
    if (isBehind(this.#end, end)) {
      this.#end = end;
      this.#options.screens.advance(this.record.id, end);
    }
    for (const attachment of this.#attachments.values()) attachment.advance();
  }

  #onExit(exit: ChannelExit): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#activity.close();
    this.#turns.close();
    this.#replies.close();
    this.#outcome = outcomeOfExit(exit, this.#options.stoppedBy());
    for (const attachment of this.#attachments.values()) attachment.end(this.#outcome);
    this.#options.onEnded(exit);
  }

  #reply(bytes: Buffer): void {
    const client = sourceFor(`${this.#channel.id} replies`);
    const waitingBytes = this.#repliesWaiting.length + this.#turns.waitingBytes(client);
    if (waitingBytes + bytes.length > REPLIES_WAITING_BYTES_MAX) return;
    this.#repliesWaiting = Buffer.concat([this.#repliesWaiting, bytes]);
    if (!this.#isReplying) void this.#sendReplies(client);
  }

  /** One after the other: each needs to know how much was sent before. What came meanwhile goes together. */
  async #sendReplies(client: string): Promise<void> {
    this.#isReplying = true;
    try {
      while (this.#repliesWaiting.length > 0 && !this.#stopped) {
        const waitingBytes = this.#turns.waitingBytes(client); // once written, they come behind the question: its answer is without them
        const sentBytes = await this.#inputBytesOf(client);
        if (this.#stopped) return;
        const bytes = this.#repliesWaiting;
        this.#repliesWaiting = Buffer.alloc(0);
        this.#turns.push({ client, seq: sentBytes + waitingBytes, bytes });
      }
    } catch {
      this.#repliesWaiting = Buffer.alloc(0); // whoever has it next does not owe them either
    } finally {
      this.#isReplying = false;
    }
  }

  #onAck(source: string, bytes: number): void {
    const input = this.#input.get(source);
    const attachment = this.#attachments.get(source);
    if (!input || !attachment) return;
    input.taken = Math.max(input.taken, bytes);
    attachment.ack(bytes);
    if (input.typed - input.taken <= INPUT_WAITING_BYTES_MAX / 2) attachment.hold(false);
  }

  /** Somebody else steers it now, or bytes are missing: the client finds out by coming back. */
  #onRefused(source: string, code: string): void {
    this.#options.log.warn("input_refused", { session: this.record.name, code });
    this.#attachments.get(source)?.cutOff();
  }

  get #controller(): string | undefined {
    return this.#typists.at(-1);
  }

  #controlBy(client: string): void {
    if (this.#controller === client) return;
    const at = this.#typists.indexOf(client);
    if (at !== -1) this.#typists.splice(at, 1);
    this.#typists.push(client);
    this.#tellControl();
  }

  async #takeSize(size: { cols: number; rows: number }): Promise<void> {
    if (sameSize(size, this.size) || size.cols < 1 || size.rows < 1) return;
    const { id, epoch } = this.#channel;
    this.#channel.cols = Math.min(size.cols, SIZE_MAX);
    this.#channel.rows = Math.min(size.rows, SIZE_MAX);
    const { output, segment, segmentBytes } = await this.#options.keeper.call({
      call: "resize",
      id,
      epoch,
      ...this.size,
    });
    this.#follow({ output, segment, segmentBytes });
    this.#tellControl();
  }

  #tellControl(): void {
    const controller = this.#attachments.get(this.#controller ?? "");
    const { client_count, viewer_count } = this.live();
    for (const attachment of this.#attachments.values()) {
      const control: TerminalControl = {
        ...(controller ? { controller: controller.label } : {}),
        yours: attachment === controller,
        ...this.size,
        clients: client_count,
        viewers: viewer_count,
        ...(this.#title === undefined ? {} : { title: this.#title }),
      };
      attachment.tell(control);
    }
  }

  async #inputBytesOf(client: string): Promise<number> {
    const { bytes } = await this.#options.keeper.call({ call: "input.seen", id: this.#channel.id, source: client });
    return bytes;
  }
}

function checkSize(cols: number, rows: number): void {
  if (cols < 1 || rows < 1 || cols > SIZE_MAX || rows > SIZE_MAX) throw errors.sizeInvalid(cols, rows);
}

const sameSize = (a: { cols: number; rows: number }, b: { cols: number; rows: number }): boolean =>
  a.cols === b.cols && a.rows === b.rows;

const isBehind = (a: JournalEnd, b: JournalEnd): boolean =>
  a.segment === b.segment ? a.segmentBytes < b.segmentBytes : a.segment < b.segment;

function isForeground(pid: number): boolean | undefined {
  const group = readProcess(pid)?.foregroundGroup;
  return group === undefined || group <= 0 ? undefined : group === pid;
}
