import { unreachable } from "../../protocol/errors.ts";
import { arrive, receiptsNoted } from "./arrivals.ts";
import { importRows } from "./import.ts";
import { heardOf, joined } from "./machine-rows.ts";
import { ack, extend, fetch, nak, release } from "./offers.ts";
import type { AnswerTo, Operation, PayloadFor, PerformType } from "./operations.ts";
import { kept, over, refused, takeReceipts } from "./outbox.ts";
import { groups, register, rename, unregister } from "./ownership.ts";
import { prune } from "./prune.ts";
import { reply, send } from "./send.ts";
import { saveToken } from "./tokens.ts";
import type { Turn } from "./turn.ts";

/** One operation, by its type. */
export function carryOut(turn: Turn, operation: Operation<PerformType>): AnswerTo<PerformType> {
  const { type } = operation;
  const given = <T extends PerformType>(_type: T): PayloadFor<T> => operation.payload as PayloadFor<T>;
  switch (type) {
    case "mail.register":
      return register(turn, given(type));
    case "mail.unregister":
      return unregister(turn, given(type));
    case "mail.rename":
      return rename(turn, given(type));
    case "mail.groups":
      return groups(turn, given(type));
    case "mail.send":
      return send(turn, given(type));
    case "mail.reply":
      return reply(turn, given(type));
    case "mail.fetch":
      return fetch(turn, given(type));
    case "mail.ack":
      return ack(turn, given(type));
    case "mail.nak":
      return nak(turn, given(type));
    case "mail.extend":
      return extend(turn, given(type));
    case "mail.ping":
      return { epoch: turn.epoch, pid: process.pid };
    case "mail.import":
      return importRows(turn, given(type));
    case "mail.prune":
      return prune(turn, given(type));
    case "log.release":
      return release(turn, given(type));
    case "log.save_token":
      return saveToken(turn, given(type));
    case "log.joined":
      return joined(turn, given(type));
    case "log.machine":
      return heardOf(turn, given(type));
    case "log.outbox_kept":
      return kept(turn, given(type));
    case "log.outbox_over":
      return over(turn, given(type));
    case "log.outbox_refused":
      return refused(turn, given(type));
    case "log.arrive":
      return arrive(turn, given(type));
    case "log.receipts":
      return takeReceipts(turn, given(type));
    case "log.receipts_noted":
      return receiptsNoted(turn, given(type));
    default:
      return unreachable(type);
  }
}
