import { type Positions, STREAMS, type Stream } from "./files.ts";
import { endOf, type Gap, LineReader, type RawLine } from "./line-reader.ts";
import type { LogItem, LogLine } from "./log-item.ts";
import type { RunLog } from "./log-source.ts";

/**
 * Merges a run's two streams into the order in which they were written, as far as it is known.
 *
 * A line belongs to the first record of the order index that covers its last byte. Lines come by record; within a record, and for bytes that no
 * record covers, stdout comes before stderr; within a stream, by offset, always. Lines are never cut where the index cuts, and the order of two
 * lines does not depend on where reading began.
 *
 * `lines` can be called again when the log has grown. The log's order index must be loaded from `from` or before.
 */
export class Merger {
  readonly #log: RunLog;
  readonly #readers: LineReader[];

  constructor(log: RunLog, streams: readonly Stream[], from: Positions) {
    this.#log = log;
    this.#readers = STREAMS.filter((stream) => streams.includes(stream)).map(
      (stream) => new LineReader(log[stream], from[stream]),
    );
  }

  /** The whole lines that end at or before `until`; with `unterminated`, also what stands behind each stream's last newline. */
  async *lines(until: Positions, { unterminated = false } = {}): AsyncGenerator<LogItem, void> {
    for (;;) {
      let first: LineReader | undefined;
      let firstItem: RawLine | Gap | undefined;
      let firstSegment = 0;
      for (const reader of this.#readers) {
        const item = await reader.peek(until[reader.log.stream], unterminated);
        if (item === undefined) continue;
        const segment = this.#segmentOf(reader, item);
        if (first !== undefined && segment >= firstSegment) continue;
        [first, firstItem, firstSegment] = [reader, item, segment];
      }
      if (first === undefined || firstItem === undefined) return;
      first.shift();
      yield this.#itemOf(first, firstItem, firstSegment);
    }
  }

  #segmentOf(reader: LineReader, item: RawLine | Gap): number {
    // What is dropped is said before what follows in either stream.
    return item.kind === "gap" ? -1 : this.#log.order.segmentOf(reader.log.stream, endOf(item));
  }

  #itemOf(reader: LineReader, item: RawLine | Gap, segment: number): LogItem {
    const { stream } = reader.log;
    const { runId } = this.#log;
    if (item.kind === "gap") {
      return { kind: "omitted", runId, stream, reason: "dropped", bytes: item.lengthBytes, resumeBytes: endOf(item) };
    }
    const timeMs = this.#log.order.timeOf(segment);
    const line: LogLine = { runId, stream, ...item };
    if (timeMs !== undefined) line.timeMs = timeMs;
    return line;
  }
}
