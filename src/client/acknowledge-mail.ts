import type { MailMessage } from "../protocol/mail-units.ts";
import type { Client } from "./client.ts";

/** Unread messages that are taken at a time. */
const PAGE = 100;

/**
 * Says as `me` that a message is done. What was not handed out cannot be acknowledged, and it is handed out in the order of its sender: what that wrote before is
 * done too, so that none of it is left in hand, and nothing that it wrote later: what is handed out of that, because another call has taken what came before, is given
 * back. Resolves with how many are done; 0: another reader has them in hand.
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
    const later = idsOf(messages.filter((one) => one.seq > seq));
    if (later.length > 0) await client.request("mail.nak", { as: me, ids: later, from });
    const ids = idsOf(messages.filter((one) => one.seq <= seq));
    if (ids.length > 0) count += (await client.request("mail.ack", { as: me, ids, from })).acknowledged.length;
    if (later.length > 0 || ids.length === 0) return count;
  }
}

const idsOf = (messages: readonly { id: string }[]): string[] => messages.map(({ id }) => id);
