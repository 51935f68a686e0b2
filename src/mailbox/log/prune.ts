import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import { ANSWERS_KEPT_MS, SWEEP_COUNT_MAX } from "./limits.ts";
import { between, logHead } from "./send.ts";
import type { Row } from "./statements.ts";
import type { Turn } from "./turn.ts";

/**
 * Removes old messages that are over: the one way in which something leaves the log. A bounded part in one transaction, so that nobody waits for it.
 *
 * Invariants
 * 1. Never a message with a receipt that may still change: only when each of them is `handled`, `replied`, `expired` or `dead`, for `older_than_ms`. What was
 *    `seen` and not acknowledged stays.
 * 2. Never the newest message: its seq says what the next one's is, and no seq is given twice.
 * 3. Never a message whose sending has a stored answer: those that are too old for repeats go first, and `older_than_ms` is at least as long as they are kept.
 * 4. Never a message that another machine has not confirmed, or has not been told the end of.
 * 5. A removed `(sender, id)` is forgotten: sent again, it is a new message. So ids are remembered for as long as their message is kept, a day at least.
 */

/** Messages that are looked at in one transaction, and rows that are removed by it; the rest is for the next one. */
const LOOKED_AT_MAX = 1_000;
const REMOVED_ROWS_MAX = 500;
/** A life of more than this is as good as for ever. */
const OLDER_MS_MAX = 100 * 365 * 24 * 3_600_000;

/** @throws INVALID_PAYLOAD */
export function prune(turn: Turn, payload: PayloadOf<"mail.prune">): DataOf<"mail.prune"> {
  const { nowMs } = turn;
  const olderMs = between("older_than_ms", payload.older_than_ms, ANSWERS_KEPT_MS, OLDER_MS_MAX)!;
  const isDry = payload.dry_run === true;
  const after = payload.after ?? 0;
  if (!isDry && forgetOldAnswers(turn)) return { messages: 0, bytes: 0, next: after };
  const found = looked(turn, after, nowMs - olderMs);
  const total = { messages: 0, bytes: 0, rows: 0 };
  let last = after;
  for (const row of found) {
    if (total.rows >= REMOVED_ROWS_MAX && !isDry) return { messages: total.messages, bytes: total.bytes, next: last };
    last = Number(row.seq);
    if (row.is_over !== 1) continue;
    total.messages += 1;
    total.bytes += Number(row.bytes);
    if (!isDry) total.rows += remove(turn, row);
  }
  const { messages, bytes } = total;
  return { messages, bytes, ...(found.length < LOOKED_AT_MAX ? {} : { next: last }) };
}

/** How many rows that were. */
function remove({ log }: Turn, { seq, dead }: Row): number {
  const copies = log.run("delete from deliveries where seq = ?", seq as number);
  log.run("delete from messages where seq = ?", seq as number);
  log.run("update totals set messages = messages - 1, dead = dead - ?", dead as number);
  return copies + 1;
}

const looked = ({ log }: Turn, after: number, beforeMs: number): Row[] =>
  log.all(
    `select m.seq,
       octet_length(m.body) + octet_length(coalesce(m.subject, '')) + octet_length(coalesce(m.data, '')) as bytes,
       (select count(*) from deliveries d where d.seq = m.seq and d.state in ('dead', 'expired')) as dead,
       m.sent_at_ms <= ?1 and not exists (
         select 1 from deliveries d where d.seq = m.seq
         and not (d.state in ('handled', 'replied', 'expired', 'dead') and d.at_ms <= ?1)
       ) and m.seq not in (select seq from outbox) and not exists (select 1 from arrivals a where a.seq = m.seq) as is_over
     from messages m where m.seq > ?2 and m.seq < ?3 order by m.seq limit ?4`,
    beforeMs,
    after,
    logHead(log),
    LOOKED_AT_MAX,
  );

/** Whether there may be more of them. */
const forgetOldAnswers = ({ log, nowMs }: Turn): boolean =>
  log.run(
    "delete from answers where (client, id) in (select client, id from answers where at_ms < ? order by at_ms limit ?)",
    nowMs - ANSWERS_KEPT_MS,
    SWEEP_COUNT_MAX,
  ) === SWEEP_COUNT_MAX;
