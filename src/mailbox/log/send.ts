import { assert } from "../../protocol/errors.ts";
import { MAIL_ID_CHARACTERS_MAX, MAIL_LIFE_MS } from "../../protocol/mail-limits.ts";
import type { MailMessage, Recipient } from "../../protocol/mail-units.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import { isRemote } from "./addresses.ts";
import { DELIVERY_COLUMNS, HELD, settle } from "./deliveries.ts";
import { invalidValue, messageAmbiguous, messageNotFound, messageTooLarge } from "./errors.ts";
import { MESSAGE_BYTES_MAX } from "./limits.ts";
import type { Hold } from "./loop-guard.ts";
import { asJson, MESSAGE_COLUMNS, namesOf, sentMessage, toSent } from "./message-rows.ts";
import { SYSTEM } from "./names.ts";
import { sendAway } from "./outbox.ts";
import { speaker } from "./ownership.ts";
import { ensureRow, isPerson, participantRow } from "./participants.ts";
import { type Addressee, addressees, isFull, toRecipient } from "./recipients.ts";
import type { Row, Statements } from "./statements.ts";
import { type Turn, tellDue } from "./turn.ts";

/** Sending and answering: one row for the message, one for each of its recipients. */

type Sent = DataOf<"mail.send">;

export interface Draft {
  from: string;
  to: readonly string[];
  id: string | undefined;
  kind: MailMessage["kind"];
  body: string;
  subject?: string | undefined;
  data?: Record<string, unknown> | undefined;
  thread?: string | undefined;
  replyTo?: string | undefined;
  hops: number;
  ttlMs: number;
  delayMs: number;
  /** Default: now. */
  sentAtMs?: number;
}

export function send(turn: Turn, payload: PayloadOf<"mail.send">): Sent {
  const from = String(speaker(turn).name);
  const ttlMs = between("ttl_ms", payload.ttl_ms, 1, MAIL_LIFE_MS) ?? MAIL_LIFE_MS;
  const delayMs = between("delay_ms", payload.delay_ms, 0, ttlMs - 1) ?? 0;
  checkThread(payload.thread);
  return (
    repeated(turn, from, payload.message_id) ??
    store(turn, {
      from,
      to: payload.to,
      id: payload.message_id,
      kind: turn.by.isMailbox && from === SYSTEM ? "notice" : (payload.kind ?? "message"),
      body: payload.body,
      subject: payload.subject,
      data: payload.data,
      thread: payload.thread,
      hops: hopsAfter(turn, from, payload.thread),
      ttlMs,
      delayMs,
    })
  );
}

/** Acknowledges what it answers. @throws MESSAGE_NOT_FOUND, MESSAGE_AMBIGUOUS */
export function reply(turn: Turn, payload: PayloadOf<"mail.reply">): Sent {
  const from = String(speaker(turn).name);
  const again = repeated(turn, from, payload.message_id);
  if (again) return again;
  const answered = received(turn, from, payload.id, payload.from);
  const sent = store(turn, {
    from,
    to: [String(answered.sender)],
    id: payload.message_id,
    kind: "reply",
    body: payload.body,
    subject: payload.subject,
    data: payload.data,
    thread: String(answered.thread),
    replyTo: String(answered.id),
    hops: isPerson(turn, from) ? 0 : Number(answered.hops) + 1,
    ttlMs: MAIL_LIFE_MS,
    delayMs: 0,
  });
  settle(turn, answered, "replied", { replySeq: sent.message.seq });
  return sent;
}

/** What was sent with this id before, and how its recipients are now (invariant 4). */
function repeated({ log, epoch }: Turn, from: string, id: string | undefined): Sent | undefined {
  if (id === undefined) return undefined;
  if (id === "" || id.length > MAIL_ID_CHARACTERS_MAX)
    throw invalidValue("message_id", id, `1 to ${MAIL_ID_CHARACTERS_MAX} characters long`);
  const row = log.get(`select ${MESSAGE_COLUMNS} from messages m where m.id = ? and m.sender = ?`, id, from);
  return row && { message: sentMessage(log, row), is_new: false, recipients: [], epoch };
}

/** The message that `name` has received under this id. */
function received(turn: Turn, name: string, id: string, from: string | undefined): Row {
  const rows = turn.log.all(
    `select ${DELIVERY_COLUMNS}, m.id, m.thread, m.hops from messages m join deliveries d on d.seq = m.seq
     where m.id = ? and d.recipient in (select value from json_each(?)) and (?3 is null or m.sender = ?3) order by m.seq`,
    id,
    asJson(namesOf(turn.log, name)),
    from,
  );
  const senders = [...new Set(rows.map((row) => String(row.sender)))];
  if (senders.length > 1) throw messageAmbiguous(id, senders);
  if (!rows[0]) throw messageNotFound(id, name);
  return rows[0];
}

/** @throws MESSAGE_TOO_LARGE, and what `addressees` throws */
export function store(turn: Turn, draft: Draft): Sent {
  const { log } = turn;
  const data = draft.data === undefined ? null : JSON.stringify(draft.data);
  const bytes = Buffer.byteLength(draft.body) + Buffer.byteLength(draft.subject ?? "") + Buffer.byteLength(data ?? "");
  if (bytes > MESSAGE_BYTES_MAX) throw messageTooLarge(bytes, MESSAGE_BYTES_MAX);
  const to = addressees(turn, draft.from, draft.to);
  const holds = holdsOf(turn, draft, to);
  const row = storedMessage(turn, draft, data);
  const { id, seq } = row;
  tellSent(turn, row, to);
  const recipients = to.map((addressee) => deliver(turn, draft, { id, seq }, addressee, holds.get(addressee.name)));
  const reached = to.filter((_, at) => recipients[at]?.problem === undefined);
  log.addTotals({ messages: 1, unread: reached.length });
  warnOfLoops(turn, draft.from, holds);
  const copies = reached.map(({ name, addressedTo }) => ({ recipient: name, addressed_to: addressedTo }));
  return { message: toSent(row, copies), is_new: true, recipients, epoch: turn.epoch };
}

/** One more copy of a message that is there, which came from another machine. @throws MAILBOX_FULL */
export function addCopy(turn: Turn, draft: Draft, seq: number): number {
  const [addressee] = addressees(turn, draft.from, draft.to);
  deliver(turn, draft, { id: String(draft.id), seq }, addressee!, undefined);
  turn.log.addTotals({ unread: 1 });
  return seq;
}

/** Its row. An id of ours is short, since people type it: when the sender has a message of that id already, it gets another. */
function storedMessage(turn: Turn, draft: Draft, data: string | null): MessageColumns & { seq: number } {
  for (;;) {
    const row = messageOf(turn, draft, draft.id ?? turn.newId(), data);
    const seq = turn.log.insert(
      `insert into messages (id, sender, kind, sent_at_ms, subject, body, data, thread, reply_to, expires_at_ms, hops)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id, sender) do nothing`,
      ...Object.values(row),
    );
    if (seq !== undefined) return { ...row, seq };
    assert(draft.id === undefined, "an id of the sender's own was looked for before");
  }
}

/** To whoever looks on, however the message came and whenever it may be fetched. */
function tellSent(turn: Turn, row: MessageColumns & { seq: number }, to: readonly Addressee[]): void {
  const { id, seq, sender, kind, thread, subject, reply_to } = row;
  turn.effects.push({
    kind: "sent",
    message: {
      id,
      seq,
      from: sender,
      to: to.map(({ name }) => name),
      kind,
      thread,
      ...(subject === null ? {} : { subject }),
      ...(reply_to === null ? {} : { reply_to }),
    },
  });
}

type MessageColumns = ReturnType<typeof messageOf>;

/** Its columns, in the order in which they are stored. */
const messageOf = (turn: Turn, draft: Draft, id: string, data: string | null) => {
  return {
    id,
    sender: draft.from,
    kind: draft.kind,
    sent_at_ms: draft.sentAtMs ?? turn.nowMs,
    subject: draft.subject ?? null,
    body: draft.body,
    data,
    thread: draft.thread ?? id,
    reply_to: draft.replyTo ?? null,
    expires_at_ms: turn.nowMs + draft.ttlMs,
    hops: draft.hops,
  };
};

function deliver(
  turn: Turn,
  draft: Draft,
  { id, seq }: { id: string; seq: number },
  addressee: Addressee,
  hold: Hold | undefined,
): Recipient & { problem?: string } {
  const { log, nowMs } = turn;
  const { name, addressedTo, away } = addressee;
  const expiresMs = nowMs + draft.ttlMs;
  const notBeforeMs = Math.max(hold?.untilMs ?? 0, draft.delayMs > 0 ? nowMs + draft.delayMs : 0);
  const held = hold ? { held_until: new Date(hold.untilMs).toISOString(), held_because: HELD } : {};
  if (away) return { ...sendAway(turn, { id, seq, sender: draft.from }, away, { expiresMs, notBeforeMs }), ...held };
  const told = toRecipient(turn, addressee);
  if (isFull(addressee.row)) return { ...told, problem: "MAILBOX_FULL" };
  const dueMs = notBeforeMs > 0 ? Math.min(notBeforeMs, expiresMs) : expiresMs;
  if (!addressee.row) ensureRow(log, name);
  log.run(
    `insert into deliveries (recipient, seq, sender, addressed_to, state, at_ms, not_before_ms, expires_at_ms, due_at_ms, reason)
     values (?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?)`,
    name,
    seq,
    draft.from,
    addressedTo === name ? null : addressedTo,
    nowMs,
    notBeforeMs > 0 ? notBeforeMs : null,
    expiresMs,
    dueMs,
    hold && HELD,
  );
  log.addUnread(name, 1);
  tellDue(turn, dueMs);
  if (notBeforeMs === 0) turn.effects.push({ kind: "queued", to: name, from: draft.from, id, seq });
  return { ...told, unread: told.unread + 1, ...held };
}

/** Whose copies have to wait, because two agents seem to answer each other for ever. Broadcasts are no exchange. */
function holdsOf(turn: Turn, draft: Draft, to: readonly Addressee[]): Map<string, Hold> {
  const { guard, nowMs } = turn;
  const holds = new Map<string, Hold>();
  if (draft.kind === "notice") return holds;
  for (const { name, isByGroup } of to) {
    if (isByGroup || name === draft.from) continue;
    if (isPerson(turn, draft.from) || isPerson(turn, name)) {
      turn.after.push(() => guard.personWrote(name));
      continue;
    }
    const hold = guard.look(draft.from, name, nowMs);
    if (hold) holds.set(name, hold);
    turn.after.push(() => guard.count(draft.from, name, hold, nowMs));
  }
  return holds;
}

function warnOfLoops(turn: Turn, from: string, holds: ReadonlyMap<string, Hold>): void {
  for (const [name, { isNew, untilMs }] of holds) {
    if (!isNew) continue;
    const until = new Date(untilMs).toISOString();
    store(turn, {
      from: SYSTEM,
      to: [from, name].filter((each) => !isRemote(each) && !isFull(participantRow(turn.log, each))),
      id: undefined,
      kind: "notice",
      subject: "LOOP_SUSPECTED",
      body: `${from} and ${name} have answered each other 30 times within a minute, and no person took part. What they write to each other now is held until ${until}. Write only what needs an answer.`,
      data: { code: "LOOP_SUSPECTED", between: [from, name], until },
      hops: 0,
      ttlMs: MAIL_LIFE_MS,
      delayMs: 0,
    });
  }
}

function hopsAfter(turn: Turn, from: string, thread: string | undefined): number {
  if (thread === undefined || isPerson(turn, from)) return 0;
  const last = turn.log.get(
    `select hops, sender from (
       select seq, hops, sender from messages where thread = ?1 and thread <> id
       union all select seq, hops, sender from messages where id = ?1 and thread = id
     ) order by seq desc limit 1`,
    thread,
  );
  if (!last) return 0;
  return Number(last.hops) + (last.sender === from ? 0 : 1);
}

export const nextSeq = (log: Statements): number => logHead(log) + 1;
export const logHead = (log: Statements): number =>
  Number(log.get("select seq from messages order by seq desc limit 1")?.seq ?? 0);

function checkThread(thread: string | undefined): void {
  if (thread !== undefined && (thread === "" || thread.length > MAIL_ID_CHARACTERS_MAX))
    throw invalidValue("thread", thread, `1 to ${MAIL_ID_CHARACTERS_MAX} characters long`);
}

/** @throws INVALID_PAYLOAD */
export function between(field: string, value: number | undefined, least: number, most: number): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw invalidValue(field, value, `between ${least} and ${most}`);
  return value;
}
