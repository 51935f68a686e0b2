import type { Client } from "../../client/client.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { MailStatus } from "../../protocol/mail-units.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import type { Context } from "../context.ts";
import { openMail } from "./open-mail.ts";
import { statusLines } from "./status-text.ts";

/** Changes that come together are shown together. */
const GATHER_MS = 50;

export const status = defineCommand({
  usage: ["mail status [--watch] [--json]"],
  details:
    "Shows which process leads the mailbox and since which epoch, who is connected, and what waits. Starts nothing: that nobody leads is no fault, the next message starts a leader.",
  examples: [
    { command: "warren mail status", does: "who leads, and what waits" },
    { command: "warren mail status --json --watch", does: "a line of JSON whenever something changes" },
  ],
  options: {
    watch: {
      type: "boolean",
      short: "w",
      description: "stay, and tell it again when the leader or a participant changes",
    },
    json: JSON_OPTION,
  },
  operands: { kinds: [], min: 0 },
  async run(context, { values }) {
    if (values.watch) return watchStatus(context, values.json === true);
    const seen = await look(openMail(context, "find"));
    if (values.json) context.output.json(seen ?? NOBODY);
    else for (const line of statusLines(context, seen)) context.output.line(line);
    return EXIT.ok;
  },
});

/** What `--json` says where nobody leads. */
const NOBODY = { leader: null, members: [] };

async function look(client: Client): Promise<MailStatus | undefined> {
  try {
    return (await client.request("mail.status", {})).status;
  } catch (error) {
    if (isWarrenError(error, "NO_LEADER")) return undefined;
    throw error;
  }
}

/** Follows the stream `mail`, through every change of leader. Ctrl-C ends the view alone. */
async function watchStatus(context: Context, json: boolean): Promise<number> {
  const { output } = context;
  const interrupted = context.interrupted();
  const client = openMail(context);
  let told = "";
  const tell = async (): Promise<void> => {
    const seen = await look(client);
    if (interrupted.aborted) return;
    const text = json ? JSON.stringify(seen ?? NOBODY) : statusLines(context, seen).join("\n");
    if (text !== told) output.line(told === "" || json ? text : `\n${text}`);
    told = text;
  };
  let gathering: NodeJS.Timeout | undefined;
  try {
    for await (const _ of client.subscribe({ streams: ["mail"] }, interrupted)) {
      clearTimeout(gathering);
      gathering = setTimeout(() => void tell().catch(() => {}), GATHER_MS); // who leads next is asked by the next event
    }
  } finally {
    clearTimeout(gathering);
  }
  return EXIT.ok;
}
