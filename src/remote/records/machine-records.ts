import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import type { RecordSink } from "../hub-link.ts";
import type { HubPlace } from "../hubs.ts";
import type { KeptRoster } from "../kept-roster.ts";
import { KeptSettings } from "../kept-settings.ts";
import type { MachineKeys } from "../machine-keys.ts";
import type { ConnectUnit, UnitWire, UnitWireEvents } from "../network.ts";
import type { RosterDevice } from "../roster.ts";
import type { RemoteStore } from "../store.ts";
import { MailBook } from "./mail-book.ts";
import type { MailLook, WatchMail } from "./mail-watch.ts";
import { RequestBook } from "./request-book.ts";
import { RequestDesk } from "./request-desk.ts";
import { requestWire } from "./request-wire.ts";
import { RowTexts } from "./row-texts.ts";
import { SpaceRecords } from "./space-records.ts";
import { TalkBook } from "./talk-book.ts";
import { ToldStreams } from "./told-streams.ts";
import type { UnitWatchOptions, WatchUnits } from "./unit-watch.ts";

/** The records of this machine at all its hubs, each for itself; the rows, and the requests that they bring, are one. */
export interface MachineRecordsOptions {
  store: RemoteStore;
  roster: KeptRoster;
  machine: MachineKeys;
  crypto: SealingCrypto;
  clock: Clock;
  log: Log;
  connect: ConnectUnit;
  /** The app's settings; default: those in the store. */
  settings?: KeptSettings;
  /** Where this home's rows come from, which devices then see when it is away; without it none are told. */
  watchUnits?: WatchUnits | undefined;
  /** Where the person's mail comes from; without it none is told. */
  watchMail?: WatchMail | undefined;
}

export class MachineRecords {
  readonly #options: MachineRecordsOptions & { settings: KeptSettings };
  readonly #desk: RequestDesk;
  readonly #rows: RowTexts;
  readonly #talks: TalkBook;
  readonly #mail: MailBook;
  readonly #told: ToldStreams;
  readonly #spaces = new Map<string, SpaceRecords>();
  #watches: { close(): void }[] = [];
  #isClosed = false;

  static async open(options: MachineRecordsOptions): Promise<MachineRecords> {
    const settings = options.settings ?? (await KeptSettings.open(options));
    const { store, crypto, clock } = options;
    const mail = await MailBook.open({ store, crypto, nowMs: clock.wallMs });
    return new MachineRecords({ ...options, settings }, { book: await RequestBook.open(store), mail });
  }

  private constructor(
    options: MachineRecordsOptions & { settings: KeptSettings },
    { book, mail }: { book: RequestBook; mail: MailBook },
  ) {
    this.#options = options;
    const { machine, crypto, settings } = options;
    settings.onChanged = () => this.sync();
    this.#rows = new RowTexts(crypto);
    this.#talks = new TalkBook(options.clock.wallMs);
    this.#mail = mail;
    this.#told = new ToldStreams(this.#talks, mail);
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
      talks: this.#told,
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
    this.#follow();
    await space?.forget();
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
    this.#unfollow();
    this.#mail.close();
    this.#desk.close();
    for (const space of this.#spaces.values()) space.close();
  }

  /** Somebody could read it. */
  #follow(): void {
    const { watchUnits, watchMail, roster, connect, clock, log } = this.#options;
    const isRead = roster.now.devices.length > 0 && this.#spaces.size > 0 && !this.#isClosed;
    if (!isRead) return this.#unfollow();
    if (this.#watches.length > 0) return;
    const onRows: UnitWatchOptions["onRows"] = (rows) => void this.#onRows(rows);
    const onSessions: UnitWatchOptions["onSessions"] = (...seen) => {
      if (this.#talks.put(...seen)) this.sync();
    };
    const units = watchUnits?.({ connect, clock, log, onRows, onSessions });
    const mail = watchMail?.({ connect, clock, log, onMail: (look) => void this.#onMail(look) });
    this.#watches = [units, mail].filter((one) => one !== undefined);
  }

  #unfollow(): void {
    for (const watch of this.#watches) watch.close();
    this.#watches = [];
  }

  async #onRows(rows: Parameters<RowTexts["put"]>[0]): Promise<void> {
    try {
      if (await this.#rows.put(rows)) for (const space of this.#spaces.values()) space.sync();
    } catch (error) {
      this.#options.log.error("rows_not_sealed", { error: messageOf(error) });
    }
  }
  async #onMail(look: MailLook): Promise<void> {
    try {
      if (await this.#mail.put(look)) this.sync();
    } catch (error) {
      this.#options.log.error("mail_not_sealed", { error: messageOf(error) });
    }
  }
}
