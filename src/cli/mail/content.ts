import { WarrenError } from "../../protocol/errors.ts";
import type { OptionSpec } from "../command.ts";
import { usageError } from "../usage-error.ts";

/** What a message says, from the command line: a word, standard input for `-`, and data for programs beside it. */
export const CONTENT_OPTIONS = {
  subject: { type: "string", short: "s", value: "TEXT", description: "what it is about" },
  data: { type: "string", value: "JSON", description: "an object for programs, beside the text" },
} as const satisfies Record<string, OptionSpec>;

/** Of body and data together; the leader refuses what is longer. */
const CONTENT_BYTES_MAX = 1024 * 1024;

export interface Content {
  body: string;
  subject?: string;
  data?: Record<string, unknown>;
}

/** @throws USAGE, MESSAGE_TOO_LARGE */
export async function contentOf(
  text: string,
  { subject, data }: { subject?: string; data?: string },
  example: string,
): Promise<Content> {
  const body = text === "-" ? await standardInput() : text;
  const fields = data === undefined ? undefined : objectOf(data);
  if (body.trim() === "" && fields === undefined) throw usageError("The message is empty.", example);
  const bytes = Buffer.byteLength(body) + (fields === undefined ? 0 : Buffer.byteLength(JSON.stringify(fields)));
  if (bytes > CONTENT_BYTES_MAX) throw tooLarge(bytes);
  return { body, ...(subject === undefined ? {} : { subject }), ...(fields === undefined ? {} : { data: fields }) };
}

function objectOf(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw usageError(`--data ${text} is no JSON. Write --data '{"branch":"main"}'.`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw usageError(`--data takes an object, not ${text}. Write --data '{"value":${text}}'.`);
}

async function standardInput(): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of process.stdin) {
    parts.push(part as Buffer);
    bytes += (part as Buffer).length;
    if (bytes > CONTENT_BYTES_MAX) throw tooLarge(bytes);
  }
  return Buffer.concat(parts).toString("utf8");
}

const tooLarge = (bytes: number): WarrenError =>
  new WarrenError(
    "MESSAGE_TOO_LARGE",
    `The message has ${bytes} bytes or more; at most ${CONTENT_BYTES_MAX} are sent.`,
    {
      fix: "warren mail send fox 'see /path/to/file'      # put it into a file, and say where it is",
    },
  );
