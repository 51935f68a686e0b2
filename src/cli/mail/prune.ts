import { createInterface } from "node:readline/promises";
import type { Client } from "../../client/client.ts";
import { formatBytes } from "../../protocol/durations.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { usageError } from "../usage-error.ts";
import { durationOf } from "../values.ts";
import { messagesText } from "./message-text.ts";
import { openMail } from "./open-mail.ts";

const OLDER_THAN = "30d";
const DAY_MS = 24 * 3_600_000;

export const prune = defineCommand({
  usage: ["mail prune [--older-than DURATION] [--dry-run] [--yes] [--json]"],
  details: `Removes messages that are over: handled, replied, expired or dead at each of their recipients, since ${OLDER_THAN} or more. What somebody has not acknowledged stays, however old.
Mail goes on meanwhile. Their room is used for what comes; the file does not shrink. By itself the mailbox removes nothing, unless WARREN_MAIL_KEEP=90d says so.`,
  examples: [
    { command: "warren mail prune --dry-run", does: "says how many that would be" },
    { command: "warren mail prune --older-than 90d --yes", does: "without asking" },
    { command: "warren mail backup /backup/mail.db", does: "first, to have them all the same" },
  ],
  options: {
    "older-than": {
      type: "string",
      value: "DURATION",
      description: `over for so long (default ${OLDER_THAN}; 1d or more)`,
    },
    "dry-run": { type: "boolean", description: "remove nothing, and say how many there are" },
    yes: { type: "boolean", short: "y", description: "do not ask" },
    json: JSON_OPTION,
  },
  operands: { kinds: [], min: 0 },
  async run(context, { values }) {
    const { output } = context;
    const text = values["older-than"] ?? OLDER_THAN;
    const olderMs = durationOf("--older-than", text)!;
    if (olderMs < DAY_MS)
      throw usageError(
        `--older-than ${text} is less than a day, in which a message may still be sent again. Write --older-than 1d.`,
      );
    const client = openMail(context);
    const isDry = values["dry-run"] === true;
    const asks = output.isTerminal && process.stdin.isTTY && !values.yes && !values.json;
    if (isDry || asks) {
      const found = await pruned(client, olderMs, true);
      if (isDry || found.messages === 0) {
        if (values.json) output.json({ ...found, dry_run: true });
        else output.line(found.messages === 0 ? `Nothing is over for ${text}` : `${told(found)} would be removed`);
        return EXIT.ok;
      }
      if (!(await isSure(`Remove ${told(found)} for good? [y/N] `))) {
        output.line("Nothing was removed");
        return EXIT.ok;
      }
    }
    const removed = await pruned(client, olderMs, false);
    if (values.json) output.json({ ...removed, dry_run: false });
    else output.line(removed.messages === 0 ? `Nothing is over for ${text}` : `${told(removed)} removed`);
    return EXIT.ok;
  },
});

interface Pruned {
  messages: number;
  bytes: number;
}

/** Part by part: between two of them others are served. */
async function pruned(client: Client, olderMs: number, isDry: boolean): Promise<Pruned> {
  const total: Pruned = { messages: 0, bytes: 0 };
  for (let after: number | undefined = 0; after !== undefined; ) {
    const part: Pruned & { next?: number | undefined } = await client.request("mail.prune", {
      older_than_ms: olderMs,
      after,
      ...(isDry ? { dry_run: true } : {}),
    });
    total.messages += part.messages;
    total.bytes += part.bytes;
    after = part.next;
  }
  return total;
}

const told = ({ messages, bytes }: Pruned): string => `${messagesText(messages)} (${formatBytes(bytes)})`;

/** Ctrl-C and the end of the input say no. */
async function isSure(question: string): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new AbortController();
  asking.once("close", () => closed.abort());
  try {
    return /^y(es)?$/i.test((await asking.question(question, { signal: closed.signal })).trim());
  } catch {
    return false;
  } finally {
    asking.close();
  }
}
