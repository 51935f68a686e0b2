import { createWriteStream } from "node:fs";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { systemCode, WarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import { plural } from "../render/plural.ts";
import { sessionNamed, sessionTitle } from "../sessions/session-client.ts";
import { journalOf } from "../sessions/session-journal.ts";
import { castOf } from "../sessions/session-output.ts";
import { durationOf } from "../values.ts";

/** Longer pauses bore whoever looks at it. */
const IDLE_DEFAULT_MS = 2_000;

export const export_ = defineCommand({
  usage: ["export SESSION FILE [--idle DURATION]", "export SESSION -          (to standard output)"],
  details:
    "Writes what a session has shown, with its times and sizes, as an asciinema recording (asciicast v2). Pauses are shortened to two seconds.",
  examples: [
    { command: "warren export fox fox.cast", does: "then: asciinema play fox.cast" },
    { command: "warren export fox - --idle 1h | gzip > fox.cast.gz", does: "with its pauses" },
  ],
  options: { idle: { type: "string", value: "DURATION", description: "the longest pause that is kept; default: 2s" } },
  operands: { kinds: ["session", "file"], min: 2 },
  async run(context, { values, operands }) {
    const [reference = "", file = ""] = operands;
    const { output, cwd } = context;
    const idleMaxMs = durationOf("--idle", values.idle) ?? IDLE_DEFAULT_MS;
    const handle = await sessionNamed(context, reference, "export");
    const { client, id } = handle;
    const { session } = await client.request("session.get", { session: id });
    const lines = castOf(await journalOf(context, handle), session, {
      idleMaxMs,
    });
    if (file === "-") {
      for await (const line of lines) await output.bytes("stdout", `${line}\n`);
      return EXIT.ok;
    }
    const count = await writeLines(resolve(cwd, file), lines, `warren export ${reference} -`);
    output.line(`Exported ${sessionTitle(context, session)} to ${file}: ${plural(count, "line")}`);
    return EXIT.ok;
  },
});

async function writeLines(path: string, lines: AsyncIterable<string>, instead: string): Promise<number> {
  let count = 0;
  const text = async function* (): AsyncIterable<string> {
    for await (const line of lines) {
      count += 1;
      yield `${line}\n`;
    }
  };
  try {
    await pipeline(text, createWriteStream(path));
  } catch (error) {
    if (!systemCode(error)) throw error;
    throw new WarrenError("FILE_NOT_WRITTEN", `${path} could not be written: ${(error as Error).message}.`, {
      fix: instead,
      cause: error,
    });
  }
  return count;
}
