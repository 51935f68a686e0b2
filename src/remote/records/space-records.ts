import type { Log } from "../../platform/log.ts";
import { messageOf } from "../../protocol/errors.ts";
import { fromHex, toHex } from "../../sealing/bytes.ts";
import { headsDigest } from "../../sealing/heads.ts";
import { encodeMembers } from "../../sealing/members.ts";
import type { PeriodReader } from "../../sealing/period.ts";
import { unitStream } from "../../sealing/unit-row.ts";
import type { RecordSink } from "../hub-link.ts";
import type { HubPlace } from "../hubs.ts";
import type { KeptRoster } from "../kept-roster.ts";
import type { KeptSettings } from "../kept-settings.ts";
import type { RemoteStore } from "../store.ts";
import { Kept } from "./kept.ts";
import type { RowTexts } from "./row-texts.ts";
import { sealSettings } from "./settings-writer.ts";
import { SpaceInbox } from "./space-inbox.ts";
import { SpaceSender } from "./space-sender.ts";
import { emptySpace, readSpace, type SpaceState } from "./space-state.ts";
import {
  beginPeriod,
  endPeriod,
  headsOf,
  isPeriodDue,
  sealHeads,
  sealNamed,
  type WriterParts,
} from "./space-writer.ts";
import { TalkWriter } from "./talk-writer.ts";
import type { ToldStreams } from "./told-streams.ts";

/**
 * This machine's records at one hub: what its devices know when it is away. One function, `#write`, compares what is sealed with what is: devices, members,
 * rows; the rest is on its way to the hub.
 *
 * 1. A record is on disk, sealed, before the hub is given it; it is given again until the hub has confirmed it.
 * 2. Nothing is sealed in a period of which a device that is gone has the key: a change of the devices ends the period.
 * 3. A list of heads follows whatever else was put, within two seconds; conversations alone, within a minute.
 */
export interface SpaceRecordsOptions extends Omit<WriterParts, "hub" | "space"> {
  place: HubPlace;
  roster: KeptRoster;
  store: RemoteStore;
  rows: RowTexts;
  talks: ToldStreams;
  settings: KeptSettings;
  log: Log;
  onRequest(from: { signingKey: string; text: Uint8Array }): Promise<void>;
}

const HEAD_MS = 1_500;
/** A list is as long as the units are many: a conversation that goes on makes none of its own each time. */
const HEAD_OF_TALKS_MS = 60_000;
/** The hub was full, or could not store it. */
const RETRY_MS = 30_000;
/** A period that is younger was not made by a home that was restored. */
const RESTORED_MS = 60_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

export class SpaceRecords {
  readonly #options: SpaceRecordsOptions;
  readonly #parts: WriterParts;
  readonly #state: Kept<SpaceState>;
  readonly #inbox: SpaceInbox;
  readonly #talks: TalkWriter;
  readonly #sender: SpaceSender;
  #running: Promise<void> | undefined;
  #isStale = false;
  #isFirst = true;
  #cancelHead: (() => void) | undefined;
  #headDueMs = 0;
  #cancelRetry: (() => void) | undefined;
  #cancelDay: (() => void) | undefined;
  #isClosed = false;

  static async open(options: SpaceRecordsOptions): Promise<SpaceRecords> {
    const { store, place, log } = options;
    const space = toHex(place.loginKey.publicKey);
    const text = await store.read(`space-${place.id}.json`);
    const state = text ? readSpace(text, space) : undefined;
    if (text && !state) log.warn("space_begins_anew", { hub: place.id });
    return new SpaceRecords(options, state ?? emptySpace(space));
  }

  private constructor(options: SpaceRecordsOptions, state: SpaceState) {
    this.#options = options;
    const { place, signer, crypto, clock, store, roster, log, onRequest } = options;
    const [hub, space] = [place.fingerprint, place.loginKey.publicKey];
    this.#parts = { hub, space, signer, crypto, clock };
    this.#state = new Kept(store, `space-${place.id}.json`, state);
    this.#talks = new TalkWriter({ parts: this.#parts, state: this.#state, talks: options.talks });
    this.#sender = new SpaceSender({
      link: place.link,
      state: this.#state,
      log,
      isClosed: () => this.#isClosed,
      onOld: () => this.#restored(),
    });
    const took = (at: number): void => place.link.took(at);
    const parts = { hubId: place.id, hub, space, state: this.#state, roster, crypto, clock, log, onRequest, took };
    this.#inbox = new SpaceInbox(parts);
  }

  /** For the link. */
  get sink(): RecordSink {
    const [state, inbox] = [this.#state, this.#inbox];
    return {
      get cursor() {
        return state.now.cursor;
      },
      begin: (missed) => inbox.begin(missed),
      hear: (place, bytes) => inbox.hear(place, bytes),
    };
  }

  /** What a device with the last list of heads has, too. */
  async digest(): Promise<Uint8Array> {
    return headsDigest(this.#parts.crypto, await headsOf(this.#parts, this.#state.now));
  }

  /** Devices, rows or the link have changed. Changes while it works are one more turn. */
  sync(): void {
    this.#isStale = true;
    this.#running ??= this.#run();
  }

  /** Nothing of what is known now is to be done any more. */
  get idle(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  /** On disk when it resolves. */
  async answer(text: Uint8Array): Promise<void> {
    const sealed = await this.#state.change(async (draft) => {
      await this.#write(draft); // a device may have gone since the last look
      if (!draft.period) return false;
      await sealNamed(this.#parts, draft, { kind: "result", name: "results", text });
      return true;
    });
    if (!sealed) return;
    this.#headLater();
    this.sync();
  }

  close(): void {
    this.#isClosed = true;
    for (const cancel of [this.#cancelHead, this.#cancelRetry, this.#cancelDay]) cancel?.();
    this.#inbox.close();
    this.#state.close();
  }

  /** The hub is none of ours any more. */
  async forget(): Promise<void> {
    this.close();
    await this.#state.change(() => false); // behind what is being written down
    await this.#options.store.write(`space-${this.#options.place.id}.json`, "");
  }

  async #run(): Promise<void> {
    try {
      while (this.#isStale && !this.#isClosed) {
        this.#isStale = false;
        const isChanged = await this.#state.change((draft) => this.#write(draft));
        if (isChanged || this.#isFirst) this.#headLater(); // what was killed may have left out the list
        this.#isFirst = false;
        if ((await this.#sender.send()) === "later") this.#retryLater();
        if (await this.#talks.seal()) this.#sealedTalk();
      }
    } catch (error) {
      if (!this.#isClosed) this.#options.log.error("records_not_written", { error: messageOf(error) });
      this.#retryLater();
    } finally {
      this.#running = undefined;
      this.#watchDay();
    }
  }

  #sealedTalk(): void {
    this.#headLater(HEAD_OF_TALKS_MS);
    this.#isStale = true;
  }

  async #write(draft: SpaceState): Promise<boolean> {
    const readers = this.#readers();
    if (readers.length === 0) return this.#end(draft);
    let isChanged = false;
    if (isPeriodDue(draft, readers, this.#parts.clock.wallMs())) {
      await beginPeriod(this.#parts, draft, readers);
      isChanged = true;
    }
    if (await this.#writeMembers(draft)) isChanged = true;
    if (await sealSettings(this.#parts, draft, this.#options.settings)) isChanged = true;
    return (await this.#writeRows(draft)) || isChanged;
  }

  #end(draft: SpaceState): boolean {
    if (!draft.period) return false;
    endPeriod(draft, this.#parts.clock.wallMs());
    return true;
  }

  #readers(): PeriodReader[] {
    const { roster, place } = this.#options;
    return roster.now.devices.flatMap(({ logins, exchange_key }) => {
      const login = logins[place.id];
      return login === undefined ? [] : [{ loginKey: fromHex(login)!, exchangeKey: fromHex(exchange_key)! }];
    });
  }

  async #writeMembers(draft: SpaceState): Promise<boolean> {
    const { roster, place } = this.#options;
    const text = encodeMembers(
      roster.now.devices.map(({ name, platform, scopes, logins, signing_key }) => ({
        loginKey: fromHex(logins[place.id] ?? "00".repeat(32))!,
        signingKey: fromHex(signing_key)!,
        scopes,
        name,
        platform,
      })),
    );
    const hash = toHex(await this.#parts.crypto.sha256(text));
    if (hash === draft.members) return false;
    await sealNamed(this.#parts, draft, { kind: "members", name: "members", text });
    draft.members = hash;
    return true;
  }

  async #writeRows(draft: SpaceState): Promise<boolean> {
    const { rows } = this.#options;
    let isChanged = false;
    for (const [id, { text, hash }] of rows.after(Object.keys(draft.rows))) {
      if (draft.rows[id] === hash) continue;
      await sealNamed(this.#parts, draft, { kind: "state", name: unitStream(id), text });
      // By what was sealed, not by what is there now: the row may have gone, or come, meanwhile. One that is gone has no hash.
      if (hash === "") delete draft.rows[id];
      else draft.rows[id] = hash;
      isChanged = true;
    }
    return isChanged;
  }

  /** The hub has newer states: this home was restored from a backup. Another period, whose streams are new. */
  async #restored(): Promise<void> {
    const { clock } = this.#parts;
    const readers = this.#readers();
    const isNew = await this.#state.change(async (draft) => {
      if (readers.length === 0 || !draft.period) return false;
      if (Math.abs(clock.wallMs() - draft.period.made_ms) < RESTORED_MS) return false;
      await beginPeriod(this.#parts, draft, readers);
      return true;
    });
    if (!isNew) return;
    this.#options.log.warn("home_was_restored", { hub: this.#options.place.id });
    this.#isStale = true;
  }

  /** The sooner one counts. */
  #headLater(delayMs = HEAD_MS): void {
    const { clock } = this.#parts;
    const dueMs = clock.monotonicMs() + delayMs;
    if (this.#cancelHead && this.#headDueMs <= dueMs) return;
    this.#cancelHead?.();
    this.#headDueMs = dueMs;
    this.#cancelHead = clock.timer(delayMs, () => {
      this.#cancelHead = undefined;
      this.#state
        .change(async (draft) => {
          const isChanged = await this.#write(draft);
          return (await sealHeads(this.#parts, draft)) || isChanged;
        })
        .then((isSealed) => isSealed && this.sync())
        .catch((error) => this.#options.log.error("heads_not_written", { error: messageOf(error) }));
    });
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    this.#cancelRetry?.();
    this.#cancelRetry = this.#parts.clock.timer(RETRY_MS, () => this.sync());
  }

  #watchDay(): void {
    const { period } = this.#state.now;
    this.#cancelDay?.();
    if (!period || this.#isClosed) return;
    const leftMs = period.made_ms + DAY_MS - this.#parts.clock.wallMs();
    this.#cancelDay = this.#parts.clock.timer(Math.min(DAY_MS, Math.max(1_000, leftMs)), () => this.sync());
  }
}
