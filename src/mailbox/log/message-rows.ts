import { timestamp } from "../../platform/clock.ts";
import type { MailMessage, Receipt, ReceiptState } from "../../protocol/mail-units.ts";
import type { Row, Statements } from "./statements.ts";

/** Rows of `messages` and `deliveries` as they are told. */

export const MESSAGE_COLUMNS =
  "m.seq, m.id, m.sender, m.kind, m.sent_at_ms, m.subject, m.body, m.data, m.thread, m.reply_to, m.expires_at_ms, m.hops";

/** The copy for `to`; with the columns of `MESSAGE_COLUMNS`. */
export function toMessage(row: Row, to: string, addressedTo: string): MailMessage {
  return {
    id: String(row.id),
    seq: Number(row.seq),
    from: String(row.sender),
    to,
    addressed_to: addressedTo,
    sent_at: timestamp(Number(row.sent_at_ms)),
    body: String(row.body),
    ...(row.subject === null ? {} : { subject: String(row.subject) }),
    ...(row.data === null ? {} : { data: JSON.parse(String(row.data)) as Record<string, unknown> }),
    kind: row.kind as MailMessage["kind"],
    thread: String(row.thread),
    ...(row.reply_to === null ? {} : { reply_to: String(row.reply_to) }),
    ...(row.expires_at_ms === null ? {} : { expires_at: timestamp(Number(row.expires_at_ms)) }),
    hops: Number(row.hops),
  };
}

interface Said {
  subject?: unknown;
  body?: unknown;
  /** As an object, or as its JSON. */
  data?: unknown;
}

/** Of what its sender says in it: its subject, body and data, as UTF-8. */
export const messageBytes = ({ subject, body, data }: Said): number =>
  bytesOf(subject) + bytesOf(body) + bytesOf(typeof data === "object" && data !== null ? JSON.stringify(data) : data);

const bytesOf = (text: unknown): number => Buffer.byteLength(String(text ?? ""));

/** Of a row that joins a delivery (its recipient and addressed_to) to its message. */
export const toCopy = (row: Row): MailMessage =>
  toMessage(row, String(row.recipient), String(row.addressed_to ?? row.recipient));

export const messageRow = (log: Statements, seq: number): Row | undefined =>
  log.get(`select ${MESSAGE_COLUMNS} from messages m where m.seq = ?`, seq);

/** A message as its sender has it: `to` is whom it went to, several are joined by commas. */
export const sentMessage = (log: Statements, row: Row): MailMessage =>
  toSent(row, log.all("select recipient, addressed_to from deliveries where seq = ?", Number(row.seq)));

/** `copies`: recipient and addressed_to of each. */
export function toSent(row: Row, copies: readonly Row[]): MailMessage {
  const unique = (names: unknown[]): string => [...new Set(names.map(String))].sort().join(",");
  return toMessage(
    row,
    unique(copies.map(({ recipient }) => recipient)),
    unique(copies.map(({ recipient, addressed_to }) => addressed_to ?? recipient)),
  );
}

/** How it stands with a message at each of its recipients. */
export function receiptsOf(log: Statements, seq: number, { withReplies = false } = {}): Receipt[] {
  const rows = log.all(
    `select d.*, m.id from deliveries d join messages m on m.seq = d.seq where d.seq = ? order by d.recipient`,
    seq,
  );
  return rows.map((row) => {
    const reply = withReplies && row.reply_seq !== null ? messageRow(log, Number(row.reply_seq)) : undefined;
    return {
      id: String(row.id),
      seq,
      to: String(row.recipient),
      state: row.state as ReceiptState,
      at: timestamp(Number(row.at_ms)),
      ...(row.reason === null ? {} : { reason: String(row.reason) }),
      ...(reply ? { reply: sentMessage(log, reply) } : {}),
    };
  });
}

/** The names that participant has had; its mail and what it sent may still be under them. */
export const namesOf = (log: Statements, name: string): string[] => [
  name,
  ...log.remembered("forwards", `of ${name}`, () =>
    log.all("select old from forwards where new = ?", name).map((row) => String(row.old)),
  ),
];

/** For `in (…)` over a list of any length. */
export const asJson = (values: readonly string[]): string => JSON.stringify(values);
