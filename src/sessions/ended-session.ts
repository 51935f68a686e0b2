import type { Outcome } from "../protocol/outcome.ts";
import type { AttachedTo, Attachment, ScreenAt } from "./attachment.ts";
import type { JournalPosition } from "./journal/journal-reader.ts";
import { OutputReader } from "./output-reader.ts";

/**
 * A session that ended while a client was away: it gets the output that it has not seen, and how it ended. Nothing can be typed, and the journal grows
 * no more.
 */
export class EndedSession implements AttachedTo {
  readonly size: { cols: number; rows: number };
  readonly outputBytes: number;
  readonly #journalDir: string;
  readonly #outcome: Outcome;

  constructor(options: {
    journalDir: string;
    size: { cols: number; rows: number };
    outputBytes: number;
    outcome: Outcome;
  }) {
    this.size = options.size;
    this.outputBytes = options.outputBytes;
    this.#journalDir = options.journalDir;
    this.#outcome = options.outcome;
  }

  openReader(from: number | JournalPosition, size: { cols: number; rows: number }): Promise<OutputReader | undefined> {
    return OutputReader.open(this.#journalDir, from, size);
  }

  /** Its last screen is nobody's any more: a client that is too far behind is told of the end alone. */
  async screen(): Promise<ScreenAt> {
    return { position: { segment: 0, at: 0, offset: this.outputBytes }, bytes: new Uint8Array(), ...this.size };
  }

  render(): Promise<ScreenAt> {
    return this.screen();
  }

  entered(attachment: Attachment): void {
    attachment.end(this.#outcome);
  }

  typed(): void {}
  resized(): void {}
  controlTaken(): void {}
  left(): void {}
}
