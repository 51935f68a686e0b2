import type { MailMessage } from "../protocol/mail-units.ts";
import { hasShape, type Shape, type ToldItem } from "./item.ts";

/**
 * The person's mail of a machine as entries of `item` records (`item.ts`): what the page of the mail shows, in the stream `mail`. An entry's place is the
 * message's in the mailbox's log; its `seq` is of the last change of what is told of it, by numbers of the machine's own.
 */
export interface MailItem extends ToldItem {
  kind: "mail";
  message: MailMessage;
  receipts: readonly MailReceipt[];
}

export interface MailReceipt {
  to: string;
  state: string;
}

/** Messages that are told: the last ones. */
export const MAIL_MESSAGES_MAX = 200;
/** Longer lists of whom a message went to are cut. */
const RECEIPTS_MAX = 20;

/** What is told of a message: the fields that a page shows, and none that another program has put there. */
export function mailItemOf(message: MailMessage, receipts: readonly MailReceipt[], change: number): MailItem {
  const { id, seq, from, to, addressed_to, sent_at, body, subject, kind, thread, reply_to, expires_at, hops } = message;
  const shown = { id, seq, from, to, addressed_to, sent_at, body, subject, kind, thread, reply_to, expires_at, hops };
  return {
    id: String(seq),
    at: sent_at,
    seq: change,
    kind: "mail",
    message: Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined)) as MailMessage,
    receipts: receipts.slice(0, RECEIPTS_MAX).map((one) => ({ to: one.to, state: one.state })),
  };
}

const SHAPE: Shape = {
  kind: "text",
  message: {
    id: "text",
    seq: "count",
    from: "text",
    to: "text",
    addressed_to: "text",
    sent_at: "text",
    body: "text",
    kind: "text",
    thread: "text",
  },
  receipts: [{ to: "text", state: "text" }],
};

/** It can be shown. A newer machine may tell of something else. */
export function isKnownMail(item: ToldItem): item is MailItem {
  if (item.kind !== "mail" || !hasShape(item, SHAPE)) return false;
  const { subject } = (item as MailItem).message;
  return subject === undefined || typeof subject === "string";
}

/** Queued and offered are unread, and nothing else is. */
export const isUnreadBy = (name: string, { receipts }: Pick<MailItem, "receipts">): boolean =>
  receipts.some(({ to, state }) => to === name && (state === "queued" || state === "offered"));
