import { timestamp } from "../../platform/clock.ts";
import type { DataOf } from "../../protocol/messages.ts";
import { requestReused } from "./errors.ts";
import { messageRow, sentMessage, toMessage } from "./message-rows.ts";
import type { Operation } from "./operations.ts";
import type { Statements } from "./statements.ts";
import type { Turn } from "./turn.ts";

/**
 * The answers of requests that changed something, stored with their effect: a repeat, at whichever leader, gets the first one (invariant 2). Messages
 * in them are kept by their seq, and read again for the repeat. An answer without an effect (nothing was fetched) is not kept: it may be another soon. One that says
 * that the message had been sent before, by its id, does not keep it: when it was removed since, the repeat is carried out anew.
 */

type Stored =
  | { sent: number; rest: object }
  | { fetched: { name: string; untilMs: number; offers: [seq: number, offers: number][] }; rest: object }
  | { plain: object };

/** @throws REQUEST_ID_REUSED */
export function firstAnswer(log: Statements, { type, by, requestId }: Operation): object | undefined {
  if (requestId === undefined) return undefined;
  const row = log.get("select type, answer from answers where client = ? and id = ?", by.client, requestId);
  if (!row) return undefined;
  if (row.type !== type) throw requestReused(requestId, String(row.type));
  return restored(log, JSON.parse(String(row.answer)) as Stored);
}

export function keepAnswer({ log, nowMs }: Turn, operation: Operation, answer: object): void {
  const { type, by, requestId } = operation;
  if (requestId === undefined) return;
  const stored = shortened(operation, answer);
  if (!stored) return;
  log.run(
    "insert or replace into answers (client, id, type, at_ms, answer) values (?, ?, ?, ?, ?)",
    by.client,
    requestId,
    type,
    nowMs,
    JSON.stringify(stored),
  );
}

function shortened({ type, payload }: Operation, answer: object): Stored | undefined {
  if (type === "mail.ping" || (payload as { dry_run?: boolean }).dry_run) return undefined;
  if (type === "mail.send" || type === "mail.reply") {
    const { message, ...rest } = answer as DataOf<"mail.send">;
    return { sent: message.seq, rest };
  }
  if (type !== "mail.fetch") return { plain: answer };
  const { messages, ...rest } = answer as DataOf<"mail.fetch">;
  const first = messages[0];
  if (!first || (payload as { peek?: boolean }).peek) return undefined;
  return {
    fetched: {
      name: first.to,
      untilMs: Date.parse(first.lease_until ?? first.sent_at),
      offers: messages.map(({ seq, offers }) => [seq, offers]),
    },
    rest,
  };
}

function restored(log: Statements, stored: Stored): object | undefined {
  if ("plain" in stored) return stored.plain;
  if ("sent" in stored) {
    const row = messageRow(log, stored.sent);
    return row && { message: sentMessage(log, row), ...stored.rest };
  }
  const { name, untilMs, offers } = stored.fetched;
  const messages = offers.flatMap(([seq, count]) => {
    const row = messageRow(log, seq);
    if (!row) return []; // it was removed since
    const delivery = log.get("select addressed_to from deliveries where recipient = ? and seq = ?", name, seq);
    const copy = toMessage(row, name, String(delivery?.addressed_to ?? name));
    return { ...copy, offers: count, lease_until: timestamp(untilMs) };
  });
  return { messages, ...stored.rest };
}
