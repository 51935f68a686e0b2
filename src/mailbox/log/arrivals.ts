import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import { MAIL_LIFE_MS } from "../../protocol/mail-limits.ts";
import { awayReason } from "./away-reason.ts";
import { DELIVERY_COLUMNS, settle } from "./deliveries.ts";
import type { Arrival, AwayCopy, AwayReceipt, MachineCalls, MachineReads } from "./machine-calls.ts";
import { asJson, namesOf } from "./message-rows.ts";
import { MAIL_NAME_PATTERN } from "./names.ts";
import { forwarded } from "./participants.ts";
import { addCopy, type Draft, store } from "./send.ts";
import type { Row, Statements } from "./statements.ts";
import type { Turn } from "./turn.ts";

/**
 * Copies that other machines have sent. Each is taken once, by its sender, that machine and its id, however often it comes; and those of one sender in their order:
 * a copy says which one was before it, and waits as long as that has not come. What becomes of it is told back until its machine has noted it.
 */

/** A life that another machine's clock gave is at most so much longer than ours could be. */
const LIFE_SLACK_MS = 24 * 3_600_000;

/** How far something is told; a row that has been told so far is not needed any more. */
const TOLD: Record<string, number> = { seen: 1, handled: 2, replied: 2, expired: 2, dead: 2 };
const TOLD_ALL = 2;
/** The same of a delivery `d`, more than of its arrival `a` is told. */
const IS_DUE = "d.state not in ('queued', 'offered') and a.told < case d.state when 'seen' then 1 else 2 end";

export function arrive(turn: Turn, { machine, log_id, copy }: MachineCalls["log.arrive"]["payload"]): Arrival {
  const { log, nowMs } = turn;
  const sender = `${copy.from}@${machine}`;
  const last = Number(
    log.get("select last from inbound where machine = ? and log_id = ? and sender = ?", machine, log_id, copy.from)
      ?.last ?? 0,
  );
  const problem = problemOf(copy, nowMs);
  if (problem !== undefined) {
    // It never comes: what is behind it does not wait for it. What waits for one before it still does.
    if (copy.prev <= last) passed(turn, machine, log_id, copy, last);
    return { outcome: "refused", last, reason: problem };
  }
  const message = log.get("select seq from messages where id = ? and sender = ?", copy.id, sender);
  const place = message && placeOf(log, Number(message.seq), copy.to);
  if (place) {
    // With all that was before it: its machine sends it because it has not heard of it.
    if (copy.prev <= last) passed(turn, machine, log_id, copy, last);
    return { outcome: "known", last };
  }
  if (copy.prev > last) return { outcome: "gap", last };
  try {
    const seq = message
      ? addCopy(turn, draftOf(turn, sender, copy), Number(message.seq))
      : storeNew(turn, sender, copy);
    note(turn, machine, log_id, copy, seq);
    settleAnswered(turn, machine, sender, copy, seq);
  } catch (error) {
    if (isWarrenError(error, "MAILBOX_FULL")) return { outcome: "full", last, reason: error.message };
    if (!isWarrenError(error)) throw error;
    if (copy.prev <= last) passed(turn, machine, log_id, copy, last);
    return { outcome: "refused", last, reason: messageOf(error) };
  }
  passed(turn, machine, log_id, copy, last);
  return { outcome: "taken", last: Math.max(last, copy.n) };
}

/** Why it is never taken. Types were checked when it was read. */
function problemOf(copy: AwayCopy, nowMs: number): string | undefined {
  if (!MAIL_NAME_PATTERN.test(copy.from)) return `its sender "${copy.from.slice(0, 80)}" has no valid name`;
  // No group, and nobody elsewhere: nothing is broadcast or passed on for another machine.
  if (!MAIL_NAME_PATTERN.test(copy.to)) return `"${copy.to.slice(0, 80)}" is no name of this machine`;
  if (copy.expires_at_ms <= nowMs) return "it came after the end of its life";
  if (copy.expires_at_ms > nowMs + MAIL_LIFE_MS + LIFE_SLACK_MS) return "its life is longer than a message's may be";
  return undefined;
}

function storeNew(turn: Turn, sender: string, copy: AwayCopy): number {
  return store(turn, draftOf(turn, sender, copy)).message.seq;
}

const draftOf = ({ nowMs }: Turn, sender: string, copy: AwayCopy): Draft => ({
  from: sender,
  to: [copy.to],
  id: copy.id,
  kind: copy.kind,
  body: copy.body,
  subject: copy.subject,
  data: copy.data,
  thread: copy.thread,
  replyTo: copy.reply_to,
  hops: copy.hops,
  sentAtMs: Math.min(copy.sent_at_ms, nowMs),
  ttlMs: copy.expires_at_ms - nowMs,
  delayMs: Math.max(0, (copy.not_before_ms ?? 0) - nowMs),
});

/** The delivery of this message to `to`, or to whoever had that name then. */
function placeOf(log: Statements, seq: number, to: string): Row | undefined {
  return log.get(
    "select recipient from deliveries where seq = ?1 and (recipient = ?2 or recipient in (select new from forwards where old = ?2))",
    seq,
    to,
  );
}

function passed({ log }: Turn, machine: string, logId: string, { from, n }: AwayCopy, last: number): void {
  if (n <= last) return;
  log.run(
    "insert into inbound (machine, log_id, sender, last) values (?, ?, ?, ?) on conflict do update set last = excluded.last",
    machine,
    logId,
    from,
    n,
  );
}

function note({ log }: Turn, machine: string, logId: string, copy: AwayCopy, seq: number): void {
  log.run(
    "insert or ignore into arrivals (machine, log_id, n, seq, recipient, origin_seq) values (?, ?, ?, ?, ?, ?)",
    machine,
    logId,
    copy.n,
    seq,
    copy.to,
    copy.seq,
  );
}

/** A reply that has come says more than a receipt: what it answers is `replied`, with it. */
function settleAnswered(turn: Turn, machine: string, sender: string, copy: AwayCopy, seq: number): void {
  if (copy.kind !== "reply" || copy.reply_to === undefined) return;
  const rows = turn.log.all(
    `select ${DELIVERY_COLUMNS}, m.id from messages m join deliveries d on d.seq = m.seq
     where m.id = ? and m.sender in (select value from json_each(?)) and substr(d.recipient, -length(?3)) = ?3`,
    copy.reply_to,
    asJson(namesOf(turn.log, forwarded(turn.log, copy.to, turn.nowMs))),
    `@${machine}`,
  );
  const answered = rows.find(({ recipient }) => recipient === sender) ?? (rows.length === 1 ? rows[0] : undefined);
  if (answered && answered.state !== "replied") settle(turn, answered, "replied", { replySeq: seq });
}

export function receiptsDue(
  { log }: { log: Statements },
  { machine, log_id, seqs, after = 0, limit }: MachineReads["log.receipts_due"]["payload"],
): MachineReads["log.receipts_due"]["data"] {
  const columns = `a.n, a.origin_seq, a.recipient as addressed, d.state, d.reason, m.id`;
  const joins = `join deliveries d on d.seq = a.seq and (d.recipient = a.recipient or d.recipient in (select new from forwards where old = a.recipient))
    join messages m on m.seq = a.seq`;
  const rows =
    seqs === undefined
      ? log.all(
          `select ${columns} from arrivals a ${joins} where a.machine = ? and a.log_id = ? and a.n > ? and ${IS_DUE} order by a.n limit ?`,
          machine,
          log_id,
          after,
          limit,
        )
      : log.all(
          `select ${columns} from json_each(?) s join arrivals a on a.seq = s.value ${joins}
           where a.machine = ? and a.log_id = ? and ${IS_DUE}`,
          JSON.stringify(seqs),
          machine,
          log_id,
        );
  return { receipts: rows.map(toReceipt) };
}

const toReceipt = (row: Row): AwayReceipt => ({
  n: Number(row.n),
  seq: Number(row.origin_seq),
  to: String(row.addressed),
  id: String(row.id),
  state: row.state as AwayReceipt["state"],
  ...(row.reason === null ? {} : { reason: awayReason(String(row.reason)) }),
});

/** What is told to the end needs no row any more: the message itself says that it was taken. */
export function receiptsNoted(
  { log }: Turn,
  { machine, log_id, receipts }: MachineCalls["log.receipts_noted"]["payload"],
): { count: number } {
  for (const { n, state } of receipts) {
    const told = TOLD[state] ?? 0;
    if (told >= TOLD_ALL)
      log.run("delete from arrivals where machine = ? and log_id = ? and n = ?", machine, log_id, n);
    else
      log.run(
        "update arrivals set told = max(told, ?) where machine = ? and log_id = ? and n = ?",
        told,
        machine,
        log_id,
        n,
      );
  }
  return { count: receipts.length };
}
