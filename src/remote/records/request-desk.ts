import type { Log } from "../../platform/log.ts";
import { messageOf } from "../../protocol/errors.ts";
import { utf8 } from "../../sealing/bytes.ts";
import { RECORD_TEXT_BYTES_MAX } from "../../sealing/record.ts";
import {
  askedHash,
  decodeRequest,
  encodeJson,
  type RemoteRequest,
  requestHash,
  requestProblem,
} from "../../sealing/request.ts";
import type { KeptRoster } from "../kept-roster.ts";
import { deviceBySigningKey, type RosterDevice } from "../roster.ts";
import { type CarryOutOptions, carryOut, failed, notBegun, type Outcome } from "./carry-out.ts";
import { type BookedRequest, KEPT_OUTCOME_LENGTH_MAX, keyOf, REQUESTS_MAX, type RequestBook } from "./request-book.ts";
import * as errors from "./request-errors.ts";
import type { UnitTalk } from "./unit-talk.ts";

/**
 * Carries out what devices ask, whether they have left it at a hub or ask on a live session: one book for both, so that it is done once, in the order of
 * each device.
 *
 * 1. A request is in the book before the hub hears that it was taken, and marked as begun before a server hears of it.
 * 2. Of each device one at a time, in the order of its numbers: the next is begun when the one before is over.
 * 3. A result is sealed and on disk before it counts as over. A result may come twice, an effect never.
 * 4. The device's scopes and its place on the list count when it is carried out, and the server holds it to them.
 */
export interface RequestDeskOptions extends CarryOutOptions {
  book: RequestBook;
  roster: KeptRoster;
  log: Log;
  /** On disk, and on its way to the hub, when it resolves. */
  answer(hub: string, result: Uint8Array): Promise<void>;
}

/** What could not be carried out now is tried again. */
const RETRY_MS = 1_000;

export class RequestDesk {
  readonly #options: RequestDeskOptions;
  readonly #busy = new Set<string>();
  readonly #talks = new Map<UnitTalk, string>();
  /** Who asks live, by the request's key. */
  readonly #waiting = new Map<string, Set<(outcome: Outcome) => void>>();
  #cancelRetry: (() => void) | undefined;
  #isClosed = false;

  constructor(options: RequestDeskOptions) {
    this.#options = options;
  }

  /** What a device has sealed. On disk when it resolves; `run` carries it out. */
  async take({ hub, signingKey, text }: { hub: string; signingKey: string; text: Uint8Array }): Promise<void> {
    const { log, answer } = this.#options;
    let request: RemoteRequest;
    try {
      request = decodeRequest(text);
    } catch (error) {
      return log.warn("request_refused", { why: messageOf(error) }); // without its id nobody could be answered
    }
    const outcome = await this.#book(request, { device: signingKey, text, hubs: [hub] });
    if (outcome) await answer(hub, await this.#resultOf(text, request, outcome));
  }

  /** What a device asks live. Resolves with the text of the result. @throws FORM_INVALID */
  async ask(signingKey: string, text: Uint8Array): Promise<Uint8Array> {
    const request = decodeRequest(text);
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const key = keyOf(signingKey, request.id);
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(resolve));
    try {
      const known = await this.#book(request, { device: signingKey, text, hubs: [] });
      this.run();
      return encodeJson({ request: await this.#hashOf(text), id: request.id, ...(known ?? (await promise)) });
    } finally {
      waiting.delete(resolve);
      if (waiting.size === 0) this.#waiting.delete(key);
    }
  }

  /** Whatever is open, a device's one after another, devices beside each other. */
  run(): void {
    if (this.#isClosed) return;
    for (const [key] of this.#options.book.open) {
      const device = deviceOf(key);
      if (this.#busy.has(device)) continue;
      this.#busy.add(device);
      void this.#serve(device);
    }
  }

  /** The list of devices is another: nothing of one that is gone goes on. */
  rosterChanged(): void {
    const { roster } = this.#options;
    for (const [talk, device] of [...this.#talks]) if (!deviceBySigningKey(roster.now, device)) talk.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    for (const talk of [...this.#talks.keys()]) talk.close();
    this.#options.book.close();
  }

  /** Undefined: it is in the book, and open. */
  async #book(
    request: RemoteRequest,
    { device, text, hubs }: { device: string; text: Uint8Array; hubs: string[] },
  ): Promise<Outcome | undefined> {
    const { book, crypto, clock, machine } = this.#options;
    const nowMs = clock.wallMs();
    const { id, number, after, deadline_ms } = request;
    const hash = await askedHash(crypto, request);
    const booked = { number, hubs, text: new TextDecoder().decode(text), hash, deadline_ms };
    // Over before it came: it is answered, and need not be remembered.
    const late = deadline_ms <= nowMs ? requestProblem(request, { machine, nowMs }) : undefined;
    const wanted = { device, id, after, request: booked, isRefused: late !== undefined };
    switch (await book.add(wanted, nowMs)) {
      case "known":
        return knownOutcome(book.get(keyOf(device, id)), hash);
      case "missing":
        return failed(errors.requestMissed());
      case "overtaken":
        return failed(errors.requestOvertaken());
      case "full":
        return failed(errors.requestsFull(REQUESTS_MAX));
      case "refused":
        return failed(late!);
      default:
        return undefined;
    }
  }

  async #serve(device: string): Promise<void> {
    const { book, log } = this.#options;
    try {
      for (;;) {
        const next = book.open.find(([key]) => deviceOf(key) === device);
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
    const { book, roster, log } = this.#options;
    const device = deviceBySigningKey(roster.now, signingKey);
    const request = requestOf(booked);
    if (!device || !request) {
      log.info("request_refused", { why: request ? "its device is let in no more" : "it cannot be read" });
      this.#waiting.delete(key);
      return void (await book.update(key, { is_over: true, text: "" }));
    }
    const outcome = await carryOut(
      {
        request,
        device,
        begunMs: booked.begun_ms,
        begin: (nowMs) => this.#begin(key, device, nowMs),
        onTalk: (talk) => this.#onTalk(talk, signingKey),
      },
      this.#options,
    );
    if (this.#isClosed) return;
    await this.#finish(key, request, outcome);
    for (const tell of this.#waiting.get(key) ?? []) tell(outcome);
    log.info("request_carried_out", { by: device.name, type: request.type, ok: "result" in outcome });
  }

  /** Whoever has brought it is answered, also who brings it while the others are: it is over when nobody has since the last look. */
  async #finish(key: string, request: RemoteRequest, outcome: Outcome): Promise<void> {
    const { book, answer } = this.#options;
    const json = JSON.stringify(outcome);
    const kept = json.length <= KEPT_OUTCOME_LENGTH_MAX ? json : undefined;
    let answered: { text: string; result: Uint8Array; hubs: Set<string> } | undefined;
    for (;;) {
      const seen = book.get(key);
      if (!seen) return;
      const { text, hubs } = seen;
      if (answered?.text !== text)
        answered = { text, result: await this.#resultOf(utf8(text), request, outcome), hubs: new Set() };
      for (const hub of hubs)
        if (!answered.hubs.has(hub)) {
          await answer(hub, answered.result);
          answered.hubs.add(hub);
        }
      if ((await book.finish(key, seen, kept)) || this.#isClosed) return;
    }
  }

  /** Its server holds it to the scopes that the device was greeted with: where it has others by now it is greeted anew. */
  async #begin(key: string, greeted: RosterDevice, nowMs: number): Promise<void> {
    const { book } = this.#options;
    if (!this.#isAs(greeted)) throw notBegun();
    if (book.get(key)?.begun_ms !== undefined) return;
    const isWritten = await book.update(key, { begun_ms: nowMs });
    if (!isWritten || !this.#isAs(greeted)) throw notBegun();
  }

  #isAs({ signing_key, scopes }: RosterDevice): boolean {
    return deviceBySigningKey(this.#options.roster.now, signing_key)?.scopes.join() === scopes.join();
  }

  #onTalk(talk: UnitTalk, device: string): () => void {
    this.#talks.set(talk, device);
    if (this.#isClosed) talk.close();
    return () => this.#talks.delete(talk);
  }

  #hashOf(text: Uint8Array): Promise<string> {
    return requestHash(this.#options.crypto, text);
  }

  /** As it fits a record. */
  async #resultOf(asked: Uint8Array, { id }: RemoteRequest, outcome: Outcome): Promise<Uint8Array> {
    const request = await this.#hashOf(asked);
    const text = encodeJson({ request, id, ...outcome });
    if (text.length <= RECORD_TEXT_BYTES_MAX) return text;
    return encodeJson({ request, id, ...failed(errors.resultTooLarge(text.length)) });
  }
}

const deviceOf = (key: string): string => key.split("/")[0]!;

/** Undefined: it is open. */
function knownOutcome(known: BookedRequest | undefined, hash: string): Outcome | undefined {
  if (known && known.hash !== hash) return failed(errors.requestIdUsed());
  if (known?.is_over !== true) return undefined;
  return known.outcome === undefined ? failed(errors.resultGone()) : (JSON.parse(known.outcome) as Outcome);
}

function requestOf({ text }: BookedRequest): RemoteRequest | undefined {
  try {
    return decodeRequest(utf8(text));
  } catch {
    return undefined; // an older version has written it
  }
}
