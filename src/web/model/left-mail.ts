import { itemsOf, type KeptTalk } from "../../client/remote/kept-talk.ts";
import type { MailMessage } from "../../protocol/mail-units.ts";
import type { ToldItem } from "../../sealing/item.ts";
import { isKnownMail, isUnreadBy } from "../../sealing/mail-item.ts";
import type { Home, MailEntry } from "./home.ts";

/** The mail of a machine as a page shows it: the mailbox's own word, or what the machine has left while it is away. Pure. */
export interface ShownMail {
  /** Newest first. */
  messages: readonly ShownEntry[];
  /** Unread of the person's own. */
  unread: readonly MailMessage[];
  /** By the machine's clock: it is away, and this is what it has left. */
  left?: { atMs: number; isIncomplete: boolean };
}

export interface ShownEntry extends MailEntry {
  /** The rest of it is on the machine. */
  isCut?: boolean;
}

/** The mailbox answers. */
export const isHeard = ({ way, mail }: Pick<Home, "way" | "mail">): boolean =>
  way.kind === "live" && (mail.state === "live" || mail.state === "unused");

/** What this page has heard itself may go further than what was left; and the mailbox, once it answers, knows best. */
export function shownMail(
  home: Pick<Home, "way" | "mail">,
  left: KeptTalk<ToldItem> | undefined,
  person: string,
): ShownMail {
  const { messages, unread } = home.mail;
  if (!left || isHeard(home) || newest(messages) > newestOf(left)) return { messages, unread };
  const items = itemsOf(left).filter(isKnownMail).reverse();
  return {
    messages: items.map(({ message, receipts, cut }) => ({
      message,
      receipts,
      ...(cut === true ? { isCut: true } : {}),
    })),
    unread: items.filter((item) => isUnreadBy(person, item)).map(({ message }) => message),
    left: { atMs: left.atMs, isIncomplete: left.isIncomplete },
  };
}

const newest = (messages: readonly MailEntry[]): number => messages[0]?.message.seq ?? 0;

const newestOf = ({ entries }: KeptTalk<ToldItem>): number => entries.at(-1)?.[0] ?? 0;
