import type { Session } from "../../protocol/units.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { forEachUnit } from "../each-unit.ts";
import { attachAny } from "../sessions/attach-any.ts";
import { resumeSession, startedText } from "../sessions/resume-session.ts";
import { notASession } from "../sessions/session-client.ts";
import { wordOf } from "../unit-word.ts";
import { usageError } from "../usage-error.ts";

export const resume = defineCommand({
  usage: ["resume SESSION… [--detached]", "resume --all"],
  details:
    "Starts sessions again that have ended, on the server of this build: same directory, command and environment, with what they showed before above it; an agent continues the very conversation. With --all, those that were lost or saved, not those that ended by themselves.",
  examples: [
    { command: "warren resume fox", does: "brings fox back and attaches" },
    { command: "warren resume --all", does: "after a reboot or a crash: all of them" },
  ],
  options: {
    all: { type: "boolean", short: "a", description: "all that were lost or saved" },
    detached: { type: "boolean", short: "d", description: "do not attach" },
    json: { type: "boolean", description: "print JSON; does not attach" },
  },
  operands: { kinds: ["saved-session"], min: 0, max: Number.POSITIVE_INFINITY },
  async run(context, { values, operands }) {
    const { output } = context;
    const names = values.all ? await savedIds(context) : operands;
    if (names.length === 0 && !values.all) throw usageError("Which session?", "warren sessions --all");
    if (names.length === 0) output.line("Nothing to resume");
    const resumed: Session[] = [];
    const status = await forEachUnit(context, names, {
      json: values.json,
      act: async (reference) => {
        const { name } = wordOf(reference);
        const resumed = resumeSession(context, name);
        return (await resumed.catch((error) => notASession(context, { name, verb: "resume", error }))).session;
      },
      report(session) {
        resumed.push(session);
        output.line(startedText(context, session));
      },
    });
    const [only] = resumed;
    if (values.detached || values.json || !only || names.length > 1 || !output.isTerminal) return status;
    return attachAny(context, only.id, { isViewer: false });
  },
});

async function savedIds(context: Context): Promise<string[]> {
  const { sessions } = await context.client().request("session.list", { saved: true });
  return sessions.filter(({ state }) => state === "saved").map(({ id }) => id);
}
