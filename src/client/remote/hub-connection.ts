import { isWarrenError, type WarrenError } from "../../protocol/errors.ts";
import { isEqual, toHex } from "../../sealing/bytes.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import { fingerprintText } from "../../sealing/fingerprint.ts";
import { fingerprintOf } from "../../sealing/login.ts";
import type { Channel, ChannelEvents } from "./channel.ts";
import { hubChanged, hubLost } from "./errors.ts";
import { HubContact } from "./hub-contact.ts";
import type { DeviceLimits } from "./limits.ts";
import { RetryDelay } from "./retry-delay.ts";
import type { HubEntry, HubNetwork, RemoteClock } from "./world.ts";

/**
 * This device's connection to one hub, for as long as the device runs: it connects by any of the hub's addresses, and again when it was lost, by one
 * delay. It has its own login key, cursor, channels and delay; nothing of another hub is known here, so a hub that is dead, slow, lying or flooding
 * costs itself alone.
 *
 *     off → connecting → checking → ready → waiting → connecting …        refused: waiting does not mend it; tried again rarely
 *
 * 1. A hub that cannot show the key is never spoken to; that another hub answers at an address is said as such.
 * 2. Presence is believed of the hub's own spaces, while it is connected.
 */
export type HubState =
  | { kind: "off" }
  | { kind: "connecting"; address: string }
  /** Something answers there, and shows now who it is. */
  | { kind: "checking"; address: string }
  | { kind: "ready"; address: string; sinceMs: number }
  /** `untilMs`: wall time of the next dial. */
  | { kind: "waiting"; untilMs: number; error: WarrenError }
  | { kind: "refused"; untilMs: number; error: WarrenError };

export interface HubConnectionOptions {
  entry: HubEntry;
  network: HubNetwork;
  crypto: SealingCrypto;
  clock: RemoteClock;
  limits: DeviceLimits;
  /** 0–1. */
  random: () => number;
  /** The last place that is in the store; asked at each dial. Default: 0. */
  cursor?: () => number;
  events: HubConnectionEvents;
}

export interface HubConnectionEvents {
  onState(state: HubState): void;
  onPresence(space: string, isPresent: boolean): void;
  onRecord?(place: number, record: Uint8Array): Promise<void>;
  /** The hub says what was missed; undefined: nothing. */
  onMissed?(missed: { head: number; floor: number } | undefined): void;
}

/** What waiting does not mend. */
const REFUSALS: ReadonlySet<string> = new Set([
  "HUB_KEY_CHANGED",
  "HUB_UNTRUE",
  "LOGIN_REFUSED",
  "KEY_NOT_KNOWN",
  "DEVICE_UNKNOWN",
  "EXPELLED",
  "VERSION_UNKNOWN",
]);
/** After these it may be another hub that answers. */
const DOUBTS: ReadonlySet<string> = new Set(["HUB_UNTRUE", "LOGIN_REFUSED", "KEY_NOT_KNOWN", "DEVICE_UNKNOWN"]);

export class HubConnection {
  readonly #options: HubConnectionOptions;
  readonly #delay: RetryDelay;
  readonly #presence = new Map<string, boolean>();
  #entry: HubEntry;
  #contact: HubContact | undefined;
  #state: HubState = { kind: "off" };
  #attempt = 0;
  #cancelRetry: (() => void) | undefined;
  #cancelClaim: AbortController | undefined;

  constructor(options: HubConnectionOptions) {
    this.#options = options;
    this.#entry = options.entry;
    this.#delay = new RetryDelay(options.limits, options.random);
  }

  get state(): HubState {
    return this.#state;
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
    if (this.#state.kind === "off") this.#connect();
  }

  /** Now, and not when it would be time: somebody waits. */
  retry(): void {
    if (this.#state.kind !== "waiting" && this.#state.kind !== "refused") return;
    this.#cancelRetry?.();
    this.#connect();
  }

  /** Until `start`. */
  stop(): void {
    const contact = this.#contact;
    this.#contact = undefined;
    this.#cancelRetry?.();
    this.#cancelClaim?.abort();
    this.#presence.clear();
    this.#delay.reset();
    this.#setState({ kind: "off" });
    contact?.end(hubLost());
  }

  /** To the machine of that space. Undefined: not connected. */
  open(space: Uint8Array, events: ChannelEvents): Channel | undefined {
    return this.#contact?.open(space, events);
  }

  /** Resolves when the hub has the record in its store. @throws HUB_LOST, and what the hub refuses */
  put(record: Uint8Array): Promise<void> {
    return this.#contact?.put(record) ?? Promise.reject(hubLost());
  }

  took(place: number): void {
    this.#contact?.took(place);
  }

  #connect(): void {
    const { network, crypto, clock, limits, cursor = () => 0, events } = this.#options;
    const { addresses, key, login } = this.#entry;
    const address = addresses[this.#attempt++ % addresses.length]!;
    const contact: HubContact = new HubContact({
      address,
      hubKey: key,
      loginKey: login,
      role: "device",
      cursor: cursor(),
      network,
      crypto,
      clock,
      limits,
      events: {
        onChecking: () => {
          if (this.#contact === contact) this.#setState({ kind: "checking", address });
        },
        onPresence: (space, isPresent) => {
          if (this.#contact === contact) this.#onPresence(toHex(space), isPresent);
        },
        ...(events.onRecord ? { onRecord: events.onRecord } : {}),
      },
    });
    this.#contact = contact;
    this.#setState({ kind: "connecting", address });
    contact.welcomed.then(
      (missed) => {
        if (this.#contact === contact) this.#onWelcome(address, missed);
      },
      () => {}, // told by its end
    );
    void contact.ended.then((error) => this.#onEnded(contact, address, error));
  }

  #onWelcome(address: string, missed: { head: number; floor: number } | undefined): void {
    this.#attempt -= 1; // this address again, when it is lost
    this.#delay.reset();
    this.#options.events.onMissed?.(missed);
    this.#setState({ kind: "ready", address, sinceMs: this.#options.clock.wallMs() });
  }

  #onPresence(space: string, isPresent: boolean): void {
    this.#presence.set(space, isPresent);
    this.#options.events.onPresence(space, isPresent);
  }

  async #onEnded(contact: HubContact, address: string, first: WarrenError): Promise<void> {
    if (this.#contact !== contact) return;
    this.#presence.clear();
    const error = DOUBTS.has(first.code) ? await this.#whoAnswers(address, first) : first;
    if (this.#contact !== contact) return; // it was stopped meanwhile
    this.#contact = undefined;
    const { clock } = this.#options;
    const isRefused = REFUSALS.has(error.code);
    // Another address may lead to the right hub.
    const isLastAddress = this.#attempt % this.#entry.addresses.length === 0;
    const delayMs = this.#delay.nextMs(isRefused && isLastAddress);
    this.#cancelRetry = clock.timer(delayMs, () => this.#connect());
    this.#setState({ kind: isRefused ? "refused" : "waiting", untilMs: clock.wallMs() + delayMs, error });
  }

  /** The plain word for the key of whoever answers, only to say what is the matter. */
  async #whoAnswers(address: string, error: WarrenError): Promise<WarrenError> {
    const { network, crypto } = this.#options;
    this.#cancelClaim = new AbortController();
    try {
      const { key } = await network.claim(address, this.#cancelClaim.signal);
      if (isEqual(key, this.#entry.key)) return error;
      const [known, found] = await Promise.all([fingerprintOf(crypto, this.#entry.key), fingerprintOf(crypto, key)]);
      return hubChanged(address, fingerprintText(known), fingerprintText(found));
    } catch (cause) {
      if (!isWarrenError(cause)) throw cause;
      return error;
    }
  }

  #setState(state: HubState): void {
    this.#state = state;
    this.#options.events.onState(state);
  }
}

/** Whether it is known by now that there is no connection. */
export const isSettled = ({ kind }: HubState): boolean => kind !== "connecting" && kind !== "checking";
