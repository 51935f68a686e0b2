import * as z from "zod";
import type { Participant } from "../../protocol/mail-units.ts";
import { presenceWord } from "../../protocol/mail-words.ts";
import { defineTool, READS } from "../tool.ts";

const ParticipantView = z.object({
  name: z.string(),
  presence: z.enum(["live", "idle", "busy", "gone"]),
  unread: z.number(),
  owner: z
    .enum(["nobody", "key", "unit"])
    .describe("unit: a session or agent that Warren holds; its name is the session's."),
  groups: z.array(z.string()),
  last_seen: z.string().optional(),
  is_you: z.boolean().optional(),
});

export const listAgents = defineTool({
  name: "list_agents",
  title: "Who is in the mailbox",
  description:
    "The participants of this machine's mailbox: who is there now, who waits for mail to be read, and who you are.",
  annotations: READS,
  input: z.strictObject({ all: z.boolean().optional().describe("Also those that are gone.") }),
  output: z.object({
    participants: z.array(ParticipantView),
    gone: z.number().describe("Not shown, because they are gone."),
  }),
  async run({ mail }, { all }, { signal }) {
    const you = mail.identity.name();
    if (you !== undefined) await mail.claim();
    const { participants } = await mail.request("mail.list", {}, { signal });
    const shown = participants.filter(({ presence, name }) => all || presence !== "gone" || name === you);
    const gone = participants.length - shown.length;
    const lines = shown.map((participant) => lineOf(participant, you));
    const hidden = gone > 0 ? [`${gone} more not here; all shows them. Mail to them waits.`] : [];
    return {
      data: { participants: shown.map((participant) => viewOf(participant, you)), gone },
      text: [...(lines.length > 0 ? lines : ["Nobody is there."]), ...hidden].join("\n"),
    };
  },
});

function viewOf(
  { name, presence, unread, owner, groups, last_seen }: Participant,
  you: string | undefined,
): z.input<typeof ParticipantView> {
  return {
    name,
    presence,
    unread,
    owner,
    groups,
    ...(last_seen === undefined ? {} : { last_seen }),
    ...(name === you ? { is_you: true } : {}),
  };
}

function lineOf(participant: Participant, you: string | undefined): string {
  const { name, unread, groups } = participant;
  const mine = name === you ? " (you)" : "";
  const member =
    groups.length > 0 ? `, in ${groups.map((group) => (group.startsWith("@") ? group : `@${group}`)).join(" ")}` : "";
  return `${name}${mine}: ${presenceWord(participant)}, ${unread} unread${member}`;
}
