import type { MailMessage, OfferedMessage } from "../protocol/mail-units.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";

/** In the name of who has asked. */
type Speak = <T extends "mail.fetch" | "mail.nak">(type: T, payload: PayloadOf<T>) => Promise<DataOf<T>>;

/**
 * Takes a reply that was waited for out of the mailbox, and nothing else: each time that something is handed out counts, and whatever was handed out too often is
 * dead. Undefined when its sender wrote something in that thread that is unread and comes before it, or another reader has it: it stays where it is then.
 */
export async function takeReply(
  speak: Speak,
  { id, from, thread }: Pick<MailMessage, "id" | "from" | "thread">,
  lease: Pick<PayloadOf<"mail.fetch">, "lease_ms"> = {},
): Promise<OfferedMessage | undefined> {
  const wanted = { from, thread, limit: 1 };
  const { messages: unread } = await speak("mail.fetch", { ...wanted, peek: true });
  if (unread[0]?.id !== id) return undefined;
  const { messages } = await speak("mail.fetch", { ...wanted, ...lease });
  const [taken] = messages;
  if (taken === undefined || taken.id === id) return taken;
  await speak("mail.nak", { ids: [taken.id], from }); // another reader was faster
  return undefined;
}

/** As many as are looked through. */
const UNREAD_MAX = 100;

/** Whether a reply that was not taken is still unread, behind what its sender wrote before it in that thread. */
export async function isUnread(
  speak: Speak,
  { id, from, thread }: Pick<MailMessage, "id" | "from" | "thread">,
): Promise<boolean> {
  const { messages } = await speak("mail.fetch", { from, thread, limit: UNREAD_MAX, peek: true });
  return messages.some((message) => message.id === id);
}
