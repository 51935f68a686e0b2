import { createHash } from "node:crypto";
import { timestamp } from "../../platform/clock.ts";
import type { Participant } from "../../protocol/mail-units.ts";
import { BROADCAST_SEEN_MS, LAST_SEEN_GRAIN_MS } from "./limits.ts";
import { PERSON } from "./names.ts";
import type { Presences } from "./presences.ts";
import type { Row, Statements } from "./statements.ts";
import type { Turn } from "./turn.ts";

/** Who has a name, as rows. Who may have it is decided in `ownership.ts`. */

export const participantRow = (log: Statements, name: string): Row | undefined =>
  log.remembered("participants", name, () => log.get("select * from participants where name = ?", name));

/** A name that mail waits for, or that somebody has; made when it is new. */
export function ensureRow(log: Statements, name: string): Row {
  const row = participantRow(log, name);
  if (row) return row;
  log.run("insert into participants (name) values (?)", name);
  return participantRow(log, name)!;
}

/** It has asked for something: it is known from then on. Written seldom, so that reading costs no write. */
export function touch(turn: Turn, row: Row): void {
  const { log, nowMs } = turn;
  if (row.registered_at_ms !== null && Math.abs(nowMs - Number(row.last_seen_ms)) < LAST_SEEN_GRAIN_MS) return;
  log.run(
    "update participants set last_seen_ms = ?, registered_at_ms = coalesce(registered_at_ms, ?) where name = ?",
    nowMs,
    nowMs,
    row.name as string,
  );
}

const groupsOf = (log: Statements, name: string): string[] =>
  log.all('select "group" from members where name = ? order by 1', name).map((row) => String(row.group));

/** Where mail to `name` goes; itself, unless it has another name since less than two hours. */
export function forwarded(log: Statements, name: string, nowMs: number): string {
  const row = log.remembered("forwards", name, () => log.get("select new, until_ms from forwards where old = ?", name));
  return row && Number(row.until_ms) > nowMs ? String(row.new) : name;
}

export const isPerson = (turn: Turn, name: string): boolean =>
  turn.by.isPerson === true || name === PERSON || name.startsWith(`${PERSON}@`);

/** Everybody that a broadcast reaches. */
export const everybody = (log: Statements, nowMs: number): string[] =>
  log
    .all(
      `select name from participants where registered_at_ms is not null and last_seen_ms > ?
       and not exists (select 1 from forwards where old = participants.name and until_ms > ?) order by name`,
      nowMs - BROADCAST_SEEN_MS,
      nowMs,
    )
    .map((row) => String(row.name));

export const membersOf = (log: Statements, group: string): string[] =>
  log.all('select name from members where "group" = ? order by name', group).map((row) => String(row.name));

export const unreadOf = (log: Statements, name: string): number => Number(participantRow(log, name)?.unread ?? 0);

/** The participant as it is told; `pid_start` beside, for who wants to look itself. */
export function toParticipant(log: Statements, presences: Presences, row: Row, nowMs: number): Participant {
  const name = String(row.name);
  const to = forwarded(log, name, nowMs);
  return {
    name,
    presence: presences.of(row, nowMs),
    owner: row.owner as Participant["owner"],
    ...(row.unit === null ? {} : { unit: String(row.unit) }),
    ...(row.pid === null ? {} : { pid: Number(row.pid) }),
    ...(row.pid_start === null ? {} : { pid_start: String(row.pid_start) }),
    unread: Number(row.unread),
    ...(row.registered_at_ms === null ? {} : { registered_at: timestamp(Number(row.registered_at_ms)) }),
    ...(row.last_seen_ms === null ? {} : { last_seen: timestamp(Number(row.last_seen_ms)) }),
    groups: groupsOf(log, name),
    ...(to === name ? {} : { forwards_to: to }),
  };
}

export const keyHash = (key: string): string => createHash("sha256").update(key).digest("hex");
