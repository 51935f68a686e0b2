import type { Participant } from "../../protocol/mail-units.ts";
import { escaped, withoutLastLineEnds } from "../../protocol/untrusted-mail.ts";
import { wrapRows } from "../text/wrap.ts";
import { innerColumns, innerRows } from "./layout.ts";
import { clampTop, scrollToShow } from "./list.ts";
import {
  type MailEntry,
  type MailNews,
  type MailView,
  PARTICIPANTS_MAX,
  participantIndex,
  selectedIndex,
  TRAFFIC_MAX,
} from "./mail.ts";
import { mailLayoutOf } from "./mail-layout.ts";
import type { Model, Step } from "./model.ts";
import { say } from "./say.ts";

/**
 * What was heard of the mailbox, put into its view.
 *
 * Invariants
 * 1. Participants keep their rows: those who are there come first at the beginning, by name; who comes later stands at the end.
 * 2. The cursor stays on its message while others come, or goes with the newest when it stands there.
 * 3. No more than TRAFFIC_MAX messages, the newest ones; between two of them none is missing.
 */

/** Recipients of an open message that are told one by one. */
const RECEIPTS_SHOWN = 20;

/** What was told of after the screen was left is of no use. */
export function applyMail(model: Model, news: MailNews): Step {
  const { mail } = model;
  if (!mail.isOpen) return [model, []];
  switch (news.kind) {
    case "state":
      return [news.state === mail.state ? model : withMail(model, { state: news.state }), []];
    case "status":
      return [withMail(model, { status: news.status }), []];
    case "participants":
      return [withParticipants(model, news.participants), []];
    case "traffic":
      return [news.withName === mail.withName ? withTraffic(model, news.entries, news.hasOlder) : model, []];
    case "opened":
      return [opened(model, news.entry), []];
    case "led":
      return say(
        model,
        `${news.pid === undefined ? "another process" : `process ${news.pid}`} leads the mailbox now, epoch ${news.epoch}`,
      );
  }
}

export const withMail = (model: Model, change: Partial<MailView>): Model => ({
  ...model,
  mail: { ...model.mail, ...change },
});

/** Scrolls both lists as little as needed to show what is selected; after a resize what is open is broken anew. */
export function fitMail(model: Model): Model {
  const layout = mailLayoutOf(model);
  const { mail } = model;
  if (!mail.isOpen || !layout) return model;
  const { tops, traffic, participants } = mail;
  const rows = { participants: innerRows(layout.participants), traffic: innerRows(layout.traffic) };
  const next = {
    participants: scrollToShow(tops.participants, participantIndex(mail), rows.participants, participants.length + 1),
    traffic: scrollToShow(tops.traffic, selectedIndex(mail), rows.traffic, traffic.length),
  };
  const isSame = next.participants === tops.participants && next.traffic === tops.traffic;
  return isSame ? model : withMail(model, { tops: next });
}

export const refitMail = (model: Model): Model =>
  fitMail(model.mail.opened ? opened(model, model.mail.opened.entry) : model);

export function scrollOpened(model: Model, rows: number): Model {
  const { opened: open } = model.mail;
  if (!open) return model;
  const top = clampTop(open.top + rows, openedRows(model), open.rows.length);
  return top === open.top ? model : withMail(model, { opened: { ...open, top } });
}

export const openedRows = (model: Model): number => innerRows(mailLayoutOf(model)?.traffic);

function opened(model: Model, entry: MailEntry): Model {
  const { opened: before } = model.mail;
  const next = withMail(model, { opened: { entry, rows: [], top: 0 } });
  const columns = innerColumns(mailLayoutOf(next)?.traffic);
  const rows = [
    ...openedHead(entry).flatMap((line) => wrapRows(line, columns)),
    "",
    ...wrapRows(wholeText(entry), columns),
  ];
  const isSame = before?.entry.message.seq === entry.message.seq;
  const top = isSame ? clampTop(before.top, openedRows(next), rows.length) : 0;
  return fitMail(withMail(next, { opened: { entry, rows, top } }));
}

/** The exact time, the subject, and how far it has come with each. */
function openedHead({ message, receipts }: MailEntry): string[] {
  const { sent_at, subject, kind } = message;
  const states = receipts
    .slice(0, RECEIPTS_SHOWN)
    .map(({ to, state }) => `${to} ${state === "offered" ? "queued" : state}`);
  const more = receipts.length - states.length;
  return [
    `${sent_at}${kind === "message" ? "" : `  ${kind}`}`,
    ...(subject === undefined ? [] : [`subject: ${subject}`]),
    `${states.join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
  ].map((line) => escaped(line.replace(/\s+/g, " ")));
}

/** What was written, as it can stand on a terminal. */
export function wholeText({ message: { body, data } }: MailEntry): string {
  const text = withoutLastLineEnds(escaped(body).replaceAll("\t", "  "));
  return data === undefined ? text : `${text}\n\ndata: ${escaped(JSON.stringify(data, null, 2))}`;
}

function withParticipants(model: Model, told: readonly Participant[]): Model {
  const { mail } = model;
  const places = new Map(mail.participants.map(({ name }, at) => [name, at]));
  const placeOf = ({ name }: Participant): number => places.get(name) ?? Number.POSITIVE_INFINITY;
  const sorted = told.toSorted(
    (a, b) => byNumber(placeOf(a), placeOf(b)) || Number(isGone(a)) - Number(isGone(b)) || (a.name < b.name ? -1 : 1),
  );
  const participants = sorted.slice(0, PARTICIPANTS_MAX);
  const isLost = mail.withName !== null && !participants.some(({ name }) => name === mail.withName);
  const kept = isLost ? mail.participants.filter(({ name }) => name === mail.withName) : [];
  return fitMail(
    withMail(model, {
      participants: [...participants, ...kept],
      moreParticipants: Math.max(0, told.length - participants.length),
    }),
  );
}

const byNumber = (a: number, b: number): number => (a === b ? 0 : a - b);
const isGone = ({ presence }: Participant): boolean => presence === "gone";

/** `entries` are the newest, without a hole; what is known of before is kept where they meet (invariant 3). */
function withTraffic(model: Model, entries: readonly MailEntry[], hasOlder: boolean): Model {
  const { mail } = model;
  const isSameList = mail.trafficOf === mail.withName;
  const oldest = entries[0]?.message.seq ?? Number.POSITIVE_INFINITY;
  const known = isSameList && hasOlder ? mail.traffic : [];
  const meets = known.some(({ message }) => message.seq >= oldest);
  const before = meets ? known.filter(({ message }) => message.seq < oldest) : [];
  const all = [...before, ...entries];
  const traffic = all.slice(-TRAFFIC_MAX);
  return withReceipts(
    withMail(model, {
      traffic,
      trafficOf: mail.withName,
      hasOlder: before.length > 0 ? mail.hasOlder || traffic.length < all.length : hasOlder,
    }),
  );
}

/** What is open is told how far it has come by now. */
function withReceipts(model: Model): Model {
  const { opened: open, traffic } = model.mail;
  const now = open && traffic.findLast(({ message }) => message.seq === open.entry.message.seq);
  if (!now || JSON.stringify(now.receipts) === JSON.stringify(open.entry.receipts)) return fitMail(model);
  return opened(model, { ...open.entry, receipts: now.receipts });
}
