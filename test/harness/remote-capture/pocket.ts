import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Client } from "../../../src/client/client.ts";
import { Coordinator } from "../../../src/client/remote/coordinator.ts";
import { DEVICE_LIMITS, type DeviceLimits } from "../../../src/client/remote/limits.ts";
import { Pairing, readCard } from "../../../src/client/remote/pairing.ts";
import { MemoryOutbox, MemoryRecords } from "../../../src/client/remote/testing/memory-records.ts";
import { MemoryStore } from "../../../src/client/remote/testing/memory-store.ts";
import { TerminalClient } from "../../../src/client/terminal-client.ts";
import { commandClock } from "../../../src/local/remote/device.ts";
import { socketNetwork } from "../../../src/local/remote/socket-network.ts";
import { RECORD_KINDS } from "../../../src/sealing/record.ts";
import { decodeUnitRow } from "../../../src/sealing/unit-row.ts";
import { webCrypto } from "../../../src/sealing/webcrypto.ts";
import { waitUntil } from "../wait-until.ts";

/** A phone of this process: the device's library as the app has it, on real sockets, with stores in memory. */
const crypto = webCrypto();

export class Pocket implements Disposable {
  readonly name: string;
  readonly store = new MemoryStore(crypto);
  readonly records = new MemoryRecords();
  readonly #limits: DeviceLimits;
  #coordinator: Coordinator | undefined;
  readonly #clients = new Set<Client>();

  constructor(name: string, limits: Partial<DeviceLimits> = {}) {
    this.name = name;
    this.#limits = { ...DEVICE_LIMITS, ...limits };
  }

  /** @param onCheck the check is shown: the machine's person may say yes now */
  async join(code: string, onCheck: (check: string) => void = () => {}): Promise<void> {
    const { name, store } = this;
    const card = await readCard(code, store, { nowSeconds: Date.now() / 1_000, isLocal: true });
    const pairing = new Pairing(card, {
      name,
      platform: "test",
      store,
      network: socketNetwork,
      crypto,
      clock: commandClock,
      limits: this.#limits,
      onState: (state) => {
        if (state.kind === "shown") onCheck(state.check);
      },
    });
    await pairing.connect();
  }

  async open(): Promise<void> {
    const keys = await this.store.keys();
    assert.ok(keys, "it has joined a machine");
    const { store, records } = this;
    const world = { network: socketNetwork, crypto, clock: commandClock, limits: this.#limits, random: Math.random };
    this.#coordinator = await Coordinator.open({ keys, store, records, outbox: new MemoryOutbox(), ...world });
    this.#coordinator.start();
  }

  get coordinator(): Coordinator {
    assert.ok(this.#coordinator, "it is open");
    return this.#coordinator;
  }

  /** The one machine. */
  get link() {
    const { machine } = this.coordinator.machines()[0]!;
    return this.coordinator.connectionForMachine(machine.id)!;
  }

  client(target = "primary"): Client {
    const dial = this.link.dialLines(target);
    const randomId = (): string => globalThis.crypto.randomUUID();
    const client = new Client({ dial, name: "pocket", version: "0", randomId });
    this.#clients.add(client);
    return client;
  }

  /** Attaches to a session, types, and looks until the answer is on the screen. */
  async types(session: string, text: string, answer: RegExp): Promise<void> {
    const seen: Buffer[] = [];
    const attached = Promise.withResolvers<void>();
    const take = (bytes: Uint8Array): void => void seen.push(Buffer.from(bytes));
    const terminal = new TerminalClient({
      dial: this.link.dialBytes(session),
      session,
      name: "pocket",
      version: "0",
      clientId: randomBytes(8).toString("hex"),
      size: { cols: 80, rows: 24 },
      events: {
        onAttached: () => attached.resolve(),
        onOutput: take,
        onScreen: take,
        onEnd() {},
        onFailed: (error) => attached.reject(error),
      },
    });
    terminal.start();
    await attached.promise;
    for (const key of text) terminal.type(Buffer.from(key));
    await waitUntil(() => answer.test(Buffer.concat(seen).toString()), { what: `${answer} on the screen` });
    await terminal.detach();
  }

  /** What the machine's records say of its units, by name. */
  get rows(): Map<string, string> {
    const texts = this.records.rows.filter(({ kind }) => kind === RECORD_KINDS.state).map(({ text }) => text);
    return new Map(texts.map((text) => decodeUnitRow(text)).map(({ name, state }) => [name, state]));
  }

  close(): void {
    for (const client of this.#clients) client.close();
    this.#clients.clear();
    this.#coordinator?.close();
    this.#coordinator = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
