import type { Recipient } from "../../protocol/mail-units.ts";
import { suggest } from "../../protocol/suggest.ts";
import { groupUnknown, mailboxFull, noRecipients, tooManyAddresses } from "./errors.ts";
import { ADDRESSES_MAX, UNREAD_MAX } from "./limits.ts";
import { elsewhere } from "./machine-rows.ts";
import { checkedGroup, checkedName, EVERYBODY, isGroup } from "./names.ts";
import { type AwayAddressee, resolved } from "./outbox.ts";
import { everybody, forwarded, membersOf, participantRow } from "./participants.ts";
import type { Row, Statements } from "./statements.ts";
import type { Turn } from "./turn.ts";

/** Whom a message goes to: groups and `@all` are who is in them now; a name that comes later does not get older broadcasts. */

export interface Addressee {
  name: string;
  addressedTo: string;
  /** As part of a group; then it cannot make the whole message be refused. */
  isByGroup: boolean;
  row: Row | undefined;
  /** It is on another machine. */
  away?: AwayAddressee;
}

/**
 * Each recipient once, in the order of `to`; a direct name goes before a group that has it too.
 * @throws INVALID_NAME, RECIPIENT_NEEDED, TOO_MANY_RECIPIENTS, GROUP_UNKNOWN, MAILBOX_FULL, NOT_JOINED, MACHINE_UNKNOWN
 */
export function addressees(turn: Turn, sender: string, to: readonly string[]): Addressee[] {
  if (to.length === 0) throw noRecipients();
  if (to.length > ADDRESSES_MAX) throw tooManyAddresses(to.length, ADDRESSES_MAX);
  const { log, nowMs } = turn;
  const found = new Map<string, Addressee>();
  const add = (name: string, addressedTo: string, isByGroup: boolean): void => {
    if (!found.has(name)) found.set(name, { name, addressedTo, isByGroup, row: participantRow(log, name) });
  };
  for (const address of to.filter((given) => !isGroup(given))) {
    const where = resolved(log, address);
    if ("local" in where) add(forwarded(log, checkedName(where.local), nowMs), address, false);
    else
      found.set(address, { name: address, addressedTo: address, isByGroup: false, row: undefined, away: where.away });
  }
  for (const address of to.filter(isGroup))
    for (const name of groupNames(turn, address)) if (name !== sender) add(name, address, true);
  const all = [...found.values()];
  const full = all.find(({ isByGroup, row }) => !isByGroup && isFull(row));
  if (full) throw mailboxFull(full.name, Number(full.row?.unread));
  return all;
}

export const isFull = (row: Row | undefined): boolean => Number(row?.unread ?? 0) >= UNREAD_MAX;

function groupNames({ log, nowMs }: Turn, address: string): string[] {
  if (address === EVERYBODY) return everybody(log, nowMs);
  const group = checkedGroup(address);
  const members = membersOf(log, group);
  if (members.length > 0) return members;
  const groups = log.all('select distinct "group" from members').map((row) => String(row.group));
  throw groupUnknown(group, suggest(group, groups));
}

/** What the sender is told of them. */
export function toRecipient(turn: Turn, { name, addressedTo, row, isByGroup }: Addressee): Recipient {
  const known = row !== undefined && row.registered_at_ms !== null;
  const meant = known ? undefined : (elsewhere(turn.log, name) ?? suggest(name, knownNames(turn.log)));
  return {
    name,
    known,
    presence: turn.presences.of(row, turn.nowMs),
    unread: Number(row?.unread ?? 0),
    ...(meant === undefined ? {} : { suggestion: meant }),
    ...(!isByGroup && addressedTo !== name ? { forwarded_from: addressedTo } : {}),
  };
}

/** Names among which the one that was meant is looked for: the time that it takes grows with them. */
const NAMES_COMPARED_MAX = 2_000;

const knownNames = (log: Statements): string[] =>
  log.remembered("participants", "known names", () =>
    log
      .all("select name from participants where registered_at_ms is not null limit ?", NAMES_COMPARED_MAX)
      .map((row) => String(row.name)),
  );
