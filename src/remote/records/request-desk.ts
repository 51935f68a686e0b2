import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { isWarrenError, messageOf, toWire, type WarrenError } from "../../protocol/errors.ts";
import { utf8 } from "../../sealing/bytes.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import { RECORD_TEXT_BYTES_MAX } from "../../sealing/record.ts";
import {
  decodeRequest,
  encodeJson,
  type RemoteRequest,
  type RemoteResult,
  requestHash,
  requestProblem,
} from "../../sealing/request.ts";
import { targetGone } from "../errors.ts";
import type { ConnectUnit } from "../network.ts";
import { deviceBySigningKey, type RosterDevice } from "../roster.ts";
import type { RosterKeeper } from "../roster-keeper.ts";
import { checkApproval } from "./approval.ts";
import { type BookedRequest, KEPT_RESULT_LENGTH_MAX, REQUESTS_MAX, type RequestBook } from "./request-book.ts";
import * as errors from "./request-errors.ts";
import { UnitTalk } from "./unit-talk.ts";

/**
 * Carries out what devices have left at hubs, in the order of each device.
 *
 * 1. A request is in the book before the hub hears that it was taken, and marked as begun before a server hears of it.
 * 2. A server gets it under its own id, so that what was begun before a crash is asked again and gets the first answer; past the day for which servers
 *    keep answers, or past its deadline, it is told to be unsure, and not asked again.
 * 3. Its result is sealed and on disk before it counts as over. A result may come twice, an effect never.
 * 4. The device's scopes and its place on the list count when it is carried out, and the server holds it to them.
 */
export interface RequestDeskOptions {
  book: RequestBook;
  roster: RosterKeeper;
  /** This machine's signing key. */
  machine: Uint8Array;
  connect: ConnectUnit;
  crypto: SealingCrypto;
  clock: Clock;
  log: Log;
  /** On disk, and on its way to the hub, when it resolves. */
  answer(hub: string, result: Uint8Array): Promise<void>;
}

/** What has no one answer. */
const NEEDS_A_CONNECTION: readonly string[] = ["hello", "subscribe", "unsubscribe", "session.attach"];
/** Servers keep an answer for a day. */
const REPEAT_MS_MAX = 23 * 60 * 60 * 1_000;
/** Longest that a server may take. */
const ANSWER_MS_MAX = 120_000;
/** The server is being replaced. */
const RETRY_MS = 1_000;
const NOT_NOW = ["TARGET_GONE", "TARGET_UNREACHABLE", "CONNECTION_LOST", "NO_SERVER", "SERVER_ENDING", "NOT_PRIMARY"];

type Outcome = { result: unknown } | { error: NonNullable<RemoteResult["error"]> };

export class RequestDesk {
  readonly #options: RequestDeskOptions;
  readonly #busy = new Set<string>();
  readonly #talks = new Set<UnitTalk>();
  #cancelRetry: (() => void) | undefined;
  #isClosed = false;

  constructor(options: RequestDeskOptions) {
    this.#options = options;
  }

  /** What a device has sealed. On disk when it resolves; `run` carries it out. */
  async take(from: { hub: string; signingKey: string; text: Uint8Array; problem?: WarrenError }): Promise<void> {
    const { book, crypto, clock, log, answer } = this.#options;
    let request: RemoteRequest;
    try {
      request = decodeRequest(from.text);
    } catch (error) {
      return log.warn("request_refused", { why: messageOf(error) }); // without its id nobody could be answered
    }
    const key = `${from.signingKey}/${request.id}`;
    const hash = await requestHash(crypto, from.text);
    const booked: BookedRequest = {
      hub: from.hub,
      text: new TextDecoder().decode(from.text),
      hash,
      deadline_ms: request.deadline_ms,
      ...(from.problem ? { problem: toWire(from.problem, from.problem.code) } : {}),
    };
    // Over before it came: it is answered, and need not be remembered.
    const isPast = request.deadline_ms <= clock.wallMs() && !book.get(key);
    const late = isPast ? this.#problemOf(request) : undefined;
    if (late) return answer(from.hub, resultOf(booked, request, failed(late)));
    const booking = await book.add(key, booked, clock.wallMs());
    if (booking === "new") return;
    const known = book.get(key);
    if (booking === "full")
      await answer(from.hub, resultOf(booked, request, failed(errors.requestsFull(REQUESTS_MAX))));
    else if (known?.is_over === true && known.hash === hash)
      await answer(
        from.hub,
        known.result === undefined ? resultOf(known, request, failed(errors.resultGone())) : utf8(known.result),
      );
  }

  /** Whatever is open, a device's one after another, devices beside each other. */
  run(): void {
    if (this.#isClosed) return;
    for (const [key] of this.#options.book.open) {
      const device = key.split("/")[0]!;
      if (this.#busy.has(device)) continue;
      this.#busy.add(device);
      void this.#serve(device);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    for (const talk of [...this.#talks]) talk.close();
    this.#options.book.close();
  }

  async #serve(device: string): Promise<void> {
    const { book, log } = this.#options;
    try {
      for (;;) {
        const next = book.open.find(([key]) => key.startsWith(`${device}/`));
        if (!next || this.#isClosed) return;
        await this.#carryOut(device, ...next);
      }
    } catch (error) {
      if (this.#isClosed) return;
      log.info("request_waits", { error: messageOf(error) });
      this.#cancelRetry?.();
      this.#cancelRetry = this.#options.clock.timer(RETRY_MS, () => this.run());
    } finally {
      this.#busy.delete(device);
    }
  }

  /** Throws: not now. */
  async #carryOut(signingKey: string, key: string, booked: BookedRequest): Promise<void> {
    const { book, roster, answer, log } = this.#options;
    const request = decodeRequest(utf8(booked.text));
    const device = deviceBySigningKey(roster.now, signingKey);
    if (!device) {
      log.info("request_refused", { why: "its device is let in no more" });
      return void (await book.update(key, { is_over: true }));
    }
    const outcome = await this.#outcome(key, { booked, request, device });
    if (this.#isClosed) return;
    const result = resultOf(booked, request, outcome);
    await answer(booked.hub, result);
    const kept = result.length <= KEPT_RESULT_LENGTH_MAX ? { result: new TextDecoder().decode(result) } : {};
    await book.update(key, { is_over: true, ...kept });
    log.info("request_carried_out", { by: device.name, type: request.type, ok: "result" in outcome });
  }

  async #outcome(key: string, work: Work): Promise<Outcome> {
    const { booked, request } = work;
    try {
      if (booked.problem) return { error: { ...booked.problem } };
      if (booked.begun_ms !== undefined && this.#isUnsure(booked.begun_ms, request)) throw errors.requestUnsure();
      const problem = booked.begun_ms === undefined ? this.#problemOf(request) : undefined;
      if (problem) throw problem;
      return { result: await this.#ask(key, work) };
    } catch (error) {
      if (!isWarrenError(error) || NOT_NOW.includes(error.code)) throw error;
      return failed(error);
    }
  }

  #isUnsure(begunMs: number, { deadline_ms }: RemoteRequest): boolean {
    const nowMs = this.#options.clock.wallMs();
    return nowMs >= deadline_ms || Math.abs(nowMs - begunMs) > REPEAT_MS_MAX;
  }

  #problemOf(request: RemoteRequest): WarrenError | undefined {
    const { machine, clock } = this.#options;
    const problem = requestProblem(request, { machine, nowMs: clock.wallMs() });
    if (problem) return problem;
    if (NEEDS_A_CONNECTION.includes(request.type)) return errors.requestNotForRecords(request.type);
    const isAnswer = request.type === "session.answer";
    return isAnswer && request.approval === undefined ? errors.approvalMissing() : undefined;
  }

  async #ask(key: string, { booked, request, device }: Work): Promise<unknown> {
    const { connect, clock } = this.#options;
    const { id, type, payload, approval, target } = request;
    const greeting = { scopes: device.scopes, by: device.name };
    const talk = await UnitTalk.open({ connect, target: target.unit ?? "primary", greeting });
    this.#talks.add(talk);
    if (this.#isClosed) talk.close();
    const slow = Promise.withResolvers<never>();
    const cancel = clock.timer(ANSWER_MS_MAX, () => slow.reject(errors.requestSlow(ANSWER_MS_MAX / 1_000)));
    const work = async (): Promise<unknown> => {
      if (booked.begun_ms === undefined) await this.#begin(key, request, talk);
      const bound = approval ? { ...payload, item_id: approval.question } : payload;
      return talk.ask({ type, payload: bound, requestId: id });
    };
    try {
      return await Promise.race([work(), slow.promise]);
    } finally {
      cancel();
      this.#talks.delete(talk);
      talk.close();
    }
  }

  /** What was begun once is not judged again: the question that it answered is not open any more. */
  async #begin(key: string, { approval, sent_ms: sentMs, payload }: RemoteRequest, talk: UnitTalk): Promise<void> {
    const { book, clock, crypto } = this.#options;
    const nowMs = clock.wallMs();
    if (approval) await checkApproval({ approval, sentMs, payload }, { talk, crypto, nowMs });
    if (!(await book.update(key, { begun_ms: nowMs }))) throw targetGone();
  }
}

interface Work {
  booked: BookedRequest;
  request: RemoteRequest;
  device: RosterDevice;
}

const failed = (error: WarrenError) => ({ error: { ...toWire(error, error.code) } });

function resultOf({ hash }: BookedRequest, { id }: RemoteRequest, outcome: Outcome): Uint8Array {
  const result: RemoteResult = { request: hash, id, ...outcome };
  const text = encodeJson(result);
  if (text.length <= RECORD_TEXT_BYTES_MAX) return text;
  return encodeJson({ request: hash, id, ...failed(errors.resultTooLarge(text.length)) });
}
