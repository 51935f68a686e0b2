import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import type { RecordSink } from "../hub-link.ts";
import type { HubPlace } from "../hubs.ts";
import type { MachineKeys } from "../machine-keys.ts";
import type { ConnectUnit, UnitWire, UnitWireEvents } from "../network.ts";
import type { RosterDevice } from "../roster.ts";
import type { RosterKeeper } from "../roster-keeper.ts";
import { SettingsKeeper } from "../settings-keeper.ts";
import type { RemoteStore } from "../store.ts";
import { RequestBook } from "./request-book.ts";
import { RequestDesk } from "./request-desk.ts";
import { requestWire } from "./request-wire.ts";
import { RowTexts } from "./row-texts.ts";
import { SpaceRecords } from "./space-records.ts";
import { TalkBook } from "./talk-book.ts";
import type { UnitWatchOptions, WatchUnits } from "./unit-watch.ts";

/** The records of this machine at all its hubs, each for itself; the rows, and the requests that they bring, are one. */
export interface MachineRecordsOptions {
  store: RemoteStore;
  roster: RosterKeeper;
  machine: MachineKeys;
  crypto: SealingCrypto;
  clock: Clock;
  log: Log;
  connect: ConnectUnit;
  /** The app's settings; default: those in the store. */
  settings?: SettingsKeeper;
  /** Where this home's rows come from, which devices then see when it is away; without it none are told. */
  watchUnits?: WatchUnits | undefined;
}

export class MachineRecords {
  readonly #options: MachineRecordsOptions & { settings: SettingsKeeper };
  readonly #desk: RequestDesk;
  readonly #rows: RowTexts;
  readonly #talks: TalkBook;
  readonly #spaces = new Map<string, SpaceRecords>();
  #watch: { close(): void } | undefined;
  #isClosed = false;

  static async open(options: MachineRecordsOptions): Promise<MachineRecords> {
    const settings = options.settings ?? (await SettingsKeeper.open(options));
    return new MachineRecords({ ...options, settings }, await RequestBook.open(options.store));
  }

  private constructor(options: MachineRecordsOptions & { settings: SettingsKeeper }, book: RequestBook) {
    this.#options = options;
    const { machine, crypto, settings } = options;
    settings.onChanged = () => this.sync();
    this.#rows = new RowTexts(crypto);
    this.#talks = new TalkBook(options.clock.wallMs);
    this.#desk = new RequestDesk({
      ...options,
      book,
      machine: machine.signing.publicKey,
      answer: async (hub, result) => this.#spaces.get(hub)?.answer(result),
    });
  }

  /** A hub of this machine, before its link is started. */
  async add(place: HubPlace): Promise<RecordSink> {
    const { machine } = this.#options;
    const space = await SpaceRecords.open({
      ...this.#options,
      place,
      rows: this.#rows,
      talks: this.#talks,
      signer: machine.signing,
      onRequest: async ({ signingKey, ...request }) => {
        await this.#desk.take({ hub: place.id, signingKey, ...request });
        this.#desk.run();
      },
    });
    this.#spaces.set(place.id, space);
    return space.sink;
  }

  async remove(hubId: string): Promise<void> {
    const space = this.#spaces.get(hubId);
    this.#spaces.delete(hubId);
    await space?.forget();
    this.#follow();
  }

  /** The stream of a live session on which the device asks what it could have left at a hub: one book for both. */
  asking(device: RosterDevice, events: UnitWireEvents): UnitWire {
    return requestWire({ ...events, ask: (text) => this.#desk.ask(device.signing_key, text) });
  }

  /** The list of devices, or a link, is another. */
  changed(): void {
    if (this.#isClosed) return;
    this.#desk.rosterChanged();
    this.#follow();
    this.sync();
  }

  /** Something that is told by records is another. */
  sync(): void {
    if (!this.#isClosed) for (const space of this.#spaces.values()) space.sync();
  }

  /** What was begun before is gone on with. */
  start(): void {
    this.changed();
    this.#desk.run();
  }

  ready(hubId: string): void {
    this.#spaces.get(hubId)?.sync();
  }

  /** Of the list of streams at this hub. Undefined: it is no hub of ours. */
  digest(hubId: string): Promise<Uint8Array> | undefined {
    return this.#spaces.get(hubId)?.digest();
  }

  close(): void {
    this.#isClosed = true;
    this.#watch?.close();
    this.#desk.close();
    for (const space of this.#spaces.values()) space.close();
  }

  /** Somebody could read it. */
  #follow(): void {
    const { watchUnits, roster, connect, clock, log } = this.#options;
    const isRead = roster.now.devices.length > 0 && this.#spaces.size > 0 && !this.#isClosed;
    const onRows: UnitWatchOptions["onRows"] = (rows) => void this.#onRows(rows);
    const onSessions: UnitWatchOptions["onSessions"] = (...seen) => {
      if (this.#talks.put(...seen)) this.sync();
    };
    if (isRead) this.#watch ??= watchUnits?.({ connect, clock, log, onRows, onSessions });
    else {
      this.#watch?.close();
      this.#watch = undefined;
    }
  }

  async #onRows(rows: Parameters<RowTexts["put"]>[0]): Promise<void> {
    try {
      if (await this.#rows.put(rows)) for (const space of this.#spaces.values()) space.sync();
    } catch (error) {
      this.#options.log.error("rows_not_sealed", { error: messageOf(error) });
    }
  }
}
