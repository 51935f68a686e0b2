import type { Channel } from "../contact/channel.ts";
import { hubLost } from "../contact/errors.ts";
import type { Ask, Missed } from "../contact/hub-contact.ts";
import type { HubNetwork } from "../contact/network.ts";
import { type HubState, isSettled, StandingContact } from "../contact/standing-contact.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { SealingCrypto, SigningKey } from "../sealing/crypto.ts";
import { hubAway } from "./errors.ts";
import type { RemoteLimits } from "./limits.ts";

/** This machine's link to one hub: who it is there, and how it becomes a member. On each connection `onContact` is first: who is expelled is expelled then. */
export interface LinkOptions {
  hubKey: Uint8Array;
  label: () => string;
  addresses: () => readonly string[];
  loginKey: SigningKey;
  /** The hub may not know our key yet. */
  isNew: boolean;
  invitation?: Uint8Array | undefined;
  network: HubNetwork;
  crypto: SealingCrypto;
  clock: Clock;
  log: Log;
  limits: RemoteLimits;
  random: () => number;
  records: RecordSink;
  events: LinkEvents;
}

/** Where the hub's records go. */
export interface RecordSink {
  /** Up to here they are taken. */
  readonly cursor: number;
  /** The hub has let us in; records follow. `missed`: its welcome says that something came, or is gone. */
  begin(missed: Missed): void;
  /** The next one is read when what is answered is over. Throws: the connection is given up. */
  hear(place: number, bytes: Uint8Array): Promise<void> | undefined;
}

export interface LinkEvents {
  onState(state: HubState): void;
  /** The hub has let us in. Rejects: the connection is given up. */
  onContact(): Promise<void>;
  onOpened(channel: Channel): void;
  onMet(channel: Channel, id: Uint8Array): void;
}

export class HubLink {
  readonly #options: LinkOptions;
  readonly #standing: StandingContact;
  readonly #settled = new Set<() => void>();
  #login: { isNew: boolean; invitation?: Uint8Array | undefined };
  #isClosed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    const { isNew, invitation, records, events, ...parts } = options;
    this.#login = { isNew, invitation: isNew ? invitation : undefined };
    this.#standing = new StandingContact({
      ...parts,
      role: "machine",
      login: () => this.#login,
      cursor: () => records.cursor,
      events: {
        onState: (state) => this.#onState(state),
        onContact: () => this.#onContact(),
        isMended: (error) => this.#isMended(error.code),
        onWelcome: (missed) => records.begin(missed),
        onRecord: (place, record) => records.hear(place, record),
        onOpened: events.onOpened,
        onMet: events.onMet,
      },
    });
  }

  get state(): HubState {
    return this.#standing.state;
  }

  start(): void {
    if (!this.#isClosed) this.#standing.start();
  }

  /** Now, and not when it would be time: somebody waits. */
  retry(): void {
    this.#standing.retry();
  }

  /** As `retry`, by the first address: what is under way to another one is dropped. */
  redial(): void {
    this.#standing.redial();
  }

  /** With an invitation, where the hub does not let it in any more. */
  invite(invitation: Uint8Array): void {
    this.#login = { isNew: true, invitation };
    this.redial();
  }

  /** Resolves when the link is ready. @throws why it is not, when the hub could not be reached, or has refused */
  ready(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      const { state } = this;
      if (!isSettled(state)) return;
      this.#settled.delete(look);
      if (state.kind === "ready") resolve();
      else reject("error" in state ? state.error : hubLost());
    };
    this.#settled.add(look);
    look();
    return promise;
  }

  /** @throws HUB_AWAY, and what the hub refuses */
  async ask(ask: Ask): Promise<void> {
    const { contact, state } = this.#standing;
    if (contact) return contact.ask(ask);
    throw hubAway(this.#options.label(), "error" in state ? state.error.message : "it is being connected to.");
  }

  took(place: number): void {
    this.#standing.contact?.took(place);
  }

  close(): void {
    this.#isClosed = true;
    this.#standing.stop();
  }

  async #onContact(): Promise<void> {
    await this.#options.events.onContact();
    this.#login = { isNew: false };
  }

  /** The hub has thrown us out, or never stored the key: the whole key at once, and the hub says what it thinks of it. */
  #isMended(code: string): boolean {
    if (this.#login.isNew || (code !== "KEY_NOT_KNOWN" && code !== "EXPELLED")) return false;
    this.#login = { isNew: true };
    return true;
  }

  #onState(state: HubState): void {
    if ("error" in state) this.#options.log.info("hub_lost", { address: state.address, code: state.error.code });
    for (const look of [...this.#settled]) look();
    this.#options.events.onState(state);
  }
}
