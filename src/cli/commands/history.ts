import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import { sessionNamed } from "../sessions/session-client.ts";
import { historyLines, rawHistory } from "../sessions/session-output.ts";
import { countOf } from "../values.ts";

export const history = defineCommand({
  usage: ["history SESSION [--lines N] [--raw]"],
  details:
    "Prints what a session has shown, from its first start on, as text: without colours, cursor movements and what editors and pagers drew. Also of one that has ended.",
  examples: [
    { command: "warren history fox", does: "everything that is kept" },
    { command: "warren history fox -n 50", does: "the last 50 lines" },
  ],
  options: {
    lines: { type: "string", short: "n", value: "N", description: "the last N lines" },
    raw: { type: "boolean", description: "byte for byte, with control sequences" },
  },
  operands: { kinds: ["session"], min: 1 },
  async run(context, { values, operands }) {
    const { output, places } = context;
    const { id } = await sessionNamed(context, operands[0]!);
    if (values.raw) {
      for await (const bytes of rawHistory(places, id)) await output.bytes("stdout", bytes);
      return EXIT.ok;
    }
    const count = countOf("--lines", values.lines);
    for await (const line of historyLines(places, id, count)) await output.bytes("stdout", `${line}\n`);
    return EXIT.ok;
  },
});
