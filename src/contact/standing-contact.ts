import { WarrenError } from "../protocol/errors.ts";
import { isEqual } from "../sealing/bytes.ts";
import { fingerprintText } from "../sealing/fingerprint.ts";
import { fingerprintOf } from "../sealing/login.ts";
import { hubChanged, hubLost } from "./errors.ts";
import { type ContactEvents, type ContactOptions, HubContact } from "./hub-contact.ts";
import { RetryDelay } from "./retry-delay.ts";

/**
 * A contact that is kept: it connects by any of the hub's addresses, and again when it was lost, by one delay. It knows one hub and nothing of another, so
 * a hub that is dead, slow, lying or flooding costs itself alone.
 *
 *     off → connecting → checking → ready → waiting → connecting …        refused: waiting does not mend it; tried again rarely
 *
 * 1. A hub that cannot show the key is never spoken to; that another hub answers at an address is said as such.
 * 2. `onContact` is over before it counts as ready.
 */
export type HubState =
  | { kind: "off" }
  | { kind: "connecting"; address: string }
  /** Something answers there, and shows now who it is. */
  | { kind: "checking"; address: string }
  | { kind: "ready"; address: string; sinceMs: number }
  /** `untilMs`: wall time of the next dial. */
  | { kind: "waiting"; address: string; untilMs: number; error: WarrenError }
  /** Somebody has to do something first; it is tried again all the same, now and then. */
  | { kind: "refused"; address: string; untilMs: number; error: WarrenError };

export interface StandingOptions extends Omit<ContactOptions, "address" | "isNew" | "invitation" | "events"> {
  /** The one that was used last first; at least one. */
  addresses: () => readonly string[];
  /** How the next login is made; default: the hub knows the key. */
  login?: () => Pick<ContactOptions, "isNew" | "invitation">;
  /** 0–1. */
  random: () => number;
  events: StandingEvents;
}

export interface StandingEvents extends Omit<ContactEvents, "onChecking"> {
  onState(state: HubState): void;
  /** The hub has let us in. Rejects: the connection is given up. */
  onContact?(): Promise<void>;
  /** Whether another login mends that, at once and at the same address. */
  isMended?(error: WarrenError): boolean;
}

/** After these it may be another hub that answers. */
const DOUBTS: ReadonlySet<string> = new Set([
  "HUB_UNTRUE",
  "LOGIN_REFUSED",
  "KEY_NOT_KNOWN",
  "DEVICE_UNKNOWN",
  "MACHINE_NOT_INVITED",
  "INVITATION_REFUSED",
]);
/** What waiting does not mend. */
const REFUSALS: ReadonlySet<string> = new Set([...DOUBTS, "HUB_KEY_CHANGED", "VERSION_UNKNOWN"]);

export class StandingContact {
  readonly #options: StandingOptions;
  readonly #delay: RetryDelay;
  #contact: HubContact | undefined;
  #state: HubState = { kind: "off" };
  #attempt = 0;
  #cancelRetry: () => void = () => {};
  #claiming = new AbortController();

  constructor(options: StandingOptions) {
    this.#options = options;
    this.#delay = new RetryDelay(options.limits, options.random);
  }

  get state(): HubState {
    return this.#state;
  }

  /** The connection that there is, whatever its state. */
  get contact(): HubContact | undefined {
    return this.#contact;
  }

  start(): void {
    if (this.#state.kind === "off") this.#connect();
  }

  /** Now, and not when it would be time: somebody waits. */
  retry(): void {
    if (this.#state.kind !== "waiting" && this.#state.kind !== "refused") return;
    this.#cancelRetry();
    this.#connect();
  }

  /** As `retry`, by the first address: what is under way to another one is dropped. */
  redial(): void {
    const state = this.#state;
    const isUnderWay = !isSettled(state) && "address" in state && state.address === this.#options.addresses()[0];
    this.#attempt = isUnderWay ? 1 : 0;
    if (isUnderWay || state.kind === "off" || state.kind === "ready") return;
    const contact = this.#contact;
    this.#cancelRetry();
    this.#claiming.abort();
    this.#connect();
    contact?.end(hubLost());
  }

  /** Until `start`. */
  stop(): void {
    const contact = this.#contact;
    this.#contact = undefined;
    this.#cancelRetry();
    this.#claiming.abort();
    this.#delay.reset();
    this.#setState({ kind: "off" });
    contact?.end(hubLost());
  }

  #connect(): void {
    const { addresses, login, events, ...options } = this.#options;
    const known = addresses();
    const address = known[this.#attempt++ % known.length]!;
    const contact: HubContact = new HubContact({
      ...options,
      ...login?.(),
      address,
      events: { ...events, onChecking: () => this.#setState({ kind: "checking", address }) },
    });
    this.#contact = contact;
    this.#setState({ kind: "connecting", address });
    contact.welcomed.then(() => this.#greet(contact, address)).catch(() => {}); // told by its end
    void contact.ended.then((error) => this.#lost(contact, address, error));
  }

  async #greet(contact: HubContact, address: string): Promise<void> {
    const { events, clock } = this.#options;
    try {
      await events.onContact?.();
    } catch (error) {
      return contact.end(error instanceof WarrenError ? error : hubLost());
    }
    if (this.#contact !== contact || contact.hasEnded) return;
    this.#attempt -= 1; // this address again, when it is lost
    this.#delay.reset();
    this.#setState({ kind: "ready", address, sinceMs: clock.wallMs() });
  }

  async #lost(contact: HubContact, address: string, first: WarrenError): Promise<void> {
    if (this.#contact !== contact) return;
    const error = DOUBTS.has(first.code) ? await this.#whoAnswers(address, first) : first;
    if (this.#contact !== contact) return; // it was stopped meanwhile
    this.#contact = undefined;
    const { clock, addresses, events } = this.#options;
    if (events.isMended?.(error)) {
      if (this.#state.kind !== "ready") this.#attempt -= 1; // where it was ready that was done
      return this.#connect();
    }
    const isRefused = REFUSALS.has(error.code);
    // Another address may lead to the right hub.
    const isLastAddress = this.#attempt % addresses().length === 0;
    const delayMs = this.#delay.nextMs(isRefused && isLastAddress);
    this.#cancelRetry = clock.timer(delayMs, () => this.#connect());
    const untilMs = clock.wallMs() + delayMs;
    this.#setState({ kind: isRefused ? "refused" : "waiting", address, untilMs, error });
  }

  /** The plain word for the key of whoever answers, only to say what is the matter: an address that is silent holds nobody up. */
  async #whoAnswers(address: string, error: WarrenError): Promise<WarrenError> {
    const { network, crypto, hubKey, clock, limits } = this.#options;
    const claiming = new AbortController();
    this.#claiming = claiming;
    const { promise: givenUp, reject } = Promise.withResolvers<never>();
    claiming.signal.addEventListener("abort", () => reject(error), { once: true });
    const cancel = clock.timer(limits.contactMs, () => claiming.abort());
    try {
      const { key } = await Promise.race([network.claim(address, claiming.signal), givenUp]);
      if (isEqual(key, hubKey)) return error;
      const [known, found] = await Promise.all([fingerprintOf(crypto, hubKey), fingerprintOf(crypto, key)]);
      return hubChanged(address, fingerprintText(known), fingerprintText(found));
    } catch {
      return error;
    } finally {
      cancel();
    }
  }

  #setState(state: HubState): void {
    this.#state = state;
    this.#options.events.onState(state);
  }
}

/** Whether it is known by now that there is no connection. */
export const isSettled = ({ kind }: HubState): boolean => kind !== "connecting" && kind !== "checking";
