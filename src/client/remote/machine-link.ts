import type { RemoteClock } from "../../contact/network.ts";
import { isSettled } from "../../contact/standing-contact.ts";
import { isWarrenError, type WarrenError } from "../../protocol/errors.ts";
import { fromHex } from "../../sealing/bytes.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import type { Dial } from "../client.ts";
import type { DialBytes } from "../terminal-world.ts";
import { machineAway, machineRefuses, machineSilent, streamLost } from "./errors.ts";
import type { HubConnection } from "./hub-connection.ts";
import type { DeviceLimits } from "./limits.ts";
import { LiveSession } from "./live-session.ts";
import type { LiveStream, StreamEvents } from "./live-stream.ts";
import { isPassing, StreamDials } from "./stream-dials.ts";
import { whenText } from "./when-text.ts";
import type { DeviceKeys, MachineEntry } from "./world.ts";

/**
 * One machine, through all the hubs at which it can be met. A stream goes by the session that stands, or by the first way that works; when its hub or
 * its session goes, the stream ends, and whoever dials again gets another way: `Client` and `TerminalClient` repeat then what was in hand.
 */
export interface MachineLinkOptions {
  machine: MachineEntry;
  keys: DeviceKeys;
  /** By fingerprint; undefined: it is not, or not any more, one of this device's. */
  hubOf(fingerprint: string): HubConnection | undefined;
  crypto: SealingCrypto;
  clock: RemoteClock;
  limits: DeviceLimits;
  events: MachineLinkEvents;
}

export interface MachineLinkEvents {
  /** A session stands, or the last one has gone. `hub` is the fingerprint of the one by which it goes. */
  onLive(hub: string | undefined): void;
}

/** After all ways have failed: whatever a hub says meanwhile, it is not asked again at once. */
const RETRY_MS = 500;

/** What a hub says to a login key that no machine there lets in. */
const NOT_KNOWN = "KEY_NOT_KNOWN";

/**
 * A hub that has let this device in, for another machine's sake, and has not said whether this one is there, although it has answered since: it does so for each machine that lets the device in,
 * before anything else.
 */
const isStranger = (hub: HubConnection, space: Uint8Array): boolean =>
  hub.state.kind === "ready" && hub.isPresent(space) === undefined;

interface Way {
  hub: HubConnection;
  space: Uint8Array;
}

export class MachineLink {
  readonly #options: MachineLinkOptions;
  readonly #sessions = new Map<string, LiveSession>();
  readonly #waiting = new Set<() => void>();
  readonly #dials = new StreamDials({
    open: (target, events) => this.stream(target, events),
    refusalOf: (why) => (why === undefined || isPassing(why) ? streamLost(this.#machine.name) : why),
  });
  /** Hubs that know this device, and not as one of this machine. */
  readonly #strangerAt = new Set<string>();
  #machine: MachineEntry;
  #wasLive = false;
  #isClosed = false;
  #lastError: WarrenError | undefined;

  constructor(options: MachineLinkOptions) {
    this.#options = options;
    this.#machine = options.machine;
  }

  get machine(): MachineEntry {
    return this.#machine;
  }

  /** The hub by which a session stands. */
  get liveHub(): string | undefined {
    for (const [hub, session] of this.#sessions) if (session.isLive) return hub;
    return undefined;
  }

  /** As its hubs say, it lets this device in no more: it took it off its list at each of them, or all of those were set up anew. */
  get refusal(): WarrenError | undefined {
    if (this.liveHub !== undefined) return undefined;
    const known = this.#known();
    const isUnknown = ({ hub: { state, entry } }: Way): boolean =>
      (state.kind === "refused" && state.error.code === NOT_KNOWN) || this.#strangerAt.has(entry.fingerprint);
    const isRefused = isWarrenError(this.#lastError, "DEVICE_REFUSED") || (known.length > 0 && known.every(isUnknown));
    return isRefused ? machineRefuses(this.#machine.name) : undefined;
  }

  update(machine: MachineEntry): void {
    this.#machine = machine;
    this.changed();
  }

  /** A hub of it has another state, or has told of its presence. */
  changed(): void {
    for (const { hub, space } of this.#known())
      if (!isStranger(hub, space)) this.#strangerAt.delete(hub.entry.fingerprint);
    for (const look of [...this.#waiting]) look();
  }

  /** Sessions through that hub end: it is disconnected, or removed. */
  leave(hub: string): void {
    this.#sessions.get(hub)?.end(machineSilent(this.#machine.name));
  }

  close(): void {
    this.#isClosed = true;
    for (const session of [...this.#sessions.values()]) session.end(machineSilent(this.#machine.name));
    this.changed();
  }

  /**
   * A stream to the server that has the target. Waits while a hub is being connected to, and for a machine that was there a moment ago.
   * @throws MACHINE_AWAY, DEVICE_REFUSED
   */
  async stream(target: string, events: StreamEvents): Promise<LiveStream> {
    const session = await this.#session();
    return session.stream(target, events);
  }

  /** For a `Client`: JSON lines to the server that has the target. */
  dialLines(target = "primary"): Dial {
    return this.#dials.lines(target);
  }

  /** For a `TerminalClient`: bytes as they are. */
  dialBytes(target: string): DialBytes {
    return this.#dials.bytes(target);
  }

  async #session(): Promise<LiveSession> {
    const { clock, limits } = this.#options;
    const untilMs = clock.monotonicMs() + limits.patienceMs;
    const tried = new Set<string>();
    for (;;) {
      if (this.#isClosed) throw this.#away();
      const way = this.#ways().find(({ hub }) => !tried.has(hub.entry.fingerprint));
      if (way) {
        const session = await this.#sessionBy(way);
        if (session) return session;
        tried.add(way.hub.entry.fingerprint);
        continue;
      }
      // A hub whose turn to be dialled has not come yet: somebody waits for it.
      for (const { hub } of this.#known()) if (hub.entry.isOff !== true) hub.start();
      const leftMs = untilMs - clock.monotonicMs();
      const isRefused = isWarrenError(this.#lastError, "DEVICE_REFUSED");
      if (leftMs <= 0 || (this.#areSettled() && (!this.#wasLive || isRefused))) throw this.#away();
      if (tried.size > 0) await this.#change(Math.min(leftMs, RETRY_MS), false);
      else await this.#change(leftMs, true);
      tried.clear();
    }
  }

  /** Those that could carry a session now: one that does, those where the machine is said to be, those that have not said. */
  #ways(): Way[] {
    const rank = ({ hub, space }: Way): number => {
      if (this.#sessions.get(hub.entry.fingerprint)?.isLive) return 0;
      return hub.isPresent(space) === true ? 1 : 2;
    };
    return this.#known()
      .filter(({ hub, space }) => hub.state.kind === "ready" && hub.isPresent(space) !== false)
      .sort((a, b) => rank(a) - rank(b));
  }

  #known(): Way[] {
    return Object.entries(this.#machine.spaces).flatMap(([fingerprint, space]) => {
      const hub = this.#options.hubOf(fingerprint);
      return hub ? [{ hub, space }] : [];
    });
  }

  #areSettled(): boolean {
    return this.#known().every(({ hub }) => isSettled(hub.state));
  }

  /** Undefined: it did not come to be; why is kept. */
  async #sessionBy({ hub, space }: Way): Promise<LiveSession | undefined> {
    const { keys, crypto, clock, limits, events } = this.#options;
    const { fingerprint, login } = hub.entry;
    let session = this.#sessions.get(fingerprint);
    if (!session) {
      const started = new LiveSession({
        open: (channelEvents) => hub.open(space, channelEvents),
        context: { hub: fromHex(fingerprint)!, space, loginKey: login.publicKey },
        own: keys.exchange,
        theirs: this.#machine.exchangeKey,
        name: this.#machine.name,
        crypto,
        clock,
        limits,
      });
      session = started;
      this.#sessions.set(fingerprint, started);
      void started.ended.then((error) => {
        this.#lastError = error;
        if (isStranger(hub, space)) this.#strangerAt.add(fingerprint);
        if (this.#sessions.get(fingerprint) === started) this.#sessions.delete(fingerprint);
        events.onLive(this.liveHub);
      });
      started.ready.then(
        () => {
          this.#wasLive = true;
          this.#lastError = undefined;
          events.onLive(fingerprint);
        },
        () => {}, // told by its end
      );
    }
    try {
      await session.ready;
      return session.isLive ? session : undefined;
    } catch (error) {
      if (!isWarrenError(error)) throw error;
      this.#lastError = error;
      return undefined;
    }
  }

  /** Resolves after the time, or when something has changed. */
  #change(leftMs: number, isEarly: boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = (): void => {
      this.#waiting.delete(done);
      cancel();
      resolve();
    };
    const cancel = this.#options.clock.timer(leftMs, done);
    if (isEarly) this.#waiting.add(done);
    return promise;
  }

  #away(): WarrenError {
    const { clock } = this.#options;
    const { name, confirmedMs } = this.#machine;
    const { refusal } = this;
    if (refusal) return refusal;
    const why =
      this.#known()
        .map(({ hub: { state, entry }, space, hub }) => {
          if (state.kind === "waiting" || state.kind === "refused") return state.error.message;
          if (state.kind === "off") return `The hub ${entry.label} is disconnected here.`;
          if (hub.isPresent(space) === false) return `The hub ${entry.label} has no connection from it.`;
          return this.#lastError?.message ?? `The hub ${entry.label} is being connected to.`;
        })
        .join(" ") || "No hub is known here at which it could be met.";
    return machineAway(name, confirmedMs === undefined ? undefined : whenText(confirmedMs, clock.wallMs()), why);
  }
}
