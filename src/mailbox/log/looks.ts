import { statSync } from "node:fs";
import { unreachable } from "../../protocol/errors.ts";
import type { Receipt, ReceiptState } from "../../protocol/mail-units.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import { receiptsDue } from "./arrivals.ts";
import { messageNotFound } from "./errors.ts";
import { newestLeader } from "./leadership.ts";
import { machines, participantsElsewhere } from "./machine-rows.ts";
import { namesOf, receiptsOf } from "./message-rows.ts";
import type { AnswerTo, LogNumbers, Operation, PayloadFor, ReadType } from "./operations.ts";
import { outbox } from "./outbox.ts";
import { reader } from "./ownership.ts";
import { toParticipant } from "./participants.ts";
import { logHead } from "./send.ts";
import { tokenName } from "./tokens.ts";
import type { Look } from "./turn.ts";

/** What is looked up by a key, in microseconds: asked of the writer's thread, so that it is as new as the last commit. */
export type LookType = Exclude<ReadType, "mail.history" | "mail.export">;

export const isLook = (type: ReadType): type is LookType => type !== "mail.history" && type !== "mail.export";

export function lookUp(look: Look, operation: Operation<LookType>, path: string): AnswerTo<LookType> {
  const { type } = operation;
  const given = <T extends LookType>(_type: T): PayloadFor<T> => operation.payload as PayloadFor<T>;
  switch (type) {
    case "mail.list":
      return list(look);
    case "mail.wait":
      return wait(look, given(type));
    case "mail.status":
      return numbers(look, path);
    case "log.leader":
      return { leader: newestLeader(look.log) };
    case "log.token":
      return tokenName(look.log, given(type));
    case "log.outbox":
      return outbox(look, given(type));
    case "log.receipts_due":
      return receiptsDue(look, given(type));
    case "log.machines":
      return machines(look);
    default:
      return unreachable(type);
  }
}

/** Everybody who has had a name, or for whom mail waits. */
function list({ log, presences, nowMs }: Look): DataOf<"mail.list"> {
  const rows = log.all("select * from participants where registered_at_ms is not null or unread > 0 order by name");
  const here = rows.map((row) => toParticipant(log, presences, row, nowMs));
  return { participants: [...here, ...participantsElsewhere(log)] };
}

/** How far each is on the way. */
const STEPS: Record<ReceiptState, number> = {
  queued: 0,
  offered: 1,
  seen: 2,
  handled: 3,
  replied: 4,
  expired: -1,
  dead: -1,
};

/**
 * Where the receipts stand now: `timed_out` means not yet. Default: `replied` of an ask, else `handled`. An expired or dead one comes no further.
 * @throws MESSAGE_NOT_FOUND
 */
function wait(look: Look, { id, for: goal }: PayloadOf<"mail.wait">): DataOf<"mail.wait"> {
  const { log } = look;
  const name = reader(look);
  const row = namesOf(log, name)
    .map((sender) => log.get("select seq, kind from messages where id = ? and sender = ?", id, sender))
    .find((found) => found !== undefined);
  if (!row) throw messageNotFound(id, name);
  const wanted = goal ?? (row.kind === "ask" ? "replied" : "handled");
  const receipts = receiptsOf(log, Number(row.seq), { withReplies: true });
  return { receipts, result: resultOf(receipts, wanted) };
}

function resultOf(receipts: readonly Receipt[], wanted: ReceiptState): DataOf<"mail.wait">["result"] {
  const isMet = ({ state }: Receipt): boolean => (STEPS[wanted] < 0 ? state === wanted : STEPS[state] >= STEPS[wanted]);
  const isOver = ({ state }: Receipt): boolean => STEPS[state] < 0 || (STEPS[wanted] < 0 && state === "replied");
  if (receipts.every(isMet)) return "met";
  return receipts.every((receipt) => isMet(receipt) || isOver(receipt)) ? "never" : "timed_out";
}

function numbers({ log }: Look, path: string): LogNumbers {
  const totals = log.get("select messages, unread, dead from totals")!;
  return {
    leader: newestLeader(log),
    messages: Number(totals.messages),
    unread: Number(totals.unread),
    dead: Number(totals.dead),
    log_head: logHead(log),
    log_bytes: sizeOf(path) + sizeOf(`${path}-wal`),
  };
}

export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
