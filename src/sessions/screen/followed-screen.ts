import type { JournalEnd } from "../keeper-port.ts";
import { OutputReader } from "../output-reader.ts";
import { Emulator } from "./emulator.ts";
import type { ScreenEvent, ScreenLook, ScreenPicture, ScreenText } from "./screen-messages.ts";

/**
 * The screen of one session, made by following its journal. Whoever asks for a picture gets one that is at least as new as the end that they knew.
 */
const READ_BYTES = 128 * 1024;

export class FollowedScreen {
  readonly #journalDir: string;
  readonly #tell: (event: ScreenEvent) => void;
  #emulator: Emulator | undefined;
  #reader: OutputReader | undefined;
  #following: Promise<void> = Promise.resolve();
  #isFollowing = false;
  #again = false;
  #isClosed = false;

  constructor(journalDir: string, tell: (event: ScreenEvent) => void) {
    this.#journalDir = journalDir;
    this.#tell = tell;
  }

  /** There is more in the journal. */
  advance(_end: JournalEnd): void {
    this.#again = true;
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    this.#following = this.#follow().finally(() => {
      this.#isFollowing = false;
    });
  }

  async look(request: ScreenLook): Promise<ScreenPicture | ScreenText> {
    do {
      this.advance(request.end);
      await this.#following;
    } while (!this.#has(request.end) && !this.#isClosed);
    const emulator = this.#emulator;
    if (!emulator || !this.#reader) throw new Error("nothing was written yet");
    if (request.kind === "text") return emulator.text();
    const bytes = request.kind === "screen" ? emulator.screen() : emulator.render(request.cols, request.rows);
    return { position: this.#reader.position, bytes };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#following.catch(() => {});
    await this.#reader?.close();
    this.#emulator?.dispose();
  }

  #has({ segment, segmentBytes }: JournalEnd): boolean {
    const position = this.#reader?.position;
    return (
      position !== undefined &&
      (position.segment > segment || (position.segment === segment && position.at >= segmentBytes))
    );
  }

  async #follow(): Promise<void> {
    while (this.#again && !this.#isClosed) {
      this.#again = false;
      this.#reader ??= await OutputReader.open(this.#journalDir, "start");
      if (!this.#reader) return;
      await this.#read(this.#reader);
    }
  }

  async #read(reader: OutputReader): Promise<void> {
    while (!this.#isClosed) {
      const piece = await reader.read(READ_BYTES);
      if (piece.kind === "none") return;
      if (piece.kind === "gone") {
        await reader.close();
        this.#reader = undefined;
        this.#again = true;
        return;
      }
      if (piece.kind === "size") this.#resize(piece.cols, piece.rows);
      else await this.#emulator?.write(piece.bytes);
    }
  }

  #resize(cols: number, rows: number): void {
    if (this.#emulator) return this.#emulator.resize(cols, rows);
    this.#emulator = new Emulator(
      { cols, rows },
      {
        onTitle: (title) => this.#tell({ kind: "title", title }),
        onBell: () => this.#tell({ kind: "bell" }),
        onNotification: (text) => this.#tell({ kind: "notification", text }),
        onMark: (letter) => this.#tell({ kind: "mark", letter }),
      },
    );
  }
}
