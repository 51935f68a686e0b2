import type { Topic } from "../topics.ts";

/** The commands of `warren mail`, as its help shows them. */
export const MAIL_TOPICS: readonly Topic[] = [
  { name: "send", summary: "send a message", load: async () => (await import("./send.ts")).send },
  {
    name: "check",
    summary: "show your unread mail; it is read then",
    load: async () => (await import("./check.ts")).check,
  },
  { name: "ask", summary: "send a question and wait for the reply", load: async () => (await import("./ask.ts")).ask },
  { name: "reply", summary: "answer a message", load: async () => (await import("./reply.ts")).reply },
  { name: "wait", summary: "wait until there is mail for you", load: async () => (await import("./wait.ts")).wait },
  { name: "broadcast", summary: "send to everybody", load: async () => (await import("./broadcast.ts")).broadcast },
  { name: "list", summary: "show who can be written to", load: async () => (await import("./list.ts")).list },
  {
    name: "history",
    summary: "show and search what was sent",
    load: async () => (await import("./history.ts")).history,
  },
  {
    name: "show",
    summary: "show one message and how far it has come",
    load: async () => (await import("./show.ts")).show,
  },
  {
    name: "watch",
    summary: "see the traffic live, and take part",
    load: async () => (await import("./watch.ts")).watch,
  },
  {
    name: "hooks",
    summary: "have an agent get its mail by its own hooks",
    load: async () => (await import("./hooks.ts")).hooks,
  },
  {
    name: "hook",
    summary: "print unread mail for an agent's own hook",
    load: async () => (await import("./hook.ts")).hook,
  },
  { name: "register", summary: "take a name", load: async () => (await import("./register.ts")).register },
  {
    name: "rename",
    summary: "take another name; mail to the old one follows",
    load: async () => (await import("./rename.ts")).rename,
  },
  { name: "groups", summary: "join and leave groups", load: async () => (await import("./groups.ts")).groups },
  { name: "status", summary: "show who leads, and what waits", load: async () => (await import("./status.ts")).status },
  { name: "join", summary: "meet other machines", load: async () => (await import("./join.ts")).join },
  {
    name: "machines",
    summary: "show the other machines",
    load: async () => (await import("./machines.ts")).machines,
  },
  { name: "leave", summary: "part from the other machines", load: async () => (await import("./leave.ts")).leave },
  {
    name: "export",
    summary: "write the whole log as JSON lines",
    load: async () => (await import("./export.ts")).export_,
  },
  {
    name: "import",
    summary: "take up what export has written",
    load: async () => (await import("./import.ts")).import_,
  },
  { name: "prune", summary: "remove old mail that is over", load: async () => (await import("./prune.ts")).prune },
  { name: "backup", summary: "copy the log, as of one moment", load: async () => (await import("./backup.ts")).backup },
  { name: "serve", summary: "stay, and be the preferred leader", load: async () => (await import("./serve.ts")).serve },
  {
    name: "lead",
    summary: "have a leader of this build take over",
    load: async () => (await import("./lead.ts")).lead,
  },
  {
    name: "yield",
    summary: "have the leader replaced by a new process",
    load: async () => (await import("./yield.ts")).yield_,
  },
];
