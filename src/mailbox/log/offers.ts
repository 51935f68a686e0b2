import { timestamp } from "../../platform/clock.ts";
import { MAIL_LIFE_MS } from "../../protocol/mail-limits.ts";
import type { OfferedMessage } from "../../protocol/mail-units.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import { DELIVERY_COLUMNS, endDelay, giveBack, isOpen, isPutOff, offer, settle } from "./deliveries.ts";
import { FETCH_BYTES_MAX, FETCH_COUNT, FETCH_COUNT_MAX, LEASE_MS, LEASE_MS_MAX, MAX_OFFERS } from "./limits.ts";
import { asJson, MESSAGE_COLUMNS, messageBytes, namesOf, toCopy } from "./message-rows.ts";
import { speaker } from "./ownership.ts";
import { unreadOf } from "./participants.ts";
import { between, logHead } from "./send.ts";
import type { Row } from "./statements.ts";
import { type Turn, tellDue } from "./turn.ts";

/**
 * Handing messages out, and what their reader says of them. Of one sender they are offered in the order of their seq (invariant 3): what is under
 * another client's lease, or waits for a moment, holds up what the same sender wrote after it, unless the sender has put it off. So does what a leader before
 * this one has handed to the same client, until it says something of it: whether it came, or died with that leader, is not known.
 */

export function fetch(turn: Turn, payload: PayloadOf<"mail.fetch">): DataOf<"mail.fetch"> {
  const name = String(speaker(turn).name);
  const limit = between("limit", payload.limit, 1, FETCH_COUNT_MAX) ?? FETCH_COUNT;
  const leaseMs = between("lease_ms", payload.lease_ms, 1, LEASE_MS_MAX) ?? LEASE_MS;
  const { ready, lapsed } = readyFor(turn, name, { limit, from: payload.from, thread: payload.thread });
  const messages: OfferedMessage[] = [];
  if (payload.peek) {
    for (const row of ready) messages.push({ ...toCopy(row), offers: Number(row.offers) });
  } else {
    for (const row of lapsed) giveBack(turn, row, {});
    const untilMs = turn.nowMs + leaseMs;
    for (const row of ready) {
      offer(turn, row, untilMs);
      messages.push({ ...toCopy(row), offers: Number(row.offers) + 1, lease_until: timestamp(untilMs) });
    }
  }
  const unread = unreadOf(turn.log, name) - messages.length;
  return { messages, unread, epoch: turn.epoch, log_head: logHead(turn.log) };
}

interface Wanted {
  limit: number;
  from: string | undefined;
  thread: string | undefined;
}

/** What may be offered now, at most `limit` and FETCH_BYTES_MAX; and what has come to its end instead. */
function readyFor(turn: Turn, name: string, { limit, from, thread }: Wanted): { ready: Row[]; lapsed: Row[] } {
  const { log, nowMs, by } = turn;
  const ready: Row[] = [];
  const lapsed: Row[] = [];
  const waiting = new Set<unknown>();
  let bytes = 0;
  const open = log.each(
    `select ${DELIVERY_COLUMNS} from deliveries d where d.recipient = ? and d.state in ('queued', 'offered') order by d.seq`,
    name,
  );
  for (const row of open) {
    if (from !== undefined && row.sender !== from) continue;
    const isLeased = row.state === "offered" && Number(row.lease_until_ms) > nowMs;
    if (isLeased) {
      const isInHand = row.lease_client === by.client && Number(row.at_ms) >= turn.ledSinceMs;
      if (!isInHand) waiting.add(row.sender);
      continue;
    }
    if (Number(row.expires_at_ms) <= nowMs || (row.state === "offered" && Number(row.offers) >= MAX_OFFERS)) {
      lapsed.push(row);
      continue;
    }
    if (waiting.has(row.sender)) continue;
    if (Number(row.not_before_ms ?? 0) > nowMs) {
      if (!isPutOff(row)) waiting.add(row.sender);
      continue;
    }
    const message = log.get(`select ${MESSAGE_COLUMNS} from messages m where m.seq = ?`, row.seq as number)!;
    if (thread !== undefined && message.thread !== thread) continue;
    bytes += messageBytes(message);
    if (ready.length > 0 && bytes > FETCH_BYTES_MAX) break;
    ready.push({ ...row, ...message });
    if (ready.length >= limit) break;
  }
  return { ready, lapsed };
}

export function ack(turn: Turn, payload: PayloadOf<"mail.ack">): DataOf<"mail.ack"> {
  const name = String(speaker(turn).name);
  const state = payload.state ?? "handled";
  const acknowledged = eachOffered(turn, name, payload, (row) => {
    const isDone = row.state === "handled" || row.state === "replied" || (row.state === "seen" && state === "seen");
    if (!isDone) settle(turn, row, state);
  });
  return { acknowledged, unread: unreadOf(turn.log, name), epoch: turn.epoch };
}

export function nak(turn: Turn, payload: PayloadOf<"mail.nak">): DataOf<"mail.nak"> {
  const name = String(speaker(turn).name);
  const delayMs = between("delay_ms", payload.delay_ms, 0, MAIL_LIFE_MS) ?? 0;
  const returned = eachOffered(turn, name, payload, (row) => {
    if (row.state !== "offered" && row.state !== "seen") return false;
    giveBack(turn, row, {
      reason: payload.reason,
      ...(delayMs > 0 ? { notBeforeMs: turn.nowMs + delayMs } : {}),
    });
  });
  return { returned };
}

export function extend(turn: Turn, payload: PayloadOf<"mail.extend">): DataOf<"mail.extend"> {
  const name = String(speaker(turn).name);
  const untilMs = turn.nowMs + (between("lease_ms", payload.lease_ms, 1, LEASE_MS_MAX) ?? LEASE_MS);
  const extended = eachOffered(turn, name, payload, (row) => {
    if (row.state !== "offered" || row.lease_client !== turn.by.client) return false;
    turn.log.run(
      "update deliveries set at_ms = max(at_ms, ?), lease_until_ms = ?, due_at_ms = ? where recipient = ? and seq = ?",
      turn.ledSinceMs, // it has come, whichever leader handed it out
      untilMs,
      untilMs,
      row.recipient as string,
      row.seq as number,
    );
    tellDue(turn, untilMs);
  });
  return { extended };
}

/**
 * Does something with each of these messages that was offered to `name` and is not lost; the ids for which it was done. A lease that has run out
 * does not matter: late, but it says the truth. Without `from`, an id that several senders used is each of theirs.
 */
function eachOffered(
  turn: Turn,
  name: string,
  { ids, from }: { ids: readonly string[]; from?: string | undefined },
  act: (row: Row) => boolean | undefined,
): string[] {
  const names = asJson(namesOf(turn.log, name));
  return [...new Set(ids)].filter((id) => {
    const rows = turn.log.all(
      `select ${DELIVERY_COLUMNS}, m.id from messages m join deliveries d on d.seq = m.seq
       where m.id = ? and d.recipient in (select value from json_each(?)) and (?3 is null or m.sender = ?3)`,
      id,
      names,
      from,
    );
    const offered = rows.filter((row) => Number(row.offers) > 0 && row.state !== "dead" && row.state !== "expired");
    return offered.filter((row) => act(row) !== false).length > 0;
  });
}

/** The client is gone: what it holds is offered to others at once. */
export function release(turn: Turn, { client }: { client: string }): { returned: number } {
  const rows = turn.log.all(
    `select ${DELIVERY_COLUMNS} from deliveries d where d.lease_client = ? order by d.seq`,
    client,
  );
  for (const row of rows) giveBack(turn, row, {});
  return { returned: rows.length };
}

/** A delivery whose moment has come: the end of its lease, of its delay or of its life. */
export function lookAgain(turn: Turn, row: Row): void {
  if (!isOpen(row.state)) return;
  if (row.state === "offered") return giveBack(turn, row, {});
  if (Number(row.expires_at_ms) <= turn.nowMs) return settle(turn, row, "expired");
  endDelay(turn, row);
}
