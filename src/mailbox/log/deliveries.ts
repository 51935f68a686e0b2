import type { ReceiptState } from "../../protocol/mail-units.ts";
import { isRemote, remoteAddress } from "./addresses.ts";
import { MAX_OFFERS } from "./limits.ts";
import type { Row } from "./statements.ts";
import { type Turn, tellDue } from "./turn.ts";

/**
 * The states of one message at one recipient: `queued → offered → seen → handled → replied`; `expired`, `dead`. Queued and offered are unread, and
 * open: only they have a moment at which something is due. The counts of unread and dead ones change here and nowhere else.
 */

/** What is needed of a delivery to change it: its columns, and the message's id. */
export const DELIVERY_COLUMNS =
  "d.recipient, d.seq, d.sender, d.state, d.at_ms, d.offers, d.lease_until_ms, d.lease_client, d.not_before_ms, d.expires_at_ms, d.addressed_to, d.reason";

/** Why a delivery waits that the loop guard holds. */
export const HELD = "LOOP_SUSPECTED";

/**
 * Its sender has put it off (`delay_ms`), and its moment has not come: it may come behind what was sent after it. What was given back, or is held by the
 * loop guard, may not.
 */
export const isPutOff = ({ offers, reason }: Row): boolean => Number(offers) === 0 && reason === null;

export const isOpen = (state: unknown): boolean => state === "queued" || state === "offered";
const isLost = (state: unknown): boolean => state === "dead" || state === "expired";

/** Puts it into a state that nothing is due in. */
export function settle(
  turn: Turn,
  row: Row,
  state: Exclude<ReceiptState, "queued" | "offered">,
  { reason, replySeq }: { reason?: string | undefined; replySeq?: number } = {},
): void {
  turn.log.run(
    `update deliveries set state = ?, at_ms = ?, reason = coalesce(?, reason), reply_seq = coalesce(?, reply_seq),
     lease_until_ms = null, lease_client = null, not_before_ms = null, due_at_ms = null where recipient = ? and seq = ?`,
    state,
    turn.nowMs,
    reason,
    replySeq,
    row.recipient as string,
    row.seq as number,
  );
  count(turn, row, Number(isOpen(row.state)), Number(isLost(state)) - Number(isLost(row.state)));
  tellReceipt(turn, row, state);
  if (isOpen(row.state)) lookForNext(turn, row);
  if (state === "expired" && isRemote(String(row.recipient))) leaveOutbox(turn, row);
}

/** A copy whose life is over goes nowhere any more, and takes no place among those that wait for a machine. */
function leaveOutbox({ log }: Turn, row: Row): void {
  const { machine } = remoteAddress(String(row.recipient));
  const left = log.run(
    `delete from outbox where n = (select n from outbox where machine = ? and sender = ? and seq = ? and recipient = ? order by n limit 1)`,
    machine,
    row.sender as string,
    row.seq as number,
    row.recipient as string,
  );
  log.run("update machines set waiting = max(0, waiting - ?) where name = ?", left, machine);
}

function count(turn: Turn, row: Row, unreadLess: number, deadMore: number): void {
  if (unreadLess > 0) turn.log.addUnread(row.recipient as string, -unreadLess);
  if (unreadLess === 0 && deadMore === 0) return;
  turn.log.addTotals({ unread: -unreadLess, dead: deadMore });
}

/** Gives it back: queued again, not before `notBeforeMs`; dead when it was offered often enough, expired when its life is over. */
export function giveBack(
  turn: Turn,
  row: Row,
  { reason, notBeforeMs }: { reason?: string | undefined; notBeforeMs?: number },
): void {
  const expiresMs = Number(row.expires_at_ms);
  if (expiresMs <= turn.nowMs) return settle(turn, row, "expired");
  if (Number(row.offers) >= MAX_OFFERS)
    return settle(turn, row, "dead", { reason: reason ?? `offered ${row.offers} times, and never acknowledged` });
  const dueMs = notBeforeMs === undefined ? expiresMs : Math.min(notBeforeMs, expiresMs);
  turn.log.run(
    `update deliveries set state = 'queued', at_ms = ?, reason = coalesce(?, reason), lease_until_ms = null, lease_client = null,
     not_before_ms = ?, due_at_ms = ? where recipient = ? and seq = ?`,
    turn.nowMs,
    reason,
    notBeforeMs,
    dueMs,
    row.recipient as string,
    row.seq as number,
  );
  if (!isOpen(row.state)) {
    turn.log.addUnread(row.recipient as string, 1);
    turn.log.addTotals({ unread: 1 });
  }
  tellReceipt(turn, row, "queued");
  if (notBeforeMs === undefined) tellQueued(turn, row);
  else tellDue(turn, dueMs);
}

/** Its delay is over. */
export function endDelay(turn: Turn, row: Row): void {
  turn.log.run(
    "update deliveries set not_before_ms = null, due_at_ms = expires_at_ms where recipient = ? and seq = ?",
    row.recipient as string,
    row.seq as number,
  );
  tellQueued(turn, row);
}

/** Hands it to the client until `untilMs`. */
export function offer(turn: Turn, row: Row, untilMs: number): void {
  turn.log.run(
    `update deliveries set state = 'offered', at_ms = ?, offers = offers + 1, lease_until_ms = ?, lease_client = ?, not_before_ms = null,
     due_at_ms = ? where recipient = ? and seq = ?`,
    turn.nowMs,
    untilMs,
    turn.by.client,
    untilMs,
    row.recipient as string,
    row.seq as number,
  );
  tellReceipt(turn, row, "offered");
  tellDue(turn, untilMs);
}

export function tellReceipt(turn: Turn, row: Row, state: ReceiptState): void {
  turn.effects.push({
    kind: "receipt",
    from: String(row.sender),
    to: String(row.recipient),
    id: idOf(turn, row),
    seq: Number(row.seq),
    state,
  });
}

function tellQueued(turn: Turn, row: Row): void {
  turn.effects.push({
    kind: "queued",
    to: String(row.recipient),
    from: String(row.sender),
    id: idOf(turn, row),
    seq: Number(row.seq),
  });
}

/** Once for all that an operation settles of one sender for one reader: a look costs as much as a dozen of them. */
function lookForNext(turn: Turn, row: Row): void {
  const key = `${row.recipient} ${row.sender}`;
  if (turn.settled.has(key)) return;
  turn.settled.add(key);
  turn.after.push(() => tellNext(turn, row));
}

/** What waited behind it for the same reader may be offered now (invariant 3). Looks at the oldest few: the rest waits behind those. */
function tellNext(turn: Turn, row: Row): void {
  const next = turn.log.get(
    `select recipient, seq, sender from (
       select recipient, seq, sender, state from deliveries where recipient = ? and state in ('queued', 'offered') order by seq limit 100
     ) where state = 'queued' order by sender <> ?, seq limit 1`,
    row.recipient as string,
    row.sender as string,
  );
  if (next) tellQueued(turn, next);
}

const idOf = (turn: Turn, row: Row): string =>
  String(row.id ?? turn.log.get("select id from messages where seq = ?", row.seq as number)?.id);
