import { Backoff } from "../platform/backoff.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { isWarrenError, WarrenError } from "../protocol/errors.ts";
import { isEqual } from "../sealing/bytes.ts";
import type { SealingCrypto, SigningKey } from "../sealing/crypto.ts";
import { fingerprintText } from "../sealing/fingerprint.ts";
import { fingerprintOf } from "../sealing/login.ts";
import { hubAway, hubChanged, hubLost } from "./errors.ts";
import type { HubChannel } from "./hub-channel.ts";
import { type Ask, HubContact, type RecordSink } from "./hub-contact.ts";
import type { RemoteLimits } from "./limits.ts";
import type { HubNetwork } from "./network.ts";

/**
 * This machine's link to one hub: it connects by any of its addresses, and again when it was lost, by one backoff. Nothing of another hub is known here.
 *
 * 1. On each connection `onContact` is over before the link counts as ready: who is expelled is expelled first.
 * 2. A hub that cannot show the key is never spoken to; that another hub answers is said as such.
 */
export type LinkState =
  | { kind: "connecting" }
  | { kind: "ready"; address: string; sinceMs: number }
  | { kind: "waiting"; error: WarrenError }
  /** Somebody has to do something first; it is tried again all the same, now and then. */
  | { kind: "refused"; error: WarrenError }
  | { kind: "off" };

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

export interface LinkEvents {
  onState(state: LinkState): void;
  /** The hub has let us in. Rejects: the connection is given up. */
  onContact(link: HubLink): Promise<void>;
  onOpened(channel: HubChannel): void;
  onMet(channel: HubChannel, id: Uint8Array): void;
}

/** What waiting does not mend. */
const REFUSALS = ["HUB_KEY_CHANGED", "HUB_UNTRUE", "MACHINE_NOT_INVITED", "INVITATION_REFUSED", "LOGIN_REFUSED"];
/** After these it may be another hub that answers. */
const DOUBTS = ["HUB_UNTRUE", "LOGIN_REFUSED", "KEY_NOT_KNOWN", "MACHINE_NOT_INVITED", "INVITATION_REFUSED"];

export class HubLink {
  readonly #options: LinkOptions;
  readonly #over = new AbortController();
  readonly #backoff: Backoff;
  #contact: HubContact | undefined;
  #state: LinkState = { kind: "off" };
  #isNew: boolean;
  #invitation: Uint8Array | undefined;
  #attempt = 0;
  #cancelRetry: (() => void) | undefined;
  readonly #settled = new Set<() => void>();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#isNew = options.isNew;
    this.#invitation = options.invitation;
    const { retryFirstMs, retryMostMs } = options.limits;
    this.#backoff = new Backoff({ firstMs: retryFirstMs, maxMs: retryMostMs, random: options.random });
  }

  get state(): LinkState {
    return this.#state;
  }

  start(): void {
    if (this.#state.kind === "off" && !this.#over.signal.aborted) this.#connect();
  }

  /** Now, and not when it would be time: somebody waits. */
  retry(): void {
    if (this.#state.kind !== "waiting" && this.#state.kind !== "refused") return;
    this.#cancelRetry?.();
    this.#connect();
  }

  /** With an invitation, where the hub does not let it in any more. */
  invite(invitation: Uint8Array): void {
    this.#invitation = invitation;
    this.#isNew = true;
    this.retry();
  }

  /** Resolves when the link is ready. @throws why it is not, when the hub could not be reached, or has refused */
  ready(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      const state = this.#state;
      if (state.kind === "connecting") return;
      this.#settled.delete(look);
      if (state.kind === "ready") resolve();
      else reject(state.kind === "off" ? hubLost() : state.error);
    };
    this.#settled.add(look);
    look();
    return promise;
  }

  /** @throws HUB_AWAY, and what the hub refuses */
  async ask(ask: Ask): Promise<void> {
    const contact = this.#contact;
    if (!contact) {
      const why = "error" in this.#state ? this.#state.error.message : "it is being connected to.";
      throw hubAway(this.#options.label(), why);
    }
    await contact.ask(ask);
  }

  took(place: number): void {
    this.#contact?.took(place);
  }

  close(): void {
    this.#over.abort();
    this.#cancelRetry?.();
    this.#contact?.end(hubLost());
    this.#setState({ kind: "off" });
  }

  #connect(): void {
    const { addresses, events, hubKey, loginKey, network, crypto, clock, limits, records } = this.#options;
    const known = addresses();
    const address = known[this.#attempt++ % known.length]!;
    this.#setState({ kind: "connecting" });
    const contact = new HubContact({
      address,
      hubKey,
      loginKey,
      isNew: this.#isNew,
      invitation: this.#isNew ? this.#invitation : undefined,
      network,
      crypto,
      clock,
      limits,
      records,
      events: { onOpened: events.onOpened, onMet: events.onMet },
    });
    this.#contact = contact;
    contact.welcomed.then(() => this.#greet(contact, address)).catch(() => {});
    void contact.ended.then((error) => this.#lost(contact, address, error));
  }

  async #greet(contact: HubContact, address: string): Promise<void> {
    const { events, clock } = this.#options;
    try {
      await events.onContact(this);
    } catch (error) {
      contact.end(error instanceof WarrenError ? error : hubLost());
      return;
    }
    if (this.#contact !== contact || this.#over.signal.aborted) return;
    this.#isNew = false;
    this.#invitation = undefined;
    this.#attempt -= 1; // this address again, when it is lost
    this.#backoff.reset();
    this.#setState({ kind: "ready", address, sinceMs: clock.wallMs() });
  }

  async #lost(contact: HubContact, address: string, first: WarrenError): Promise<void> {
    if (this.#contact !== contact) return;
    this.#contact = undefined;
    if (this.#over.signal.aborted) return;
    const error = DOUBTS.includes(first.code) ? await this.#whoAnswers(address, first) : first;
    if (this.#over.signal.aborted) return;
    const { clock, limits, log, addresses } = this.#options;
    // The hub has forgotten the key, or never stored it: the whole key at once, and the hub says what it thinks of it.
    if (isWarrenError(error, "KEY_NOT_KNOWN") && !this.#isNew) {
      this.#isNew = true;
      this.#attempt -= 1;
      return this.#connect();
    }
    const isRefused = REFUSALS.includes(error.code);
    log.info("hub_lost", { address, code: error.code });
    const nextMs = this.#backoff.nextMs();
    const isLastAddress = this.#attempt % addresses().length === 0;
    const delayMs = isRefused && isLastAddress ? limits.retryRefusedMs : nextMs;
    this.#cancelRetry = clock.timer(delayMs, () => this.#connect());
    this.#setState({ kind: isRefused ? "refused" : "waiting", error });
  }

  /** The hub's plain word for its key, only to say what is the matter. */
  async #whoAnswers(address: string, error: WarrenError): Promise<WarrenError> {
    const { network, hubKey, crypto } = this.#options;
    try {
      const { key } = await network.claim(address, this.#over.signal);
      if (isEqual(key, hubKey)) return error;
      const [known, found] = await Promise.all([fingerprintOf(crypto, hubKey), fingerprintOf(crypto, key)]);
      return hubChanged(address, fingerprintText(known), fingerprintText(found));
    } catch {
      return error;
    }
  }

  #setState(state: LinkState): void {
    this.#state = state;
    for (const look of [...this.#settled]) look();
    this.#options.events.onState(state);
  }
}
