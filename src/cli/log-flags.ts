import { STREAMS, type Stream } from "../runs/logs/files.ts";
import { type LineTest, parseGrep } from "../runs/logs/grep.ts";
import { parseSince } from "../runs/logs/since.ts";
import type { OptionSpecs, Values } from "./command.ts";
import type { Context } from "./context.ts";
import { usageError } from "./usage-error.ts";
import { countOf, sizeOf } from "./values.ts";

/** Which part of the logs is wanted. */
export const LOG_OPTIONS = {
  tail: { type: "string", short: "n", value: "N", description: "the last N lines" },
  since: { type: "string", value: "TIME", description: "what came since 10m, 14:30 or an RFC 3339 time" },
  grep: { type: "string", value: "PATTERN", description: "lines with this text, or that match /RE/i" },
  stream: { type: "string", value: "STREAM", choices: STREAMS, description: "stdout or stderr alone" },
  cursor: {
    type: "string",
    optional: "default",
    value: "NAME",
    description: "what this reader has not seen yet; --cursor=NAME for several readers",
  },
  "max-bytes": {
    type: "string",
    value: "SIZE",
    description: "at most this much; the oldest is left out, with a cursor the newest",
  },
  run: { type: "string", value: "RUN", description: "an earlier run instead of the last one" },
  follow: { type: "boolean", short: "f", description: "wait for more until the run ends" },
  json: { type: "boolean", description: "print a JSON object for each line" },
} as const satisfies OptionSpecs;

export interface LogSelection {
  streams: readonly Stream[];
  tailLines: number | undefined;
  sinceMs: number | undefined;
  grep: LineTest | undefined;
  maxBytes: number | undefined;
  cursor: string | undefined;
  follow: boolean;
  json: boolean;
}

/** @throws USAGE, SINCE_INVALID, PATTERN_INVALID */
export function logSelectionOf(context: Context, values: Values<typeof LOG_OPTIONS>): LogSelection {
  const { since, grep, stream, cursor, follow = false, json = false } = values;
  if (follow && values["max-bytes"] !== undefined) throw usageError("--max-bytes and --follow exclude each other.");
  return {
    streams: stream === undefined ? STREAMS : [stream as Stream],
    tailLines: countOf("--tail", values.tail),
    sinceMs: since === undefined ? undefined : parseSince(since, context.nowMs()),
    grep: grep === undefined ? undefined : parseGrep(grep),
    maxBytes: sizeOf("--max-bytes", values["max-bytes"]),
    cursor,
    follow,
    json,
  };
}
