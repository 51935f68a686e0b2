import type { MailMessage } from "../protocol/mail-units.ts";
import type { Client } from "./client.ts";

/** Unread messages that are taken at a time. */
const PAGE = 100;

/**
 * Says as `me` that a message is done. What was not handed out cannot be acknowledged, and it is handed out in the order of its sender: what that wrote before is
 * done too, so that none of it is left in hand, and nothing that it wrote later. Resolves with how many are done; 0: another reader has them in hand.
 */
export async function acknowledgeUpTo(
  client: Pick<Client, "request">,
  me: string,
  { from, seq }: Pick<MailMessage, "from" | "seq">,
): Promise<number> {
  let count = 0;
  for (;;) {
    const { messages: unread } = await client.request("mail.fetch", { as: me, from, peek: true, limit: PAGE });
    const limit = unread.filter((one) => one.seq <= seq).length;
    if (limit === 0) return count;
    const { messages } = await client.request("mail.fetch", { as: me, from, limit });
    if (messages.length === 0) return count;
    const ids = messages.map(({ id }) => id);
    count += (await client.request("mail.ack", { as: me, ids, from })).acknowledged.length;
  }
}
