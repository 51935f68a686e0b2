import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import { LATER_OPTION } from "../on/later/later-option.ts";
import { hintLines } from "../render/hints.ts";
import { promptAndWait } from "../sessions/prompt-and-wait.ts";
import { sessionNamed, sessionTitle } from "../sessions/session-client.ts";
import { userLabel } from "../sessions/user-label.ts";
import { usageError } from "../usage-error.ts";

export const prompt = defineCommand({
  usage: ["prompt SESSION TEXT… [--wait]", "prompt SESSION -          (from standard input)"],
  details:
    "Says something to an agent. When it is working, the prompt waits for its turn. With --wait it prints what the agent says and does until that turn is over, and exits with 0 when it ended as usual.",
  examples: [
    { command: "warren prompt fox 'fix the failing test'", does: "and returns; warren attach fox looks on" },
    { command: "warren prompt fox --wait 'what does this do?'", does: "prints the answer as it comes" },
    { command: "git diff | warren prompt fox -", does: "says what it reads" },
  ],
  options: {
    wait: { type: "boolean", short: "w", description: "print the answer, and return when the turn is over" },
    later: LATER_OPTION,
    json: { type: "boolean", description: "print JSON" },
  },
  operands: { kinds: ["session", "text"], min: 2, max: Number.POSITIVE_INFINITY },
  async run(context, { values, operands }) {
    const { output } = context;
    const [reference = "", ...words] = operands;
    const text = words.length === 1 && words[0] === "-" ? await standardInput() : words.join(" ");
    if (text.trim() === "") throw usageError("There is nothing to say.", `warren prompt ${reference} 'hello'`);
    if (values.later !== undefined) {
      if (values.wait) throw usageError("With --later there is no answer to wait for: leave --wait out.");
      const [{ keepLater }, { unitKnown }] = await Promise.all([
        import("../on/later/keep-later.ts"),
        import("../on/later/unit-known.ts"),
      ]);
      return keepLater(context, values, (known) => {
        const { id } = unitKnown(known, reference, "prompt", "session");
        const payload = { session: id, text, by: userLabel(context) };
        return [{ type: "session.prompt", payload, unit: id, what: `prompt ${reference}` }];
      });
    }
    const handle = await sessionNamed(context, reference, "prompt");
    if (values.wait) return promptAndWait(context, handle, { text, json: values.json === true });
    const { client, id, name } = handle;
    const sent = await client.request("session.prompt", { session: id, text, by: userLabel(context) });
    if (values.json) output.json(sent);
    else {
      const title = sessionTitle(context, sent.session);
      const isQueued = sent.receipt.state === "queued";
      output.line(isQueued ? `${title} is working; the prompt waits for its turn` : `${title} has it`);
      for (const line of hintLines(output, [[`warren attach ${name}`, "look on"]])) output.line(line);
    }
    return EXIT.ok;
  },
});

async function standardInput(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
