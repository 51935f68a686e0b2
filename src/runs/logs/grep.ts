import { messageOf, WarrenError } from "../../protocol/errors.ts";

/** True for a line that is wanted. */
export type LineTest = (bytes: Buffer) => boolean;

/** A regular expression is tried on this much of a line; text behind it is not looked at. */
const TESTED_BYTES_MAX = 64 * 1024;
const FLAGS = "isuv";

/**
 * What `--grep` means: `/source/flags` is a regular expression (flags i, s, u, v), tried on the first 64 kB of a line; anything else is looked for as it
 * stands, byte for byte, in the whole line. A pattern that backtracks without end is the user's own: it runs in the user's process.
 * @throws PATTERN_INVALID
 */
export function parseGrep(text: string): LineTest {
  const match = /^\/(.+)\/([a-z]*)$/s.exec(text);
  if (match === null) {
    const wanted = Buffer.from(text);
    return (bytes) => bytes.includes(wanted);
  }
  const pattern = compile(text, match[1]!, match[2]!);
  return (bytes) => pattern.test(bytes.toString("utf8", 0, Math.min(bytes.length, TESTED_BYTES_MAX)));
}

function compile(text: string, source: string, flags: string): RegExp {
  const unknown = [...flags].find((flag) => !FLAGS.includes(flag));
  if (unknown !== undefined) {
    throw new WarrenError(
      "PATTERN_INVALID",
      `The pattern ${text} has the flag "${unknown}"; known are i, s, u and v.`,
      {
        fix: `--grep '/${source}/i'`,
      },
    );
  }
  try {
    return new RegExp(source, flags);
  } catch (cause) {
    throw new WarrenError("PATTERN_INVALID", `The pattern ${text} is not valid: ${messageOf(cause)}.`, {
      fix: "--grep 'plain text'",
      cause,
    });
  }
}
