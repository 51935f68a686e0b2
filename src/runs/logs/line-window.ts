import { type LogItem, type LogLine, type Omitted, printedBytes } from "./log-item.ts";

/** The last of many items, by number of lines or of bytes; what is dropped from the disk is passed on at once. */

export async function* lastLines(items: AsyncIterable<LogItem>, lineCount: number): AsyncGenerator<LogItem, void> {
  const ring: LogItem[] = [];
  let next = 0;
  for await (const item of items) {
    if (item.kind === "omitted") yield item;
    else if (lineCount > 0) ring[next++ % lineCount] = kept(item);
  }
  for (let index = Math.max(0, next - lineCount); index < next; index++) yield ring[index % lineCount]!;
}

/**
 * On line borders; only a last line that is longer than the limit by itself is cut. `skippedBytes` were left out already, unread, so the number of lines
 * that are missing is then unknown.
 */
export async function* lastBytes(
  items: AsyncIterable<LogItem>,
  runId: string,
  limitBytes: number,
  skippedBytes: number,
): AsyncGenerator<LogItem, void> {
  const lines = new LineWindow(limitBytes);
  for await (const item of items) {
    if (item.kind === "omitted") yield item;
    else lines.push(item);
  }
  lines.cutLast();
  const bytes = lines.omittedBytes + skippedBytes;
  if (bytes > 0) {
    const omitted: Omitted = { kind: "omitted", runId, reason: "limit", bytes };
    if (skippedBytes === 0) omitted.lines = lines.omittedLines;
    yield omitted;
  }
  yield* lines.items();
}

/** The last lines that fit into a number of bytes. */
class LineWindow {
  omittedBytes = 0;
  omittedLines = 0;
  readonly #limitBytes: number;
  #lines: LogLine[] = [];
  /** Lines before it have gone out of the window. */
  #first = 0;
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  push(line: LogLine): void {
    this.#lines.push(kept(line) as LogLine);
    this.#heldBytes += printedBytes(line);
    while (this.#heldBytes > this.#limitBytes && this.#first < this.#lines.length - 1) this.#omitFirst();
    if (this.#first > 1024 && this.#first * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(this.#first);
      this.#first = 0;
    }
  }

  /** When one line alone is longer than the limit, only its end is kept. */
  cutLast(): void {
    const surplusBytes = this.#heldBytes - this.#limitBytes;
    if (surplusBytes <= 0) return;
    const last = this.#lines.at(-1)!;
    const cutBytes = Math.min(surplusBytes, last.bytes.length);
    last.bytes = last.bytes.subarray(cutBytes);
    last.offsetBytes += cutBytes;
    this.omittedBytes += cutBytes;
  }

  *items(): Generator<LogLine, void> {
    for (let index = this.#first; index < this.#lines.length; index++) yield this.#lines[index]!;
  }

  #omitFirst(): void {
    const bytes = printedBytes(this.#lines[this.#first++]!);
    this.#heldBytes -= bytes;
    this.omittedBytes += bytes;
    this.omittedLines += 1;
  }
}

// A line is a view into the 256 kB that were read; one that is kept is copied, so that the rest can go.
const kept = (item: LogItem): LogItem => (item.kind === "line" ? { ...item, bytes: Buffer.from(item.bytes) } : item);
