import type { ConversationInfo } from "../../protocol/conversation.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { safeText } from "../sessions/conversation-text.ts";
import { sessionNamed, sessionTitle } from "../sessions/session-client.ts";

export const mode = defineCommand({
  usage: ["mode SESSION [MODE]"],
  details: "Shows the modes that an agent has, or puts it into one of them. What they mean is the agent's own affair.",
  examples: [
    { command: "warren mode fox", does: "the modes; * marks the one that it is in" },
    { command: "warren mode fox code", does: "from now on" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["session", "text"], min: 1 },
  async run(context, { values, operands }) {
    const { output } = context;
    const [reference = "", wanted] = operands;
    const { client, id } = await sessionNamed(context, reference, "mode");
    if (wanted !== undefined) {
      const changed = await client.request("session.mode", { session: id, mode: wanted });
      if (values.json) output.json(changed);
      else output.line(`${sessionTitle(context, changed.session)} is in mode ${wanted}`);
      return EXIT.ok;
    }
    const { session, conversation } = await client.request("session.conversation", { session: id });
    const { mode = null, modes = [] } = conversation.info;
    if (values.json) output.json({ session, mode, modes });
    else if (modes.length === 0) output.line(`${sessionTitle(context, session)} has no modes`);
    else for (const line of modeLines(mode, modes)) output.line(line);
    return EXIT.ok;
  },
});

/** `* code   Code` */
function modeLines(current: string | null, modes: NonNullable<ConversationInfo["modes"]>): string[] {
  const width = Math.max(...modes.map(({ id }) => id.length));
  return modes.map(({ id, name }) => {
    const words = id === name ? safeText(id) : `${safeText(id).padEnd(width)}   ${safeText(name)}`;
    return `${id === current ? "*" : " "} ${words}`;
  });
}
