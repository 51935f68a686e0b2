import { MAIL_LIFE_MS } from "../../protocol/mail-limits.ts";
import { DELIVERY_COLUMNS } from "./deliveries.ts";
import { ANSWERS_KEPT_MS, SWEEP_COUNT_MAX } from "./limits.ts";
import { lookAgain } from "./offers.ts";
import type { Turn } from "./turn.ts";

/** The next sweep is at most so far off, for old answers. */
const SWEEP_EVERY_MS = 3_600_000;

/**
 * What time does: leases that ran out, delays that are over, lives that ended, old answers. A bounded number in one transaction; the effect `due`
 * says when to sweep next, at once when there was more.
 */
export function sweep(turn: Turn): void {
  const { log, nowMs } = turn;
  const due = log.all(
    `select ${DELIVERY_COLUMNS} from deliveries d where d.due_at_ms <= ? order by d.due_at_ms, d.seq limit ?`,
    nowMs,
    SWEEP_COUNT_MAX,
  );
  for (const row of due) lookAgain(turn, row);
  const forgotten = log.run(
    "delete from answers where (client, id) in (select client, id from answers where at_ms < ? order by at_ms limit ?)",
    nowMs - ANSWERS_KEPT_MS,
    SWEEP_COUNT_MAX,
  );
  log.run("delete from tokens where expires_at_ms <= ?", nowMs);
  log.run(
    "delete from grants where at_ms < ? and not exists (select 1 from participants where participants.name = grants.name and holder = client)",
    nowMs - MAIL_LIFE_MS,
  );
  turn.effects = turn.effects.filter((effect) => effect.kind !== "due");
  turn.effects.push({
    kind: "due",
    atMs: nextDue(turn, due.length === SWEEP_COUNT_MAX || forgotten === SWEEP_COUNT_MAX),
  });
}

function nextDue({ log, nowMs }: Turn, hasMore: boolean): number {
  if (hasMore) return nowMs;
  const next = log.get("select due_at_ms from deliveries where due_at_ms is not null order by due_at_ms limit 1");
  return Math.min(Number(next?.due_at_ms ?? Number.POSITIVE_INFINITY), nowMs + SWEEP_EVERY_MS);
}
