import * as z from "zod";
import { CHANGES, defineTool } from "../tool.ts";

export const ack = defineTool({
  name: "ack",
  title: "Acknowledge messages",
  description:
    "Tells senders that you have dealt with their messages; reply does so by itself. With again_in_s the opposite: they come back to you after that time, as unread.",
  annotations: { ...CHANGES, idempotentHint: true },
  input: z.strictObject({
    ids: z.array(z.string()).min(1).describe("Of check or wait: what stands as id, not the number."),
    again_in_s: z.number().min(0).optional().describe("Not yet: give them to me again after so many seconds."),
    reason: z.string().optional().describe("Why not yet; their senders can see it."),
  }),
  output: z.object({
    acknowledged: z.array(z.string()),
    returned: z.array(z.string()),
    unknown: z.array(z.string()).describe("Not yours, or never given to you."),
  }),
  async run({ mail }, { ids, again_in_s, reason }) {
    const done =
      again_in_s === undefined
        ? (await mail.speak("mail.ack", { ids, state: "handled" })).acknowledged
        : (
            await mail.speak("mail.nak", {
              ids,
              delay_ms: Math.round(again_in_s * 1_000),
              ...(reason === undefined ? {} : { reason }),
            })
          ).returned;
    mail.given.forget(done);
    const unknown = ids.filter((id) => !done.includes(id));
    const verb = again_in_s === undefined ? "acknowledged" : `come back in ${again_in_s} s`;
    const missing = unknown.length > 0 ? ` Not yours, or never given to you: ${unknown.join(", ")}.` : "";
    return {
      data: {
        acknowledged: again_in_s === undefined ? done : [],
        returned: again_in_s === undefined ? [] : done,
        unknown,
      },
      text: `${done.length} ${verb}.${missing}`,
    };
  },
});
