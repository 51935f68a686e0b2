import { DEVICE_LIMITS } from "../../client/remote/limits.ts";
import type { PairingCard, PairState } from "../../client/remote/pair.ts";
import type { Pairing } from "../../client/remote/pairing.ts";
import type { Joined } from "../../client/remote/pairing-kept.ts";
import type { HubNetwork, RemoteClock } from "../../contact/network.ts";
import { isWarrenError, messageOf, WarrenError } from "../../protocol/errors.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import type { Remote } from "./remote.ts";
import { Store } from "./store.ts";

/**
 * A pairing as its page shows it: a code is read, nothing is sent before the person has agreed, and nothing is kept before the machine's person has.
 * The code stays in memory: it is a secret while it lives.
 */
export type PairView =
  | { kind: "idle" }
  /** No code, or one that is not taken. `through`: it names no hub, and this is the one that is known. */
  | { kind: "refused"; error: WarrenError; through?: OnlyHub }
  | { kind: "card"; card: PairingCard; state: PairState }
  | ({ kind: "joined" } & Joined);

export interface OnlyHub {
  label: string;
  fingerprint: string;
  address: string;
  /** The code is one of this hub's and lacks its address alone: it can be used. Otherwise the machine has to show one that names the hub. */
  isItsCode: boolean;
}

export interface PairFlowOptions {
  remote: Pick<Remote, "device" | "joined">;
  network: HubNetwork;
  crypto: SealingCrypto;
  clock: RemoteClock;
  /** The browser is on the hub's own machine, so that localhost is the same for both. */
  isLocal: boolean;
  /** `android`, `macos`, … */
  platform: string;
}

export class PairFlow {
  readonly #options: PairFlowOptions;
  readonly #view = new Store<PairView, PairView>({ kind: "idle" }, (_before, now) => now);
  #text = "";
  #pairing: Pairing | undefined;

  constructor(options: PairFlowOptions) {
    this.#options = options;
  }

  readonly get = (): PairView => this.#view.get();
  readonly subscribe = (listener: () => void): (() => void) => this.#view.subscribe(listener);

  /** A code as it was scanned, opened or pasted. What was under way before is given up. */
  async read(text: string): Promise<void> {
    this.cancel();
    this.#text = text;
    await this.#read({});
  }

  /** A code that names no hub: through the one that the person has agreed to. */
  async readThrough(fingerprint: string): Promise<void> {
    const hub = (await this.#options.remote.device.hubs()).find((one) => one.fingerprint === fingerprint);
    if (hub?.addresses[0] !== undefined) await this.#read({ address: hub.addresses[0] });
  }

  /** The person has agreed to the hub and the machine. @param name as the machine is to call this browser */
  async connect(name: string): Promise<void> {
    const view = this.get();
    if (view.kind !== "card" || view.state.kind !== "read") return;
    const { remote, network, crypto, clock, platform } = this.#options;
    const { Pairing: OnePairing } = await loadPairing();
    if (this.get() !== view) return; // given up meanwhile
    const pairing = new OnePairing(view.card, {
      name,
      platform,
      store: remote.device,
      network,
      crypto,
      clock,
      limits: DEVICE_LIMITS,
      onState: (state) => {
        if (this.#pairing === pairing && state.kind !== "ended") this.#tell({ kind: "card", card: view.card, state });
      },
    });
    this.#pairing = pairing;
    try {
      const joined = await pairing.connect();
      await remote.joined(joined);
      if (this.#pairing === pairing) this.#tell({ kind: "joined", ...joined });
    } catch (error) {
      if (this.#pairing === pairing) this.#tell({ kind: "refused", error: asError(error) });
    }
  }

  /** The person agrees to the machines to which another device introduces this browser. */
  agree(): void {
    this.#pairing?.agree();
  }

  /** Whatever was under way is given up, and leaves no trace. */
  cancel(): void {
    const pairing = this.#pairing;
    this.#pairing = undefined;
    pairing?.cancel();
    this.#text = "";
    this.#tell({ kind: "idle" });
  }

  async #read(through: { address?: string }): Promise<void> {
    const { remote, clock, isLocal } = this.#options;
    const text = this.#text;
    try {
      const nowSeconds = clock.wallMs() / 1_000;
      const { readCard } = await loadPairing();
      const card = await readCard(text, remote.device, { nowSeconds, isLocal, ...through });
      if (this.#text === text) this.#tell({ kind: "card", card, state: { kind: "read", card } });
    } catch (cause) {
      const error = asError(cause);
      const through = error.code === "CODE_WITHOUT_HUB" ? await this.#onlyHub(text) : undefined;
      if (this.#text === text) this.#tell({ kind: "refused", error, ...(through ? { through } : {}) });
    }
  }

  async #onlyHub(text: string): Promise<OnlyHub | undefined> {
    const { remote, clock, isLocal } = this.#options;
    const hubs = await remote.device.hubs().catch(() => []);
    const [hub, another] = hubs;
    const address = hub?.addresses[0];
    if (!hub || another || address === undefined) return undefined;
    const { label, fingerprint } = hub;
    try {
      const { readCard } = await loadPairing();
      const card = await readCard(text, remote.device, { nowSeconds: clock.wallMs() / 1_000, isLocal, address });
      return { label, fingerprint, address, isItsCode: card.hub === fingerprint };
    } catch {
      return { label, fingerprint, address, isItsCode: false };
    }
  }

  #tell(view: PairView): void {
    this.#view.dispatch(view);
  }
}

/** Nobody needs it at the start. */
const loadPairing = () => import("../../client/remote/pairing.ts");

const asError = (error: unknown): WarrenError =>
  isWarrenError(error) ? error : new WarrenError("PAIRING_FAILED", `The pairing has failed: ${messageOf(error)}`);

/** The pairing link as which this page was opened, whole: what stands behind the `#` went to no server. */
export function pairLinkIn({ href, hash }: Pick<Location, "href" | "hash">): string | undefined {
  return hash.startsWith("#p=") ? href : undefined;
}

/** `Chrome on Android`, from what the browser says of itself: a name to begin with. */
export function browserName(userAgent: string): { name: string; platform: string } {
  const find = (table: readonly (readonly [RegExp, string])[], other: string): string =>
    table.find(([pattern]) => pattern.test(userAgent))?.[1] ?? other;
  const browser = find(BROWSERS, "Browser");
  const system = find(SYSTEMS, "");
  return { name: system === "" ? browser : `${browser} on ${system}`, platform: system.toLowerCase() || "web" };
}

const BROWSERS = [
  [/Edg\//, "Edge"],
  [/Firefox\/|FxiOS\//, "Firefox"],
  [/Chrome\/|CriOS\//, "Chrome"],
  [/Safari\//, "Safari"],
] as const;
const SYSTEMS = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Mac OS X/, "macOS"],
  [/Windows/, "Windows"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
] as const;
