import { EXIT } from "../../protocol/outcome.ts";
import { parseSince } from "../../runs/logs/since.ts";
import { defineCommand } from "../command.ts";
import { agentOf, printConversation } from "../sessions/agent-logs.ts";
import { sessionNamed } from "../sessions/session-client.ts";
import { journalOf } from "../sessions/session-journal.ts";
import { historyLines, rawHistory } from "../sessions/session-output.ts";
import { usageError } from "../usage-error.ts";
import { countOf } from "../values.ts";

export const history = defineCommand({
  usage: ["history SESSION [--lines N] [--since TIME] [--json | --raw]"],
  details:
    "Prints what a session has shown, from its first start on, as text: without colours, cursor movements and what editors and pagers drew; of an agent its conversation. Also of one that has ended.",
  examples: [
    { command: "warren history fox", does: "everything that is kept" },
    { command: "warren history fox -n 50", does: "the last 50 lines" },
    { command: "warren history fox --since 1h --json", does: "what an agent said and did in the last hour" },
  ],
  options: {
    lines: { type: "string", short: "n", value: "N", description: "the last N lines" },
    since: {
      type: "string",
      value: "TIME",
      description: "of an agent: what began since 10m, 14:30 or an RFC 3339 time",
    },
    json: { type: "boolean", description: "of an agent: a JSON object for each item" },
    raw: { type: "boolean", description: "byte for byte, with control sequences" },
  },
  operands: { kinds: ["session"], min: 1 },
  async run(context, { values, operands }) {
    const { output } = context;
    const count = countOf("--lines", values.lines);
    const handle = await sessionNamed(context, operands[0]!, "history");
    const journal = await journalOf(context, handle);
    if (values.raw) {
      for await (const bytes of rawHistory(journal)) await output.bytes("stdout", bytes);
      return EXIT.ok;
    }
    if (await agentOf(handle)) {
      const json = values.json === true;
      const sinceMs = values.since === undefined ? undefined : parseSince(values.since, context.nowMs());
      return printConversation(context, handle, { tailLines: count, sinceMs, grep: undefined, json });
    }
    if (values.json) throw usageError("--json is for agents; a terminal has lines.", `warren history ${handle.name}`);
    if (values.since)
      throw usageError(
        "--since is for agents; a screen knows no times of lines.",
        `warren history ${handle.name} -n 50`,
      );
    for await (const line of historyLines(journal, count)) await output.bytes("stdout", `${line}\n`);
    return EXIT.ok;
  },
});
