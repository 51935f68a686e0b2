import type { HubNetwork, HubWire, HubWireEvents } from "../../../contact/network.ts";
import { Hub } from "../../../hub/hub.ts";
import { HUB_LIMITS } from "../../../hub/limits.ts";
import { HubStore } from "../../../hub/store.ts";
import type { HubWireEvents as HubSide } from "../../../hub/wire.ts";
import { type Clock, systemClock } from "../../../platform/clock.ts";
import type { Log } from "../../../platform/log.ts";
import { WarrenError } from "../../../protocol/errors.ts";
import { LineSplitter } from "../../../protocol/lines.ts";
import type { ConnectUnit } from "../../../remote/network.ts";
import { Remote } from "../../../remote/remote.ts";
import type { RemoteStore, StoredName } from "../../../remote/store.ts";
import type { SealingCrypto, SigningKey } from "../../../sealing/crypto.ts";
import { webCrypto } from "../../../sealing/webcrypto.ts";
import { Coordinator, type CoordinatorOptions } from "../coordinator.ts";
import { DEVICE_LIMITS, type DeviceLimits } from "../limits.ts";
import { Pairing, readCard } from "../pairing.ts";
import { MemoryStore } from "./memory-store.ts";

/** Real hubs, real machines and this device in one process, with queues for wires. */
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

export class TestHubHost {
  readonly address: string;
  readonly key: SigningKey;
  readonly label: string;
  readonly #site: TestSite;
  readonly #wires = new Set<() => void>();
  #hub: Hub | undefined;
  #store: HubStore;
  /** What every frame to a device goes through; undefined drops it. */
  toDevice: (frame: Uint8Array) => Uint8Array | undefined = (frame) => frame;
  dialCount = 0;

  constructor(site: TestSite, { address, key }: { address: string; key: SigningKey }) {
    this.#site = site;
    this.address = address;
    this.key = key;
    this.label = new URL(address).hostname;
    this.#store = new HubStore({ path: ":memory:", limits: HUB_LIMITS, nowMs: site.clock.wallMs(), onBroken() {} });
    this.start();
  }

  start(): void {
    const { crypto, clock } = this.#site;
    this.#hub = new Hub({
      key: this.key,
      crypto,
      store: this.#store,
      clock,
      log: silent,
      isOpen: true,
      limits: HUB_LIMITS,
    });
  }

  /** As a process that is killed: its store stays. */
  kill(): void {
    this.#hub = undefined;
    for (const cut of [...this.#wires]) cut();
  }

  async close(): Promise<void> {
    const hub = this.#hub;
    this.kill();
    hub?.end();
    await this.#store.close();
  }

  connect(events: HubWireEvents, filter: (frame: Uint8Array) => Uint8Array | undefined): HubWire {
    const hub = this.#hub;
    if (!hub) throw new WarrenError("HUB_UNREACHABLE", `The hub at ${this.address} cannot be reached: it is off.`);
    let isOpen = true;
    let side: HubSide | undefined;
    const close = (): void => {
      if (!isOpen) return;
      isOpen = false;
      this.#wires.delete(close);
      queueMicrotask(() => {
        side?.onClosed();
        events.onClosed();
      });
    };
    this.#wires.add(close);
    side = hub.accept(
      {
        send: (frame) => {
          const copy = filter(frame.slice());
          if (copy) setImmediate(() => isOpen && events.onFrame(copy));
          queueMicrotask(() => side?.onDrained());
        },
        unsentBytes: 0,
        pause() {},
        resume() {},
        close: () => void setImmediate(close), // behind what was sent
        destroy: close,
      },
      { address: "192.0.2.1" },
    );
    return {
      send: (frame) => {
        const copy = frame.slice();
        setImmediate(() => isOpen && side?.onFrame(copy));
      },
      pause() {},
      resume() {},
      close,
    };
  }
}

export interface TestSiteOptions {
  clock?: Clock;
  limits?: Partial<DeviceLimits>;
}

export class TestSite implements AsyncDisposable {
  readonly crypto: SealingCrypto = webCrypto();
  readonly clock: Clock;
  readonly limits: DeviceLimits;
  readonly hosts = new Map<string, TestHubHost>();
  readonly #remotes: Remote[] = [];
  readonly #coordinators: Coordinator[] = [];
  /** Of the device; other models of hubs may be put in. */
  readonly dials = new Map<string, (events: HubWireEvents) => HubWire | Promise<HubWire>>();

  constructor({ clock = systemClock, limits = {} }: TestSiteOptions = {}) {
    this.clock = clock;
    this.limits = { ...DEVICE_LIMITS, ...limits };
  }

  async hub(name: string): Promise<TestHubHost> {
    const host = new TestHubHost(this, { address: `https://${name}.example`, key: await this.crypto.newSigningKey() });
    this.hosts.set(host.address, host);
    return host;
  }

  readonly network: HubNetwork = {
    dial: async (address, events) => this.#host(address).connect(events, (frame) => frame),
    claim: async (address) => ({ key: this.#host(address).key.publicKey, label: this.#host(address).label }),
  };

  /** The device's: frames go through the host's filter, and models of bad hubs answer. */
  readonly deviceNetwork: HubNetwork = {
    dial: async (address, events) => {
      const model = this.dials.get(address);
      if (model) return model(events);
      const host = this.#host(address);
      host.dialCount += 1;
      return host.connect(events, (frame) => host.toDevice(frame));
    },
    claim: (address, signal) => this.network.claim(address, signal),
  };

  async machine(name: string, connect: ConnectUnit = echoServer(name)): Promise<Remote> {
    const texts = new Map<StoredName, string>();
    const store: RemoteStore = {
      read: async (key) => texts.get(key),
      write: async (key, text) => void texts.set(key, text),
      pathOf: (key) => key,
    };
    const { network, crypto, clock } = this;
    const words = `anna@${name}`;
    const remote = await Remote.open({
      store,
      network,
      connect,
      crypto,
      clock,
      log: silent,
      name,
      words,
      onEvent() {},
    });
    this.#remotes.push(remote);
    return remote;
  }

  /** The whole pairing; the machine's person says yes. */
  async pair(remote: Remote, host: TestHubHost, store: MemoryStore): Promise<void> {
    const { crypto } = this;
    const look = await remote.look(host.address);
    await remote.addHub({ address: host.address, fingerprint: look.fingerprint });
    const { pairing, code } = await remote.pair(host.address, ["view", "type"], new AbortController().signal);
    const card = await readCard(code, store, { nowSeconds: this.clock.wallMs() / 1_000 });
    const joining = new Pairing(card, {
      name: "Pixel 9",
      platform: "test",
      store,
      network: this.deviceNetwork,
      crypto,
      clock: this.clock,
      limits: this.limits,
      onState: (state) => {
        if (state.kind === "shown") void remote.confirm(pairing.pairing);
      },
    });
    await joining.connect();
  }

  newStore(): MemoryStore {
    return new MemoryStore(this.crypto);
  }

  async device(store: MemoryStore, kept: Pick<CoordinatorOptions, "records" | "outbox"> = {}): Promise<Coordinator> {
    const { crypto, clock, limits } = this;
    const coordinator = await Coordinator.open({
      ...kept,
      keys: (await store.keys()) ?? (await store.newKeys()),
      store,
      network: this.deviceNetwork,
      crypto,
      clock,
      limits,
      random: () => 0.99,
    });
    this.#coordinators.push(coordinator);
    return coordinator;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const coordinator of this.#coordinators) coordinator.close();
    for (const remote of this.#remotes) remote.close();
    for (const host of this.hosts.values()) await host.close();
  }

  #host(address: string): TestHubHost {
    const host = this.hosts.get(address);
    if (!host) throw new WarrenError("HUB_UNREACHABLE", `The hub at ${address} cannot be reached: nobody is there.`);
    return host;
  }
}

/** A model of a server: greets, and answers every request with its own name and what was asked. `hold` keeps answers back until it resolves. */
export const echoServer =
  (
    name: string,
    seen: { type: string; request_id?: string }[] = [],
    hold: () => Promise<void> = async () => {},
  ): ConnectUnit =>
  async (target, { onBytes, onClosed }) => {
    const splitter = new LineSplitter();
    let isOpen = true;
    const say = (value: object): void => {
      if (isOpen) onBytes(Buffer.from(`${JSON.stringify(value)}\n`));
    };
    const answer = async (line: string): Promise<void> => {
      const { id, type, request_id, payload } = JSON.parse(line);
      if (type === "hello") return say({ id, success: true, data: { server: name, scopes: payload.scopes ?? [] } });
      seen.push({ type, request_id });
      await hold();
      say({ id, success: true, data: { units: [], target, name } });
    };
    return {
      write(bytes, onTaken) {
        for (const line of splitter.push(bytes)) void answer(line);
        queueMicrotask(onTaken);
      },
      pause() {},
      resume() {},
      close() {
        if (!isOpen) return;
        isOpen = false;
        queueMicrotask(onClosed);
      },
    };
  };
