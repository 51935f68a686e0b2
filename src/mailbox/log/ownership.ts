import { bootId } from "../../platform/process.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import { invalidValue, nameForwarded, nameOwned, nameReserved, nameTaken, noName } from "./errors.ts";
import { FORWARD_MS } from "./limits.ts";
import { checkedGroup, checkedName, SYSTEM } from "./names.ts";
import { ensureRow, forwarded, keyHash, participantRow, toParticipant, touch } from "./participants.ts";
import type { Row } from "./statements.ts";
import { type Look, type Turn, tellParticipant } from "./turn.ts";

/**
 * Who may have a name, and speak for it (invariant 5). A name belongs to a key or a unit once it was registered so; without, it is its holder's as
 * long as the holder's process lives, and free after that. Whatever becomes of a name, its mail stays.
 */

/** How exactly it is known when a shown key was last used. */
const GRANT_GRAIN_MS = 24 * 3_600_000;

/**
 * The row of the name that `by` speaks for.
 * @throws NAME_NEEDED, INVALID_NAME, NAME_OWNED, NAME_TAKEN, NAME_RESERVED
 */
export function speaker(turn: Turn): Row {
  if (turn.by.name === undefined) throw noName();
  return speakerNamed(turn, turn.by.name);
}

function speakerNamed(turn: Turn, given: string): Row {
  const { log, by, nowMs } = turn;
  const name = checkedName(given);
  if (name === SYSTEM && !by.isMailbox) throw nameReserved(name);
  const row = ensureRow(log, name);
  if (by.isMailbox) return row;
  const to = forwarded(log, name, nowMs);
  if (to !== name) throw nameForwarded(name, to);
  refuseStranger(turn, row);
  if (row.owner === "key") refreshGrant(turn, name);
  touch(turn, row);
  return row;
}

/** For looking only: a name that nobody has had is nobody's. @throws NAME_NEEDED, INVALID_NAME, NAME_OWNED, NAME_TAKEN */
export function reader(look: Look): string {
  if (look.by.name === undefined) throw noName();
  const name = checkedName(look.by.name);
  const row = participantRow(look.log, name);
  if (row && !look.by.isMailbox) refuseStranger(look, row);
  return name;
}

function refuseStranger(turn: Look, row: Row): void {
  const { by } = turn;
  const name = String(row.name);
  if (row.owner === "unit") {
    if (by.isServer || (by.unit !== undefined && by.unit === row.unit)) return;
    throw nameOwned(name, "unit");
  }
  if (row.owner === "key") {
    if (!hasShownKey(turn, name)) throw nameOwned(name, "key");
    return;
  }
  refuseWhileHeld(turn, row);
}

/** A free name is its holder's while that lives. `pid`: who asks for it, when that is known. */
function refuseWhileHeld(turn: Look, row: Row, pid?: number): void {
  if (row.holder === null || row.holder === turn.by.client) return;
  if (pid !== undefined && pid === row.pid) return; // the same process over another connection
  if (turn.presences.of(row, turn.nowMs) === "gone") return;
  throw nameTaken(String(row.name), Number(row.pid));
}

const hasShownKey = (look: Look, name: string): boolean => grantOf(look, name) !== undefined;

const grantOf = ({ log, by }: Look, name: string): Row | undefined =>
  log.remembered("grants", `${name} ${by.client}`, () =>
    log.get("select at_ms from grants where name = ? and client = ?", name, by.client),
  );

export function register(turn: Turn, payload: PayloadOf<"mail.register">): DataOf<"mail.register"> {
  const { log, by, nowMs } = turn;
  const name = checkedName(payload.name);
  if (name === SYSTEM) throw nameReserved(name);
  const groups = (payload.groups ?? []).map(checkedGroup);
  if (payload.key === "") throw invalidValue("key", payload.key, "a secret");
  if (payload.unit !== undefined && !by.isServer && by.unit !== payload.unit) throw nameOwned(name, "unit");
  const row = ensureRow(log, name);
  refuseTaking(turn, row, payload);
  log.run("delete from forwards where old = ?", name);
  const owner = payload.unit !== undefined ? "unit" : payload.key !== undefined ? "key" : String(row.owner);
  log.run(
    `update participants set owner = ?, key_hash = ?, unit = ?, pid = ?, pid_start = ?, boot_id = ?, holder = ?,
     registered_at_ms = coalesce(registered_at_ms, ?), last_seen_ms = ? where name = ?`,
    owner,
    owner === "key" ? (payload.key === undefined ? (row.key_hash as string) : keyHash(payload.key)) : null,
    owner === "unit" ? (payload.unit ?? (row.unit as string)) : null,
    payload.pid,
    payload.pid_start,
    payload.pid === undefined ? null : bootId(),
    by.client,
    nowMs,
    nowMs,
    name,
  );
  if (owner === "key") grant(turn, name);
  for (const group of groups) log.run('insert or ignore into members ("group", name) values (?, ?)', group, name);
  return told(turn, name);
}

function refuseTaking(turn: Turn, row: Row, { key, unit, pid }: PayloadOf<"mail.register">): void {
  const { log, by, nowMs } = turn;
  const name = String(row.name);
  const to = forwarded(log, name, nowMs);
  if (to !== name && !speaksFor(turn, to)) throw nameForwarded(name, to);
  if (row.owner === "key") {
    if (key !== undefined ? keyHash(key) === row.key_hash : hasShownKey(turn, name)) return;
    throw nameOwned(name, "key");
  }
  if (row.owner === "unit") {
    if (unit === row.unit || (by.unit !== undefined && by.unit === row.unit)) return;
    throw nameOwned(name, "unit");
  }
  refuseWhileHeld(turn, row, pid);
}

/** Whether `by` could speak for this name, without doing so. */
function speaksFor(turn: Turn, name: string): boolean {
  const row = participantRow(turn.log, name);
  if (!row || turn.by.isMailbox) return true;
  try {
    refuseStranger(turn, row);
    return row.owner !== "nobody" || row.holder === turn.by.client;
  } catch {
    return false;
  }
}

function grant({ log, by, nowMs }: Turn, name: string): void {
  log.run(
    "insert into grants (name, client, at_ms) values (?, ?, ?) on conflict do update set at_ms = excluded.at_ms",
    name,
    by.client,
    nowMs,
  );
}

/** A shown key is forgotten when nobody has used it for a week. */
function refreshGrant(turn: Turn, name: string): void {
  const { log, by, nowMs } = turn;
  if (Number(grantOf(turn, name)?.at_ms) >= nowMs - GRANT_GRAIN_MS) return;
  log.run("update grants set at_ms = ? where name = ? and client = ?", nowMs, name, by.client);
}

export function unregister(turn: Turn, payload: PayloadOf<"mail.unregister">): DataOf<"mail.unregister"> {
  const row = speakerNamed(turn, payload.name);
  const name = String(row.name);
  turn.log.run(
    "update participants set pid = null, pid_start = null, boot_id = null, holder = null where name = ?",
    name,
  );
  // What belonged to a unit is the unit's server's to give up.
  if (row.owner === "unit") turn.log.run("update participants set owner = 'nobody', unit = null where name = ?", name);
  turn.log.run("delete from grants where name = ? and client = ?", name, turn.by.client);
  tellParticipant(turn, name);
  return { name };
}

export function groups(turn: Turn, payload: PayloadOf<"mail.groups">): DataOf<"mail.groups"> {
  const name = String(speaker(turn).name);
  for (const group of (payload.join ?? []).map(checkedGroup))
    turn.log.run('insert or ignore into members ("group", name) values (?, ?)', group, name);
  for (const group of (payload.leave ?? []).map(checkedGroup))
    turn.log.run('delete from members where "group" = ? and name = ?', group, name);
  return told(turn, name);
}

/** The name's owner, groups, keys and unread mail go over; the old name forwards. */
export function rename(turn: Turn, payload: PayloadOf<"mail.rename">): DataOf<"mail.rename"> {
  const { log, nowMs } = turn;
  const row = speaker(turn);
  const old = String(row.name);
  const name = checkedName(payload.name);
  if (name === SYSTEM) throw nameReserved(name);
  if (name === old) return told(turn, name);
  const taken = ensureRow(log, name);
  if (taken.owner !== "nobody") throw nameOwned(name, taken.owner as "key" | "unit");
  const to = forwarded(log, name, nowMs);
  if (to !== name && to !== old) throw nameForwarded(name, to);
  refuseWhileHeld(turn, taken);
  moveUnread(turn, old, name);
  log.run(
    `update participants set owner = ?, key_hash = ?, unit = ?, pid = ?, pid_start = ?, boot_id = ?, holder = ?, registered_at_ms = ?,
     last_seen_ms = ? where name = ?`,
    ...(["owner", "key_hash", "unit", "pid", "pid_start", "boot_id", "holder"].map((key) => row[key]) as string[]),
    nowMs,
    nowMs,
    name,
  );
  log.run(
    `update participants set owner = 'nobody', key_hash = null, unit = null, pid = null, pid_start = null, boot_id = null, holder = null
     where name = ?`,
    old,
  );
  log.run("update or replace grants set name = ? where name = ?", name, old);
  log.run("update or replace members set name = ? where name = ?", name, old);
  log.run("update tokens set name = ? where name = ?", name, old);
  log.run("delete from forwards where old = ?", name);
  log.run("update forwards set new = ? where new = ?", name, old);
  log.run("insert or replace into forwards (old, new, until_ms) values (?, ?, ?)", old, name, nowMs + FORWARD_MS);
  tellParticipant(turn, old);
  return told(turn, name);
}

function moveUnread(turn: Turn, old: string, name: string): void {
  const { log, nowMs } = turn;
  const isOpen = "state in ('queued', 'offered')";
  // A message that was addressed to both names: one copy is enough.
  const doubled = log.run(
    `update deliveries set state = 'handled', at_ms = ?, reason = 'merged', due_at_ms = null, lease_until_ms = null, lease_client = null
     where recipient = ? and ${isOpen} and exists (select 1 from deliveries other where other.recipient = ? and other.seq = deliveries.seq)`,
    nowMs,
    old,
    name,
  );
  const moved = log.run(`update deliveries set recipient = ? where recipient = ? and ${isOpen}`, name, old);
  log.run("update participants set unread = 0 where name = ?", old);
  log.run("update participants set unread = unread + ? where name = ?", moved, name);
  if (doubled > 0) log.run("update totals set unread = unread - ?", doubled);
  if (moved === 0) return;
  const first = log.get(
    `select m.id, m.seq, m.sender from deliveries d join messages m on m.seq = d.seq where d.recipient = ? and d.state = 'queued' order by d.seq limit 1`,
    name,
  );
  if (first)
    turn.effects.push({
      kind: "queued",
      to: name,
      from: String(first.sender),
      id: String(first.id),
      seq: Number(first.seq),
    });
}

function told(turn: Turn, name: string): { participant: DataOf<"mail.register">["participant"] } {
  tellParticipant(turn, name);
  const row = participantRow(turn.log, name)!;
  return { participant: toParticipant(turn.log, turn.presences, row, turn.nowMs) };
}
