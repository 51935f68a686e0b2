import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { messageOf } from "../../protocol/errors.ts";
import { fromHex, isEqual, toHex } from "../../sealing/bytes.ts";
import type { Link } from "../../sealing/chain.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import { namesKey, streamId } from "../../sealing/period.ts";
import type { RecordHead } from "../../sealing/record.ts";
import { REQUESTS } from "../../sealing/request.ts";
import { type Reading, type Taken, takeRecord } from "../../sealing/take.ts";
import type { KeptRoster } from "../kept-roster.ts";
import type { Kept } from "./kept.ts";
import { linkOf, type SpaceState, storedLink } from "./space-state.ts";

/**
 * What the devices have left at one hub, one record after another. A record is taken when it opens for its device's key and is of the stream of requests; the
 * request is in the book first, then the cursor and the link in this space's file, then the hub is told: it may bring everything again, and nothing is lost.
 */
export interface SpaceInboxOptions {
  hubId: string;
  hub: Uint8Array;
  space: Uint8Array;
  state: Kept<SpaceState>;
  roster: KeptRoster;
  crypto: SealingCrypto;
  clock: Clock;
  log: Log;
  onRequest(from: { signingKey: string; text: Uint8Array }): Promise<void>;
  took(place: number): void;
}

/** Came, and is not taken yet; past it the hub is not read until there is room again. */
const HELD_BYTES_MAX = 16 * 1024 * 1024;
/** What a record costs while it waits, besides its bytes. */
const RECORD_COST_BYTES = 1024;
const RETRY_MS = 5_000;

export class SpaceInbox {
  readonly #options: SpaceInboxOptions;
  #last: Promise<void> = Promise.resolve();
  #heldBytes = 0;
  #room: PromiseWithResolvers<void> | undefined;
  #contact = 0;
  #tryNow: (() => void) | undefined;

  constructor(options: SpaceInboxOptions) {
    this.#options = options;
  }

  /** Records of a former connection that were not taken come again. @param missed what the hub's welcome says */
  begin(missed: { head: number; floor: number } | undefined): void {
    this.close();
    const contact = this.#contact;
    if (missed) this.#last = this.#last.then(() => this.#carryOut(contact, () => this.#judge(missed)));
  }

  /** The next record is read when what is answered is over. */
  hear(place: number, bytes: Uint8Array): Promise<void> | undefined {
    const contact = this.#contact;
    const copy = new Uint8Array(bytes);
    const cost = copy.length + RECORD_COST_BYTES;
    this.#heldBytes += cost;
    this.#last = this.#last
      .then(() => this.#carryOut(contact, () => this.#take(place, copy)))
      .finally(() => this.#letGo(cost));
    if (this.#heldBytes <= HELD_BYTES_MAX) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** What waits is not taken any more. */
  close(): void {
    this.#contact += 1;
    this.#tryNow?.();
  }

  /** The disk is full, say: tried again until it is done, so that nothing is passed over. What came by a former connection comes again. */
  async #carryOut(contact: number, work: () => Promise<void>): Promise<void> {
    while (contact === this.#contact) {
      try {
        return await work();
      } catch (error) {
        this.#options.log.error("records_not_taken", { error: messageOf(error) });
        if (contact === this.#contact) await this.#retryTime();
      }
    }
  }

  /** Over at once when there is another connection. */
  #retryTime(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.timer(RETRY_MS, resolve);
    this.#tryNow = () => {
      cancel();
      resolve();
    };
    return promise;
  }

  #letGo(cost: number): void {
    this.#heldBytes -= cost;
    if (this.#heldBytes > HELD_BYTES_MAX) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  /** A cursor from what the hub's store has forgotten, or behind which nothing is left. */
  async #judge({ head, floor }: { head: number; floor: number }): Promise<void> {
    const { state, log } = this.#options;
    const { cursor } = state.now;
    if (floor > cursor) log.warn("records_missed", { floor, cursor });
    const next = head < cursor ? 0 : floor >= head ? head : cursor;
    if (next !== cursor)
      await state.change((draft) => {
        draft.cursor = next;
        return true;
      });
  }

  async #take(place: number, bytes: Uint8Array): Promise<void> {
    const { state, crypto, onRequest, took, log } = this.#options;
    if (place <= state.now.cursor) return took(place); // the hub repeats
    const taken = await this.#read(bytes);
    // The hub gives no place to what is in another's space, and none that was passed on from another hub.
    if (taken.kind === "refused" && taken.why === "other_space")
      return log.info("record_not_taken", { why: taken.why });
    let link: { id: string; link: Link; period: number } | undefined;
    if (taken.kind === "taken" || taken.kind === "stuck") {
      const { record, text } = taken;
      const device = this.#deviceBy(record.sender); // it may have been revoked meanwhile
      const hash = taken.kind === "taken" ? taken.link.hash : await crypto.sha256(record.bytes);
      link = { id: chainId(record), link: { seq: record.seq, hash }, period: record.period };
      // A hole is the hub's doing, or the device's that asked live meanwhile: whether something is missing is the request's to say.
      if (taken.kind === "stuck") log.info("request_chain_broken", { step: taken.step.kind, seq: record.seq });
      if (device) await onRequest({ signingKey: device.signing_key, text });
    } else log.info("record_not_taken", { why: taken.why });
    const isStored = await state.change((draft) => {
      draft.cursor = place;
      if (link) draft.theirs[link.id] = { ...storedLink(link.link), period: link.period };
      return true;
    });
    if (isStored) took(place);
  }

  /** A device has one stream for each period: any other would be one more link to keep. */
  async #read(bytes: Uint8Array): Promise<Taken | { kind: "refused"; why: "other_stream" }> {
    const { crypto } = this.#options;
    const reading = this.#reading();
    const taken = await takeRecord(crypto, reading, bytes);
    if (taken.kind !== "taken" && taken.kind !== "stuck") return taken;
    const periodKey = reading.periodKeyOf(taken.record.period);
    const stream = periodKey && (await streamId(crypto, await namesKey(crypto, periodKey), REQUESTS));
    return stream && isEqual(stream, taken.record.stream) ? taken : { kind: "refused", why: "other_stream" };
  }

  #reading(): Reading {
    const { hub, space, state } = this.#options;
    return {
      hub,
      space,
      senderOf: (loginKey) => {
        const device = this.#deviceBy(loginKey);
        return device && { signerKey: fromHex(device.signing_key)!, isMachine: false };
      },
      periodKeyOf: (number) => {
        const { period, former } = state.now;
        const known = [...(period ? [period] : []), ...former].find((one) => one.number === number);
        return known && fromHex(known.key);
      },
      linkOf: (record) => linkOf(state.now.theirs[chainId(record)]),
    };
  }

  #deviceBy(loginKey: Uint8Array) {
    const { roster, hubId } = this.#options;
    const login = toHex(loginKey);
    return roster.now.devices.find(({ logins }) => logins[hubId] === login);
  }
}

const chainId = ({ stream, sender }: Pick<RecordHead, "stream" | "sender">): string =>
  `${toHex(stream)}/${toHex(sender)}`;
