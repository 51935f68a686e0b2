import type { Topic } from "../../topics.ts";

/** The commands of `warren outbox`, as its help shows them. */
export const OUTBOX_TOPICS: readonly Topic[] = [
  {
    name: "send",
    summary: "bring what waits on its way, now",
    load: async () => (await import("./send.ts")).send,
  },
  {
    name: "remove",
    summary: "take back what has not gone; forget what is over",
    load: async () => (await import("./remove.ts")).remove,
  },
];
