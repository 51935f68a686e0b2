import * as z from "zod";
import type { Session } from "../../protocol/units.ts";
import { outcomeText } from "../jobs/job-view.ts";

export const SessionRef = z.string().min(1).describe("The session's name or id.");

export const SessionView = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(["session", "agent"]).describe("A program in a terminal, or an agent's conversation."),
  state: z.enum(["starting", "working", "needs_you", "idle", "ended", "saved"]),
  title: z.string().optional(),
  attention: z.string().optional().describe("What it needs somebody for."),
  command: z.array(z.string()),
  dir: z.string(),
  active_at: z.string(),
  outcome: z.string().optional(),
});

export function sessionView(session: Session): z.input<typeof SessionView> {
  const { id, name, kind, state, title, attention, command, workdir, active_at, outcome } = session;
  return {
    id,
    name,
    kind,
    state,
    command,
    dir: workdir,
    active_at,
    ...(title === undefined ? {} : { title }),
    ...(attention === undefined ? {} : { attention }),
    ...(outcome ? { outcome: outcomeText(outcome) } : {}),
  };
}

/** `fox (agent) needs you: may it edit main.ts?  in /p` */
export function sessionLine({ name, kind, state, attention, title, workdir }: Session): string {
  const what = state === "needs_you" ? `needs you${attention ? `: ${attention}` : ""}` : state;
  return `${name} (${kind}) ${what}${title ? `, "${title}"` : ""}, in ${workdir}`;
}
