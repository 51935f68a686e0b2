import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import { messageBytes } from "./message-rows.ts";
import { between } from "./send.ts";
import type { Row, Statements } from "./statements.ts";

/**
 * All that is in the log as rows of JSON, in pages: the participants, groups and forwards first, then the messages with their deliveries in the order
 * of their seq. Leases, answers and tokens are of the moment, and stay.
 */

const PAGE_ROWS = 500;
const PAGE_ROWS_MAX = 5_000;
/** Subjects, bodies and data of one page; the first message is given whatever its size. */
const PAGE_BYTES = 512 * 1024;

export function exportRows(log: Statements, { after, limit }: PayloadOf<"mail.export">): DataOf<"mail.export"> {
  const rows: Record<string, unknown>[] = after === undefined ? places(log) : [];
  const count = between("limit", limit, 1, PAGE_ROWS_MAX) ?? PAGE_ROWS;
  let bytes = 0;
  let last: number | undefined;
  let taken = 0;
  for (const row of log.each("select * from messages where seq > ? order by seq limit ?", after ?? 0, count + 1)) {
    bytes += messageBytes(row);
    if (taken === count || (taken > 0 && bytes > PAGE_BYTES)) return { rows, next: last! };
    rows.push({ row: "message", ...present(row), deliveries: deliveriesOf(log, Number(row.seq)) });
    last = Number(row.seq);
    taken += 1;
  }
  return { rows };
}

function places(log: Statements): Record<string, unknown>[] {
  const all = (kind: string, sql: string): Record<string, unknown>[] =>
    log.all(sql).map((row) => ({ row: kind, ...present(row) }));
  return [
    { row: "log", format: 1 },
    ...all(
      "participant",
      "select name, owner, key_hash, unit, registered_at_ms, last_seen_ms from participants order by name",
    ),
    ...all("member", 'select "group", name from members order by 1, 2'),
    ...all("forward", "select old, new, until_ms from forwards order by old"),
  ];
}

/** Until when a copy is put off: the outbox knows it of one for another machine. */
const PUT_OFF = `case instr(d.recipient, '@') when 0 then d.not_before_ms else (
  select o.not_before_ms from outbox o where o.machine = substr(d.recipient, instr(d.recipient, '@') + 1)
  and o.sender = d.sender and o.seq = d.seq and o.recipient = d.recipient) end`;

const deliveriesOf = (log: Statements, seq: number): Record<string, unknown>[] =>
  log
    .all(
      `select d.recipient, d.addressed_to, d.state, d.at_ms, d.offers, ${PUT_OFF} as not_before_ms, d.expires_at_ms, d.reason, r.id as reply_id, r.sender as reply_sender
       from deliveries d left join messages r on r.seq = d.reply_seq where d.seq = ? order by d.recipient`,
      seq,
    )
    .map(present);

/** Without what is null. */
const present = (row: Row): Record<string, unknown> =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
