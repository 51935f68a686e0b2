import { findSession, lookForSession } from "../../local/find-session.ts";
import { isWarrenError, WarrenError } from "../../protocol/errors.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { onUnit } from "../on-unit.ts";
import { attachAny } from "../sessions/attach-any.ts";

export const attach = defineCommand({
  usage: ["attach SESSION [--view]"],
  details:
    "Shows a session in this terminal; what is typed goes to it. ctrl-\\ d leaves it, and it goes on; ctrl-\\ t takes control (the size is that of who typed last), ctrl-\\ r draws anew, ctrl-\\ twice sends ctrl-\\. Other keys that detach: sessions.detach in config.yaml.\n\nThrough pipes it prints the session's output and types what it reads, until that ends. When the session ends, warren exits as its program did.\n\nOf an agent it shows the conversation, line by line, with a line to say something: /approve, /deny, /cancel, /mode MODE, /reload, /detach; ctrl-c stops the turn, ctrl-d leaves.",
  examples: [
    { command: "warren attach fox", does: "from as many terminals as you like" },
    { command: "warren attach fox --view", does: "looks on; nothing can be typed" },
    { command: "warren attach --view fox | tee fox.log", does: "its output from now on" },
  ],
  options: {
    view: { type: "boolean", short: "v", description: "look only: no input, and no say in the size" },
  },
  operands: { kinds: ["session"], min: 1 },
  async run(context, { values, operands }) {
    const [reference = ""] = operands;
    if (context.machine) return attachThere(context, reference, { isViewer: values.view === true });
    const found = lookForSession(context.places, reference);
    const id = found ? found.id : await notLive(context, reference);
    return attachAny(context, id, { isViewer: values.view === true });
  },
});

/** On another machine, which says itself what the name is. @throws as `notLive` */
async function attachThere(context: Context, reference: string, options: { isViewer: boolean }): Promise<number> {
  const id = await whatItIs(context, reference);
  try {
    return await attachAny(context, id, options);
  } catch (error) {
    // Who may only look can do that.
    if (options.isViewer || !isWarrenError(error, "FORBIDDEN")) throw error;
    throw new WarrenError("FORBIDDEN", `${error.message} To look only needs none.`, {
      fix: `warren attach --view ${reference}`,
      cause: error,
    });
  }
}

/** Says why that name cannot be attached to. @throws NOT_A_TERMINAL, SESSION_NOT_LIVE, SESSION_NOT_FOUND */
async function notLive(context: Context, reference: string): Promise<string> {
  try {
    return await whatItIs(context, reference);
  } catch (error) {
    if (!isWarrenError(error, "JOB_NOT_FOUND")) throw error;
    return (await findSession(context.places, reference)).id;
  }
}

function whatItIs(context: Context, reference: string): Promise<string> {
  return onUnit<string>(context, reference, {
    verb: "attach",
    session: async ({ id, client, name }) => {
      const { session } = await client.request("session.get", { session: id });
      if (session.status === "running") return id;
      throw new WarrenError("SESSION_NOT_LIVE", `${name} has ended; nothing runs in it.`, {
        fix: `warren resume ${name}`,
      });
    },
  });
}
