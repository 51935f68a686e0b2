import type { Recipient } from "../../protocol/mail-units.ts";
import { suggest } from "../../protocol/suggest.ts";
import { isRemote, remoteAddress } from "./addresses.ts";
import { DELIVERY_COLUMNS, isOpen, settle, tellReceipt } from "./deliveries.ts";
import { UNREAD_MAX } from "./limits.ts";
import type { AwayCopy, AwayReceipt, MachineCalls, MachineReads, Outgoing } from "./machine-calls.ts";
import { machineFull, machineUnknown, notJoined } from "./machine-errors.ts";
import { machineRow, namesAt, ownMachine } from "./machine-rows.ts";
import { MESSAGE_COLUMNS, messageBytes } from "./message-rows.ts";
import type { Row, Statements } from "./statements.ts";
import { type Turn, tellDue } from "./turn.ts";

/**
 * Copies for other machines. A row of the outbox is over when the other machine has said that the copy is in its log, or when its life has ended, and never
 * before; its delivery is open until a receipt of the recipient comes. The numbers of one sender's copies for one machine rise as their messages do.
 */

/** Subjects, bodies and data of one page; the first copy is given whatever its size. */
const PAGE_BYTES_MAX = 4 * 1024 * 1024;

export interface AwayAddressee {
  name: string;
  machine: string;
}

/**
 * Where a message to this address goes: a name of this machine, or another machine.
 * @throws INVALID_NAME, NOT_JOINED, MACHINE_UNKNOWN, MAILBOX_FULL
 */
export function resolved(log: Statements, address: string): { local: string } | { away: AwayAddressee } {
  if (!isRemote(address)) return { local: address };
  const { name, machine } = remoteAddress(address);
  const own = ownMachine(log);
  if (own === undefined) throw notJoined(address);
  if (machine === own) return { local: name };
  const row = machineRow(log, machine);
  if (!row) throw machineUnknown(machine, suggest(machine, machineNames(log)));
  if (Number(row.waiting) >= UNREAD_MAX) throw machineFull(machine, Number(row.waiting));
  return { away: { name: address, machine } };
}

const machineNames = (log: Statements): string[] => log.all("select name from machines").map((row) => String(row.name));

/** The delivery of a message that was just stored, and its place in the outbox. */
export function sendAway(
  turn: Turn,
  { id, seq, sender }: { id: string; seq: number; sender: string },
  { name, machine }: AwayAddressee,
  { expiresMs, notBeforeMs }: { expiresMs: number; notBeforeMs: number },
): Recipient {
  const { log, nowMs } = turn;
  const told = toAwayRecipient(log, { name, machine });
  log.run(
    `insert into deliveries (recipient, seq, sender, state, at_ms, expires_at_ms, due_at_ms) values (?, ?, ?, 'queued', ?, ?, ?)`,
    name,
    seq,
    sender,
    nowMs,
    expiresMs,
    expiresMs,
  );
  enqueue(log, { sender, seq }, { name, machine }, notBeforeMs);
  tellDue(turn, expiresMs);
  turn.effects.push({ kind: "queued", to: name, from: sender, id, seq });
  return { ...told, unread: told.unread + 1 };
}

/** The place of a delivery in the outbox. The machine need not be known yet: an import may come before the first word of it. */
export function enqueue(
  log: Statements,
  { sender, seq }: { sender: string; seq: number },
  { name, machine }: AwayAddressee,
  notBeforeMs: number,
): void {
  log.run(
    "insert into outbox (machine, sender, seq, recipient, not_before_ms) values (?, ?, ?, ?, ?)",
    machine,
    sender,
    seq,
    name,
    notBeforeMs > 0 ? notBeforeMs : null,
  );
  log.run(
    "insert into machines (name, waiting) values (?, 1) on conflict do update set waiting = waiting + 1",
    machine,
  );
}

function toAwayRecipient(log: Statements, { name, machine }: AwayAddressee): Recipient {
  const row = machineRow(log, machine);
  const known = new Map(namesAt(row).map(([each, presence]) => [`${each}@${machine}`, presence]));
  const presence = known.get(name);
  const meant = presence === undefined ? suggest(name, [...known.keys()]) : undefined;
  return {
    name,
    known: presence !== undefined,
    presence: row?.is_here === 1 ? (presence ?? "gone") : "gone",
    unread: Number(
      log.get("select count(*) as count from outbox where machine = ? and recipient = ?", machine, name)?.count,
    ),
    ...(meant === undefined ? {} : { suggestion: meant }),
    ...(row?.is_here === 1 ? {} : { machine_away: true }),
  };
}

export function outbox(
  { log }: { log: Statements },
  { machine, after = 0, ns, limit }: MachineReads["log.outbox"]["payload"],
): MachineReads["log.outbox"]["data"] {
  const rows = log.all(
    `select o.n, o.sender as o_sender, o.recipient, o.not_before_ms, d.state, d.expires_at_ms as d_expires, ${MESSAGE_COLUMNS},
       coalesce((select p.n from outbox p join deliveries pd on pd.seq = p.seq and pd.recipient = p.recipient
         where p.machine = o.machine and p.sender = o.sender and p.n < o.n and pd.state in ('queued', 'offered') order by p.n desc limit 1), 0) as prev
     from outbox o left join deliveries d on d.seq = o.seq and d.recipient = o.recipient left join messages m on m.seq = o.seq
     where o.machine = ?1 and o.n > ?2 and (?3 is null or o.n in (select value from json_each(?3))) order by o.n limit ?4`,
    machine,
    after,
    ns === undefined ? undefined : JSON.stringify(ns),
    limit,
  );
  const outgoing: Outgoing[] = [];
  let bytes = 0;
  for (const row of rows) {
    bytes += messageBytes(row);
    if (outgoing.length > 0 && bytes > PAGE_BYTES_MAX) break;
    const base = { n: Number(row.n), sender: String(row.o_sender) };
    outgoing.push(isOpen(row.state) ? { ...base, copy: toCopy(row) } : base);
  }
  return { outgoing, has_more: outgoing.length < rows.length || rows.length === limit };
}

const toCopy = (row: Row): AwayCopy => ({
  n: Number(row.n),
  prev: Number(row.prev),
  from: String(row.o_sender),
  to: remoteAddress(String(row.recipient)).name,
  id: String(row.id),
  seq: Number(row.seq),
  kind: row.kind as AwayCopy["kind"],
  sent_at_ms: Number(row.sent_at_ms),
  body: String(row.body),
  ...(row.subject === null ? {} : { subject: String(row.subject) }),
  ...(row.data === null ? {} : { data: JSON.parse(String(row.data)) as Record<string, unknown> }),
  thread: String(row.thread),
  ...(row.reply_to === null ? {} : { reply_to: String(row.reply_to) }),
  hops: Number(row.hops),
  expires_at_ms: Number(row.d_expires),
  ...(row.not_before_ms === null ? {} : { not_before_ms: Number(row.not_before_ms) }),
});

/** They are on their way: `offered`, which counts as nothing. */
export function kept(turn: Turn, { ns }: MachineCalls["log.outbox_kept"]["payload"]): { count: number } {
  const rows = turn.log.all(
    `select ${DELIVERY_COLUMNS} from outbox o join deliveries d on d.seq = o.seq and d.recipient = o.recipient
     where o.n in (select value from json_each(?)) and d.state = 'queued'`,
    JSON.stringify(ns),
  );
  for (const row of rows) {
    turn.log.run(
      "update deliveries set state = 'offered', at_ms = ?, offers = 1 where recipient = ? and seq = ?",
      turn.nowMs,
      row.recipient as string,
      row.seq as number,
    );
    tellReceipt(turn, row, "offered");
  }
  return { count: rows.length };
}

export function over({ log }: Turn, { machine, ns }: MachineCalls["log.outbox_over"]["payload"]): { count: number } {
  const count = log.run(
    "delete from outbox where machine = ? and n in (select value from json_each(?))",
    machine,
    JSON.stringify(ns),
  );
  log.run("update machines set waiting = max(0, waiting - ?) where name = ?", count, machine);
  return { count };
}

/** Copies that an older build left here when their life was over, and what is counted of the rest. */
export function leaveExpired(log: Statements): void {
  log.run(
    `delete from outbox where exists (
       select 1 from deliveries d where d.seq = outbox.seq and d.recipient = outbox.recipient and d.state = 'expired'
     )`,
  );
  log.run("update machines set waiting = (select count(*) from outbox o where o.machine = machines.name)");
}

export function refused(
  turn: Turn,
  { machine, n, reason }: MachineCalls["log.outbox_refused"]["payload"],
): { count: number } {
  const row = turn.log.get(
    `select ${DELIVERY_COLUMNS} from outbox o join deliveries d on d.seq = o.seq and d.recipient = o.recipient where o.machine = ? and o.n = ?`,
    machine,
    n,
  );
  if (row && isOpen(row.state)) settle(turn, row, "dead", { reason });
  return over(turn, { machine, ns: [n] });
}

/** How far a receipt brings a delivery; one that says less than is known changes nothing. */
const RANKS: Record<string, number> = { queued: 0, offered: 1, expired: 2, dead: 2, seen: 3, handled: 4, replied: 5 };

/** Whatever is told again, or too late, changes nothing. `replied` alone is not believed: the reply itself says so when it comes. */
export function takeReceipts(
  turn: Turn,
  { machine, receipts }: MachineCalls["log.receipts"]["payload"],
): { count: number } {
  let count = 0;
  for (const receipt of receipts) if (takeReceipt(turn, machine, receipt)) count += 1;
  return { count };
}

function takeReceipt(turn: Turn, machine: string, { seq, to, id, state, reason }: AwayReceipt): boolean {
  const row = turn.log.get(
    `select ${DELIVERY_COLUMNS}, m.id from deliveries d join messages m on m.seq = d.seq where d.seq = ? and d.recipient = ? and m.id = ?`,
    seq,
    `${to}@${machine}`,
    id,
  );
  const reached = state === "replied" ? "handled" : state;
  if (!row || RANKS[reached]! <= RANKS[String(row.state)]!) return false;
  settle(turn, row, reached, { reason });
  return true;
}
