import { setTimeout } from "node:timers/promises";
import { MailMember } from "../../local/mail-member.ts";
import { mailLeaderCommand } from "../../local/mail-start.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { portOf } from "../values.ts";
import { statusLines } from "./status-text.ts";

/** Who starts no leader looks so often whether there is one. */
const LOOK_MS = 500;

export const serve = defineCommand({
  usage: ["mail serve [--port PORT] [--never-lead]"],
  details: `Stays, and keeps the mailbox served: a process that it starts is the preferred leader, which is handed the lead, and which does not end when nobody is here. With
--never-lead it only looks on. Nobody needs it: without, the first participant starts a leader.`,
  examples: [
    { command: "warren mail serve", does: "until Ctrl-C; mail goes on without it" },
    { command: "warren mail serve --port 0", does: "on a free port, which warren mail status tells" },
  ],
  options: {
    port: {
      type: "string",
      short: "p",
      value: "PORT",
      description: "of claude-ipc's clients ($WARREN_MAIL_PORT, default 9876)",
    },
    "never-lead": { type: "boolean", description: "start no leader" },
  },
  operands: { kinds: [], min: 0 },
  async run(context, { values }) {
    const { places, build } = context;
    const port = portOf({ flag: "--port", usual: 9876 }, values.port);
    const env = port === undefined ? context.env : { ...context.env, WARREN_MAIL_PORT: String(port) };
    const mayLead = values["never-lead"] !== true;
    const interrupted = context.interrupted();
    using member = new MailMember({ places, build, env, kind: "serve", mayLead });
    const served = async (): Promise<void> => {
      for await (const item of member.client.subscribe({ streams: ["mail"] }, interrupted)) {
        if (item.kind === "event" && item.event.event !== "leader_changed") continue;
        if (mayLead) await takeLead(context, member, env);
        await tell(context, member);
      }
    };
    for (let hasSaid = false; !interrupted.aborted; ) {
      try {
        await served();
      } catch (error) {
        if (mayLead || !isWarrenError(error, "NO_LEADER")) throw error;
        if (!hasSaid) context.output.line("Nobody leads the mailbox; waiting until somebody does");
        hasSaid = true;
        await setTimeout(LOOK_MS, undefined, { signal: interrupted }).catch(() => {});
      }
    }
    return EXIT.ok;
  },
});

/**
 * A leader that is dedicated already stays; so does one of another build: a newer one is preferred to ours, and an older one was told by our connection to
 * hand over.
 */
async function takeLead({ places, build }: Context, { client }: MailMember, env: NodeJS.ProcessEnv): Promise<void> {
  const { status } = await client.request("mail.status", {});
  if (status.leader.is_dedicated || status.leader.git_hash !== build.hash) return;
  const command = mailLeaderCommand({ places, build, env, isDedicated: true });
  await client.request("mail.yield", { command, is_dedicated: true, git_hash: build.hash });
}

async function tell(context: Context, { client }: MailMember): Promise<void> {
  const { status } = await client.request("mail.status", {});
  for (const line of statusLines(context, status)) context.output.line(line);
}
