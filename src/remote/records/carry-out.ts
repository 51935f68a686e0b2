import type { Clock } from "../../platform/clock.ts";
import { isWarrenError, toWire, type WarrenError } from "../../protocol/errors.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import { type RemoteRequest, type RemoteResult, requestProblem } from "../../sealing/request.ts";
import { targetGone } from "../errors.ts";
import type { ConnectUnit } from "../network.ts";
import type { RosterDevice } from "../roster.ts";
import { checkApproval } from "./approval.ts";
import * as errors from "./request-errors.ts";
import { UnitTalk } from "./unit-talk.ts";

/**
 * One booked request, judged and handed to the server that has its target, under its own id.
 *
 * What was begun before a crash is asked again and gets the first answer; past the day for which servers keep answers, or past its deadline, it is told to
 * be unsure, and not asked again.
 */
export interface CarryOutOptions {
  /** This machine's signing key. */
  machine: Uint8Array;
  connect: ConnectUnit;
  crypto: SealingCrypto;
  clock: Clock;
}

export interface Work {
  request: RemoteRequest;
  device: RosterDevice;
  /** When it was handed to a server before; undefined: it was not. */
  begunMs: number | undefined;
  /** On disk when it resolves, where it was not before. @throws what keeps it from being begun, or asked again */
  begin(nowMs: number): Promise<void>;
  /** The connection is to be ended with whoever owns it; the answer takes that back. */
  onTalk(talk: UnitTalk): () => void;
}

export type Outcome = { result: unknown } | { error: NonNullable<RemoteResult["error"]> };

/** What has no one answer. */
const NEEDS_A_CONNECTION: readonly string[] = ["hello", "subscribe", "unsubscribe", "session.attach"];
/** Messages, which are theirs once by an id of their own. */
const NAMED: readonly string[] = ["mail.send", "mail.reply"];
/** Servers keep an answer for a day. */
const REPEAT_MS_MAX = 23 * 60 * 60 * 1_000;
/** Longest that a server may take. */
const ANSWER_MS_MAX = 120_000;
/** The server is being replaced. */
const NOT_NOW = ["TARGET_GONE", "TARGET_UNREACHABLE", "CONNECTION_LOST", "NO_SERVER", "SERVER_ENDING", "NOT_PRIMARY"];

/** @throws what is not now */
export async function carryOut(work: Work, options: CarryOutOptions): Promise<Outcome> {
  const { request, begunMs } = work;
  const nowMs = options.clock.wallMs();
  try {
    if (begunMs !== undefined && isUnsure(begunMs, request, nowMs)) throw errors.requestUnsure();
    const problem = begunMs === undefined ? problemOf(request, options) : undefined;
    if (problem) throw problem;
    return { result: await ask(work, options) };
  } catch (error) {
    if (!isWarrenError(error) || NOT_NOW.includes(error.code)) throw error;
    return failed(error);
  }
}

export const failed = (error: WarrenError): Outcome => ({ error: { ...toWire(error, error.code) } });

function isUnsure(begunMs: number, { deadline_ms }: RemoteRequest, nowMs: number): boolean {
  return nowMs >= deadline_ms || Math.abs(nowMs - begunMs) > REPEAT_MS_MAX;
}

function problemOf(request: RemoteRequest, { machine, clock }: CarryOutOptions): WarrenError | undefined {
  const problem = requestProblem(request, { machine, nowMs: clock.wallMs() });
  if (problem) return problem;
  if (NEEDS_A_CONNECTION.includes(request.type)) return errors.requestNotForRecords(request.type);
  const isAnswer = request.type === "session.answer";
  return isAnswer && request.approval === undefined ? errors.approvalMissing() : undefined;
}

async function ask(work: Work, options: CarryOutOptions): Promise<unknown> {
  const { connect, clock } = options;
  const { request, device, onTalk } = work;
  const greeting = { scopes: device.scopes, by: device.name };
  const talk = await UnitTalk.open({ connect, target: request.target.unit ?? "primary", greeting, clock });
  const forget = onTalk(talk);
  const slow = Promise.withResolvers<never>();
  const cancel = clock.timer(ANSWER_MS_MAX, () => slow.reject(errors.requestSlow(ANSWER_MS_MAX / 1_000)));
  try {
    return await Promise.race([hand(work, talk, options), slow.promise]);
  } finally {
    cancel();
    forget();
    talk.close();
  }
}

/** What was begun once is not judged again: the question that it answered is not open any more. */
async function hand(
  { request, begunMs, begin }: Work,
  talk: UnitTalk,
  { crypto, clock }: CarryOutOptions,
): Promise<unknown> {
  const { id, type, payload, approval, sent_ms: sentMs } = request;
  const nowMs = clock.wallMs();
  if (begunMs === undefined && approval) await checkApproval({ approval, sentMs, payload }, { talk, crypto, nowMs });
  await begin(nowMs);
  const bound = approval ? { ...payload, item_id: approval.question } : payload;
  // A mailbox knows a repeat by its connection, and a crash ends that: the message's own id stays.
  const named = NAMED.includes(type) ? { message_id: id, ...bound } : bound;
  return talk.ask({ type, payload: named, requestId: id });
}

/** The book is closed, or its device was revoked meanwhile, or may something else. */
export const notBegun = targetGone;
