import type { Topic } from "../topics.ts";

/** The commands of `warren hub`, as its help shows them. */
export const HUB_TOPICS: readonly Topic[] = [
  { name: "status", summary: "show the hub that runs here", load: async () => (await import("./status.ts")).status },
  { name: "invite", summary: "let one machine in", load: async () => (await import("./invite.ts")).invite },
  {
    name: "members",
    summary: "show who is admitted, and who is connected",
    load: async () => (await import("./members.ts")).members,
  },
  {
    name: "remove",
    summary: "throw out a machine or a device",
    load: async () => (await import("./remove.ts")).remove,
  },
];
