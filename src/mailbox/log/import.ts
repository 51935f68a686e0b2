import * as z from "zod/mini";
import { ReceiptState } from "../../protocol/mail-units.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import { isRemote, remoteAddress } from "./addresses.ts";
import { isOpen } from "./deliveries.ts";
import { invalidValue } from "./errors.ts";
import { enqueue } from "./outbox.ts";
import { ensureRow } from "./participants.ts";
import { nextSeq } from "./send.ts";
import { type Turn, tellDue, tellParticipant } from "./turn.ts";

/**
 * Rows of an export, into a log that may have mail of its own: what is there already is passed over, so that an import that was cut off is begun
 * again. A message keeps its seq when that is beyond the log's head, and gets the next one otherwise; what was under a lease is queued. What waits for another machine is sent from
 * here, once this home is joined to it.
 */

const Name = z.string();
const Ms = z.int();

const DeliveryRow = z.looseObject({
  recipient: Name,
  addressed_to: z.optional(z.string()),
  state: ReceiptState,
  at_ms: Ms,
  offers: z.optional(z.int()),
  not_before_ms: z.optional(Ms),
  expires_at_ms: Ms,
  reason: z.optional(z.string()),
  reply_id: z.optional(z.string()),
  reply_sender: z.optional(Name),
});

const AnyRow = z.discriminatedUnion("row", [
  z.looseObject({ row: z.literal("log"), format: z.literal(1) }),
  z.looseObject({
    row: z.literal("participant"),
    name: Name,
    owner: z.enum(["nobody", "key", "unit"]),
    key_hash: z.optional(z.string()),
    unit: z.optional(z.string()),
    registered_at_ms: z.optional(Ms),
    last_seen_ms: z.optional(Ms),
  }),
  z.looseObject({ row: z.literal("member"), group: z.string(), name: Name }),
  z.looseObject({ row: z.literal("forward"), old: Name, new: Name, until_ms: Ms }),
  z.looseObject({
    row: z.literal("message"),
    seq: z.int().check(z.positive()),
    id: z.string(),
    sender: Name,
    kind: z.enum(["message", "ask", "reply", "notice"]),
    sent_at_ms: Ms,
    subject: z.optional(z.string()),
    body: z.string(),
    data: z.optional(z.string()),
    thread: z.string(),
    reply_to: z.optional(z.string()),
    expires_at_ms: z.optional(Ms),
    hops: z.optional(z.int()),
    deliveries: z.array(DeliveryRow),
  }),
]);
type AnyRow = z.infer<typeof AnyRow>;
type MessageRow = Extract<AnyRow, { row: "message" }>;
type DeliveryRow = z.infer<typeof DeliveryRow>;

/** @throws INVALID_PAYLOAD: none of the rows is taken then. */
export function importRows(turn: Turn, { rows }: PayloadOf<"mail.import">): DataOf<"mail.import"> {
  let imported = 0;
  for (const row of rows.map(checked)) imported += Number(importRow(turn, row));
  return { imported, skipped: rows.length - imported };
}

function checked(row: unknown, at: number): AnyRow {
  const result = AnyRow.safeParse(row);
  if (result.success) return result.data;
  throw invalidValue(`rows[${at}]`, row, `a row of \`warren mail export\` (${result.error.issues[0]?.path.join(".")})`);
}

function importRow(turn: Turn, row: AnyRow): boolean {
  const { log } = turn;
  switch (row.row) {
    case "log":
      return false;
    case "participant":
      return importParticipant(turn, row);
    case "member":
      return log.run('insert or ignore into members ("group", name) values (?, ?)', row.group, row.name) > 0;
    case "forward":
      return (
        log.run(
          "insert or ignore into forwards (old, new, until_ms) values (?, ?, ?)",
          row.old,
          row.new,
          row.until_ms,
        ) > 0
      );
    case "message":
      return importMessage(turn, row);
  }
}

/** A name that is known here stays whose it is. */
function importParticipant(turn: Turn, row: Extract<AnyRow, { row: "participant" }>): boolean {
  const known = ensureRow(turn.log, row.name);
  if (known.registered_at_ms !== null || row.registered_at_ms === undefined) return false;
  turn.log.run(
    "update participants set owner = ?, key_hash = ?, unit = ?, registered_at_ms = ?, last_seen_ms = ? where name = ?",
    row.owner,
    row.key_hash,
    row.unit,
    row.registered_at_ms,
    row.last_seen_ms ?? row.registered_at_ms,
    row.name,
  );
  tellParticipant(turn, row.name);
  return true;
}

function importMessage(turn: Turn, row: MessageRow): boolean {
  const { log } = turn;
  if (log.get("select 1 from messages where id = ? and sender = ?", row.id, row.sender)) return false;
  const seq = Math.max(nextSeq(log), row.seq);
  log.run(
    `insert into messages (seq, id, sender, kind, sent_at_ms, subject, body, data, thread, reply_to, expires_at_ms, hops)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    seq,
    row.id,
    row.sender,
    row.kind,
    row.sent_at_ms,
    row.subject,
    row.body,
    row.data,
    row.thread,
    row.reply_to,
    row.expires_at_ms,
    row.hops ?? 0,
  );
  log.run("update totals set messages = messages + 1");
  for (const delivery of row.deliveries) importDelivery(turn, row, seq, delivery);
  joinReply(turn, row, seq);
  return true;
}

/** Copies for other machines wait in the outbox again; one that has been stored there, which is `offered`, is not sent twice. */
function importDelivery(turn: Turn, row: MessageRow, seq: number, delivery: DeliveryRow): void {
  const { log } = turn;
  const { recipient, expires_at_ms: expiresMs } = delivery;
  const isAway = isRemote(recipient);
  const state = delivery.state === "offered" && !isAway ? "queued" : delivery.state;
  const isUnread = isOpen(state);
  // Put off is what the outbox is told of a copy, and the delivery itself of one that stays here.
  const putOffMs = isUnread && !isAway ? delivery.not_before_ms : undefined;
  const dueMs = Math.min(putOffMs ?? Number.POSITIVE_INFINITY, expiresMs);
  if (!isAway) ensureRow(log, recipient);
  log.run(
    `insert into deliveries (recipient, seq, sender, addressed_to, state, at_ms, offers, not_before_ms, expires_at_ms, due_at_ms, reason)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    recipient,
    seq,
    row.sender,
    delivery.addressed_to,
    state,
    delivery.at_ms,
    delivery.offers ?? 0,
    putOffMs,
    expiresMs,
    isUnread ? dueMs : null,
    delivery.reason,
  );
  if (state === "dead" || state === "expired") log.addTotals({ dead: 1 });
  if (!isUnread) return;
  log.addTotals({ unread: 1 });
  if (!isAway) log.addUnread(recipient, 1);
  else if (state === "queued") {
    const { machine } = remoteAddress(recipient);
    enqueue(log, { sender: row.sender, seq }, { name: recipient, machine }, delivery.not_before_ms ?? 0);
  }
  tellDue(turn, dueMs);
  if (state === "queued") turn.effects.push({ kind: "queued", to: recipient, from: row.sender, id: row.id, seq });
}

/** What it answers came before it, in this import or an earlier one. */
function joinReply({ log }: Turn, row: MessageRow, seq: number): void {
  if (row.kind !== "reply" || row.reply_to === undefined) return;
  log.run(
    `update deliveries set reply_seq = ? where recipient = ? and state = 'replied' and reply_seq is null
     and seq in (select seq from messages where id = ?)`,
    seq,
    row.sender,
    row.reply_to,
  );
}
