import type { Outcome } from "../protocol/outcome.ts";
import {
  decodePosition,
  decodeTerminalSize,
  encodeJson,
  encodePosition,
  encodeTerminalFrame,
  INPUT_FRAME_BYTES_MAX,
  TERMINAL_FRAME,
  type TerminalControl,
  TerminalFrameSplitter,
} from "../protocol/terminal-frames.ts";
import type { ByteStream } from "./byte-stream.ts";
import type { JournalPosition } from "./journal/journal-reader.ts";
import type { OutputReader } from "./output-reader.ts";

/**
 * One client that looks at a terminal. It reads the journal at its own place, so it never holds up the program or another client.
 *
 * - **live**: its size is the session's; it gets the program's bytes from where its screen was.
 * - **mirror**: its size is another; it gets pictures of the screen, cut to its size, at most `FRAMES_PER_SECOND`.
 *
 * Invariants
 * 1. A live client has seen exactly the state at `#offset`: output frames follow each other without a gap from the last screen on.
 * 2. Nothing is written while more than `BACKLOG_BYTES_MAX` wait for it to read. When it is more than `SKIP_BYTES` behind, it gets the newest screen instead.
 */
export const BACKLOG_BYTES_MAX = 512 * 1024;
const SKIP_BYTES = 4 * 1024 * 1024;
const FRAMES_PER_SECOND = 30;
const READ_BYTES = 128 * 1024;

export interface ScreenAt {
  /** Where in the journal the picture was taken. */
  position: JournalPosition;
  bytes: Uint8Array;
  /** The terminal's size there. */
  cols: number;
  rows: number;
}

/** What an attachment needs of its session. */
export interface AttachedTo {
  readonly size: { cols: number; rows: number };
  /** Bytes of output in the journal. */
  readonly outputBytes: number;
  screen(): Promise<ScreenAt>;
  render(cols: number, rows: number): Promise<ScreenAt>;
  /** `size`: the terminal's at that place. */
  openReader(from: number | JournalPosition, size: { cols: number; rows: number }): Promise<OutputReader | undefined>;
  /** It has begun to speak frames. */
  entered(attachment: Attachment): void;
  typed(attachment: Attachment, seq: number, bytes: Buffer): void;
  resized(attachment: Attachment): void;
  controlTaken(attachment: Attachment): void;
  left(attachment: Attachment): void;
}

export interface AttachmentOptions {
  client: string;
  label: string;
  isViewer: boolean;
  size: { cols: number; rows: number };
  stream: ByteStream;
  to: AttachedTo;
  /** Goes on after this offset, when it is still in the journal. */
  since?: number;
}

export class Attachment {
  readonly client: string;
  readonly label: string;
  readonly isViewer: boolean;
  size: { cols: number; rows: number };
  readonly #stream: ByteStream;
  readonly #to: AttachedTo;
  #offset = 0;
  #reader: OutputReader | undefined;
  /** What it shows is not the state at `#offset`. */
  #needsScreen = true;
  #seenFrom: number | undefined;
  #outcome: Outcome | undefined;
  /** Before, the connection speaks lines. */
  #isStarted = false;
  #isPumping = false;
  #again = false;
  #lastPictureMs = 0;
  readonly #told = Promise.withResolvers<void>();

  private constructor({ client, label, isViewer, size, stream, to }: AttachmentOptions) {
    this.client = client;
    this.label = label;
    this.isViewer = isViewer;
    this.size = size;
    this.#stream = stream;
    this.#to = to;
  }

  /** `continued`: it goes on where it was. The stream may be written to only after the caller has sent its answer: see `start`. */
  static async open(options: AttachmentOptions): Promise<{ attachment: Attachment; continued: boolean }> {
    const attachment = new Attachment(options);
    const { since, to, size } = options;
    if (since === undefined || since > to.outputBytes || to.outputBytes - since > SKIP_BYTES || !fits(size, to.size))
      return { attachment, continued: false };
    const reader = await to.openReader(since, size);
    if (!reader) return { attachment, continued: false };
    attachment.#reader = reader;
    attachment.#offset = since;
    attachment.#needsScreen = false;
    attachment.#seenFrom = 0;
    return { attachment, continued: true };
  }

  /** Begins to speak frames. */
  start(): void {
    const splitter = new TerminalFrameSplitter(INPUT_FRAME_BYTES_MAX);
    this.#stream.onBytes((bytes) => {
      try {
        for (const { type, payload } of splitter.push(bytes)) this.#take(type, payload);
      } catch {
        this.#stream.destroy(); // not our frames
      }
    });
    const onClosed = (): void => {
      this.#told.resolve();
      void this.#reader?.close();
      this.#to.left(this);
    };
    if (this.#stream.closed.aborted) onClosed();
    else this.#stream.closed.addEventListener("abort", onClosed, { once: true });
    this.#isStarted = true;
    this.#to.entered(this);
    this.advance();
  }

  /** There is more output, or another size. */
  advance(): void {
    this.#again = true;
    if (this.#isStarted && !this.#isPumping) void this.#pump();
  }

  /** The program has ended and all of its output is in the journal. */
  end(outcome: Outcome): void {
    this.#outcome = outcome;
    this.advance();
  }

  /**
   * The offset from which on its terminal gets the program's bytes, questions to the terminal among them; 0 when it has gone on where it was. Undefined
   * while it gets pictures.
   */
  get seenFrom(): number | undefined {
    return this.#seenFrom;
  }

  /** Resolves when the client has been sent the end, or is gone. */
  get told(): Promise<void> {
    return this.#told.promise;
  }

  tell(control: TerminalControl): void {
    this.#send(TERMINAL_FRAME.control, encodeJson(control));
  }

  ack(seq: number): void {
    this.#send(TERMINAL_FRAME.ack, encodePosition(seq));
  }

  /** Its input waits: reads no more from it, or again. */
  hold(isHeld: boolean): void {
    if (isHeld) this.#stream.pause();
    else this.#stream.resume();
  }

  /** Closes after what was sent; the client comes back, to whoever has the session then. */
  close(): void {
    this.#stream.end();
  }

  cutOff(): void {
    this.#stream.destroy();
  }

  #take(type: number, payload: Uint8Array): void {
    if (type === TERMINAL_FRAME.input) {
      if (this.isViewer) return;
      const { position, bytes } = decodePosition(payload);
      this.#to.typed(this, position, Buffer.from(bytes));
    } else if (type === TERMINAL_FRAME.resize) {
      this.size = decodeTerminalSize(payload);
      this.#to.resized(this);
      this.advance();
    } else if (type === TERMINAL_FRAME.control && !this.isViewer) {
      this.#to.controlTaken(this);
    }
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    try {
      while (this.#again && !this.#stream.closed.aborted) {
        this.#again = false;
        await this.#catchUp();
      }
      if (this.#outcome && !this.#stream.closed.aborted) {
        this.#send(TERMINAL_FRAME.end, encodeJson(this.#outcome));
        this.#told.resolve();
        this.#stream.end();
      }
    } catch {
      this.#stream.destroy(); // its session is going: the client comes back and is told
    } finally {
      this.#isPumping = false;
    }
  }

  async #catchUp(): Promise<void> {
    while (!this.#stream.closed.aborted) {
      if (this.#stream.backlogBytes > BACKLOG_BYTES_MAX) await this.#stream.drained();
      if (this.#stream.closed.aborted) return;
      if (!fits(this.size, this.#to.size)) return this.#paintPicture();
      if (this.#needsScreen || this.#to.outputBytes - this.#offset > SKIP_BYTES) await this.#paintScreen();
      else if (!(await this.#sendOutput())) return;
    }
  }

  async #paintScreen(): Promise<void> {
    const { position, bytes, cols, rows } = await this.#to.screen();
    this.#send(TERMINAL_FRAME.screen, encodePosition(position.offset), bytes);
    void this.#reader?.close();
    this.#reader = await this.#to.openReader(position, { cols, rows });
    this.#offset = position.offset;
    this.#seenFrom = position.offset;
    this.#needsScreen = false;
  }

  /** The next piece of output; false when there is none. */
  async #sendOutput(): Promise<boolean> {
    const piece = await this.#reader?.read(READ_BYTES);
    if (piece === undefined || piece.kind === "gone") {
      this.#needsScreen = true;
      return true;
    }
    if (piece.kind === "none") return false;
    if (piece.kind === "size") {
      this.#needsScreen = true; // how a terminal moves its lines at a resize is its own affair: begin anew
      return true;
    }
    this.#send(TERMINAL_FRAME.output, encodePosition(this.#offset), piece.bytes);
    this.#offset += piece.bytes.length;
    return true;
  }

  async #paintPicture(): Promise<void> {
    this.#needsScreen = true;
    this.#seenFrom = undefined;
    const waitMs = this.#lastPictureMs + 1000 / FRAMES_PER_SECOND - performance.now();
    if (waitMs > 0) await new Promise((wake) => setTimeout(wake, waitMs));
    this.#again = false;
    const { cols, rows } = this.size;
    const { position, bytes } = await this.#to.render(cols, rows);
    this.#lastPictureMs = performance.now();
    this.#send(TERMINAL_FRAME.screen, encodePosition(position.offset), bytes);
  }

  #send(type: number, ...parts: Uint8Array[]): void {
    if (this.#isStarted && !this.#stream.closed.aborted) this.#stream.write(encodeTerminalFrame(type, ...parts));
  }
}

const fits = (a: { cols: number; rows: number }, b: { cols: number; rows: number }): boolean =>
  a.cols === b.cols && a.rows === b.rows;
