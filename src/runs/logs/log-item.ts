import type { Stream } from "./files.ts";

/** What readers of logs are given: lines, and where lines are missing. */

export interface LogLine {
  kind: "line";
  runId: string;
  stream: Stream;
  /** Absolute offset of the first byte in its stream. */
  offsetBytes: number;
  /** Without the newline; any bytes. */
  bytes: Buffer;
  /** A newline ended it. False: the last line as it stands now, a piece (see `continues`), or a line whose rest is dropped. */
  complete: boolean;
  /** The line goes on in this stream's next item, because it is longer than 16 MiB or was cut by a limit on bytes. */
  continues: boolean;
  /** Wall time at which it was seen, true to 100 ms; absent where no server watched. */
  timeMs?: number;
}

/** Output that is not shown here. */
export interface Omitted {
  kind: "omitted";
  runId: string;
  /** Absent when both streams are meant. */
  stream?: Stream;
  /** `dropped`: gone from the disk (a cap). `limit`: left out because a limit on bytes was given. */
  reason: "dropped" | "limit";
  bytes: number;
  /** Known only where the lines were read. */
  lines?: number;
  /** For `dropped`: where its stream goes on. */
  resumeBytes?: number;
}

export type LogItem = LogLine | Omitted;

/** The absolute offset after a line: where its stream is continued. */
export const endOfLine = (line: LogLine): number => line.offsetBytes + printedBytes(line);

/** Its bytes in the file: with the newline, when it has one. */
export const printedBytes = (line: LogLine): number => line.bytes.length + (line.complete ? 1 : 0);
