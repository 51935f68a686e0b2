import type { LogLine } from "./log-item.ts";

/** Lines of several runs in one stream of output, as gob prints them: `[4xc] line`; with colour the tag of a stderr line is yellow. */

const YELLOW = "\x1b[33m";
const DEFAULT_COLOUR = "\x1b[39m";
const NEWLINE = Buffer.from("\n");

export interface PrefixOptions {
  /** A job's id or name. */
  tag: string;
  colour: boolean;
}

/** The line with its tag and a newline, whether it had one or not; its own bytes are passed on as they are. */
export function prefixedLine(line: Pick<LogLine, "stream" | "bytes">, { tag, colour }: PrefixOptions): Buffer {
  const label = colour && line.stream === "stderr" ? `${YELLOW}[${tag}]${DEFAULT_COLOUR} ` : `[${tag}] `;
  return Buffer.concat([Buffer.from(label), line.bytes, NEWLINE]);
}

/** The line's bytes as the job wrote them: with a newline only where there was one. */
export const rawLine = (line: Pick<LogLine, "bytes" | "complete">): Buffer =>
  line.complete ? Buffer.concat([line.bytes, NEWLINE]) : line.bytes;
