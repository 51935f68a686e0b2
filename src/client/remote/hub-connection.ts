import type { Channel, ChannelEvents } from "../../contact/channel.ts";
import { hubLost } from "../../contact/errors.ts";
import type { Missed } from "../../contact/hub-contact.ts";
import type { ContactLimits } from "../../contact/limits.ts";
import type { HubNetwork, RemoteClock } from "../../contact/network.ts";
import { type HubState, StandingContact } from "../../contact/standing-contact.ts";
import { messageOf } from "../../protocol/errors.ts";
import { toHex } from "../../sealing/bytes.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import { recordNotKept } from "./errors.ts";
import type { HubEntry } from "./world.ts";

/**
 * This device's connection to one hub, for as long as the device runs: its own login key, cursor, channels and delay, and what the hub says of who is there.
 *
 * 1. Presence is believed of the hub's own spaces, while it is connected.
 * 2. To be expelled is one machine's word, by which all connections end: another login, at once, says whether there is a machine left here. A hub that says it
 *    again and again is dialled like one that is lost.
 */
export interface HubConnectionOptions {
  entry: HubEntry;
  network: HubNetwork;
  crypto: SealingCrypto;
  clock: RemoteClock;
  limits: ContactLimits;
  /** 0–1. */
  random: () => number;
  /** The last place that is in the store; asked at each login. Default: 0. */
  cursor?: () => number;
  events: HubConnectionEvents;
}

export interface HubConnectionEvents {
  onState(state: HubState): void;
  onPresence(space: string, isPresent: boolean): void;
  /** Rejects: it could not be kept; the hub sends it again. */
  onRecord?(place: number, record: Uint8Array): Promise<void>;
  /** The hub says what was missed; undefined: nothing. */
  onMissed?(missed: Missed): void;
}

/** A code of ours at this hub. */
export interface Meeting {
  /** Somebody has come with it; its channel is listened to in this turn, or loses what it brings. */
  onMet(channel: Channel): void;
  /** The hub is there again, and has forgotten where we wait. */
  onBack(): void;
}
/** Who is expelled twice within this time waits as after any loss. */
const EXPELLED_AGAIN_MS = 30_000;

export class HubConnection {
  readonly #options: HubConnectionOptions;
  readonly #presence = new Map<string, boolean>();
  /** By the rendezvous, hex. */
  readonly #meetings = new Map<string, Meeting>();
  readonly #standing: StandingContact;
  #entry: HubEntry;
  #expelledAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: HubConnectionOptions) {
    this.#options = options;
    const { entry, events, ...parts } = options;
    this.#entry = entry;
    this.#standing = new StandingContact({
      ...parts,
      hubKey: entry.key,
      loginKey: entry.login,
      role: "device",
      addresses: () => this.#entry.addresses,
      events: {
        onState: (state) => this.#onState(state),
        onWelcome: (missed) => events.onMissed?.(missed),
        onPresence: (space, isPresent) => this.#onPresence(toHex(space), isPresent),
        onRecord: (place, record) => this.#onRecord(place, record),
        onMet: (channel, id) => this.#onMet(channel, toHex(id)),
        isMended: ({ code }) => code === "EXPELLED" && this.#isFirstInAWhile(),
      },
    });
  }

  get state(): HubState {
    return this.#standing.state;
  }

  get entry(): HubEntry {
    return this.#entry;
  }

  /** Another label or other addresses; the key stays. */
  update(entry: HubEntry): void {
    this.#entry = entry;
  }

  /** Undefined: the hub has not said. */
  isPresent(space: Uint8Array): boolean | undefined {
    return this.#presence.get(toHex(space));
  }

  start(): void {
    this.#standing.start();
  }

  /** Now, and not when it would be time: somebody waits. */
  retry(): void {
    this.#standing.retry();
  }

  /** As `retry`, by the first address: what is under way to another one is dropped. */
  redial(): void {
    this.#standing.redial();
  }

  /** Until `start`. */
  stop(): void {
    this.#standing.stop();
  }

  /** To the machine of that space. Undefined: not connected. */
  open(space: Uint8Array, events: ChannelEvents): Channel | undefined {
    return this.#standing.contact?.open(space, events);
  }

  /** Resolves when the hub has the record in its store. @throws HUB_LOST, and what the hub refuses */
  put(record: Uint8Array): Promise<void> {
    return this.#standing.contact?.ask({ kind: "put", record }) ?? Promise.reject(hubLost());
  }

  /** Whoever comes to that rendezvous is given to `meeting`; the answer ends it. */
  meetAt(id: Uint8Array, meeting: Meeting): () => void {
    this.#meetings.set(toHex(id), meeting);
    return () => this.#meetings.delete(toHex(id));
  }

  /** @param expires in seconds since 1970; 0 takes it back. @throws HUB_LOST, and what the hub refuses */
  rendezvous(id: Uint8Array, expires: number): Promise<void> {
    return this.#standing.contact?.ask({ kind: "rendezvous", id, expires }) ?? Promise.reject(hubLost());
  }

  took(place: number): void {
    this.#standing.contact?.took(place);
  }

  #onState(state: HubState): void {
    if (state.kind !== "ready") this.#presence.clear();
    else for (const { onBack } of [...this.#meetings.values()]) onBack();
    this.#options.events.onState(state);
  }

  #onMet(channel: Channel, id: string): void {
    const meeting = this.#meetings.get(id);
    if (meeting) meeting.onMet(channel);
    else channel.close("refused");
  }

  #onPresence(space: string, isPresent: boolean): void {
    this.#presence.set(space, isPresent);
    this.#options.events.onPresence(space, isPresent);
  }

  #isFirstInAWhile(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    const isFirst = nowMs - this.#expelledAtMs > EXPELLED_AGAIN_MS;
    if (isFirst) this.#expelledAtMs = nowMs;
    return isFirst;
  }

  /** That it cannot be kept here is not the hub's fault. */
  async #onRecord(place: number, record: Uint8Array): Promise<void> {
    try {
      await this.#options.events.onRecord?.(place, record);
    } catch (error) {
      throw recordNotKept(messageOf(error));
    }
  }
}
