import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as z from "zod/mini";
import type { SubscriptionItem } from "../src/client/subscription.ts";
import type { HubMember } from "../src/protocol/hub-control.ts";
import { LineSplitter } from "../src/protocol/lines.ts";
import { type DataOf, messages } from "../src/protocol/messages.ts";
import type { RemoteCandidate, RemoteEvents, RemoteEventType } from "../src/protocol/remote-units.ts";
import { utf8 } from "../src/sealing/bytes.ts";
import { STREAM_CREDIT_BYTES } from "../src/sealing/live.ts";
import type { PairingCode } from "../src/sealing/pairing-code.ts";
import type { Scope } from "../src/sealing/scopes.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { type HubFacts, startHub } from "./harness/hub-process.ts";
import { type Joining, TestDevice, type TestSession } from "./harness/remote-device.ts";
import { waitUntil } from "./harness/wait-until.ts";
import type { Running } from "./harness/warren.ts";

/** A home with a hub of its own, a machine that is its member, and devices; all that is left of them goes with it. */
class RemoteSite implements AsyncDisposable {
  readonly house: TemporaryHome;
  hub!: Running;
  facts!: HubFacts;
  readonly #devices: TestDevice[] = [];

  static async make(): Promise<RemoteSite> {
    const site = new RemoteSite(temporaryHome());
    await site.startHub();
    return site;
  }

  private constructor(house: TemporaryHome) {
    this.house = house;
  }

  get address(): string {
    return `http://127.0.0.1:${this.facts.port}`;
  }

  async startHub(...args: string[]): Promise<void> {
    const port = this.facts?.port ?? 0;
    ({ running: this.hub, facts: this.facts } = await startHub(this.house, { port, args }));
  }

  async killHub(): Promise<void> {
    this.hub.child.kill("SIGKILL");
    await this.hub.ended;
  }

  async join(): Promise<void> {
    const { address } = this;
    await this.house.client().request("remote.hub_add", { address, fingerprint: this.facts.fingerprint });
  }

  async device(name = "Pixel 9"): Promise<TestDevice> {
    const device = await TestDevice.make(name);
    this.#devices.push(device);
    return device;
  }

  /** A code, and what happens to it. */
  async pair(scopes: Scope[] = ["view", "type"]): Promise<Pairing> {
    const client = this.house.client();
    const items = client.subscribe({ streams: ["remote"] });
    await items.next();
    return new Pairing(client, items, await client.request("remote.pair", { hub: this.address, scopes }));
  }

  /** All files of the machine's side. */
  files(): Record<string, string> {
    const dir = this.house.places.remoteDir;
    const names = existsSync(dir) ? readdirSync(dir).sort() : [];
    return Object.fromEntries(names.map((name) => [name, readFileSync(join(dir, name), "utf8")]));
  }

  /** What the hub's owner sees of devices. */
  async admitted(): Promise<HubMember[]> {
    const { stdout } = await this.house.warren(["hub", "members", "--json"]);
    return (JSON.parse(stdout) as HubMember[]).filter(({ kind }) => kind === "device");
  }

  async hubState(): Promise<string> {
    const { hubs } = await this.house.looker().request("remote.hubs", {});
    return hubs[0]!.state;
  }

  /** All the way. */
  async paired(device: TestDevice, scopes?: Scope[]): Promise<Joining> {
    const pairing = await this.pair(scopes);
    const joining = await device.join(pairing.made.code);
    await pairing.event("met");
    await pairing.confirm();
    assert.equal(await joining.verdict, true);
    return joining;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const device of this.#devices) device.close();
    this.hub.child.kill("SIGKILL");
    await this.house[Symbol.asyncDispose]();
  }
}

class Pairing {
  readonly made: DataOf<"remote.pair">;
  readonly #client: ReturnType<TemporaryHome["client"]>;
  readonly #items: AsyncIterableIterator<SubscriptionItem>;

  constructor(
    client: ReturnType<TemporaryHome["client"]>,
    items: AsyncIterableIterator<SubscriptionItem>,
    made: DataOf<"remote.pair">,
  ) {
    this.#client = client;
    this.#items = items;
    this.made = made;
  }

  get id(): string {
    return this.made.pairing.pairing;
  }

  /** The next of these; others are passed over. */
  async event<T extends RemoteEventType>(type: T): Promise<RemoteEvents[T]> {
    for await (const item of { [Symbol.asyncIterator]: () => ({ next: () => this.#items.next() }) })
      if (item.kind === "event" && item.event.event === type) return item.event.data as unknown as RemoteEvents[T];
    throw new Error(`no ${type}`);
  }

  confirm() {
    return this.#client.request("remote.confirm", { pairing: this.id });
  }

  cancel() {
    return this.#client.request("remote.cancel", { pairing: this.id });
  }

  /** Its command is gone. */
  leave(): void {
    this.#client.close();
  }
}

test("remote: a device pairs by code, both ends see the same check, and it lists jobs through the hub", async () => {
  await using site = await RemoteSite.make();
  await site.join();
  await site.house.warren(["add", "--name", "web", "sleep", "100"]);
  const device = await site.device();
  const pairing = await site.pair();
  assert.match(pairing.made.code, /^warren:\/\/pair\?[A-Z2-7]+$/);
  const joining = await device.join(pairing.made.code);
  const { candidate } = (await pairing.event("met")) as { candidate: RemoteCandidate };
  assert.deepEqual([candidate.name, candidate.platform, candidate.check], ["Pixel 9", "test", joining.check]);
  assert.deepEqual(joining.offer.scopes, ["view", "type"]);
  const { device: joined } = await pairing.confirm();
  assert.deepEqual([joined.name, joined.scopes], ["Pixel 9", ["view", "type"]]);
  assert.equal(await joining.verdict, true);

  const session = await device.attach();
  assert.ok(session, "it is let in");
  const { jobs } = await session.client().request("list", {});
  assert.deepEqual(
    jobs.map(({ name }) => name),
    ["web"],
  );
  await session.ping();
  const { devices } = await site.house.client().request("remote.devices", {});
  assert.deepEqual(
    devices.map(({ name, is_connected, hubs }) => [name, is_connected, hubs.length]),
    [["Pixel 9", true, 1]],
  );
  assert.equal(statSync(join(site.house.places.remoteDir, "key")).mode & 0o777, 0o600);
  assert.equal(statSync(join(site.house.places.remoteDir, "roster.json")).mode & 0o777, 0o600);
});

test("pairing: a wrong secret costs the code nothing; a used one is of no use; of two at once one wins", async () => {
  await using site = await RemoteSite.make();
  await site.join();
  const pairing = await site.pair();
  const observer = await site.device("observer");
  const guess = (code: PairingCode): PairingCode => ({ ...code, secret: new Uint8Array(16) });
  await assert.rejects(
    observer.join(pairing.made.code, guess),
    /refused|gone/,
    "the hub knows the id, and nobody else the secret",
  );
  const more = (code: PairingCode): PairingCode => ({ ...code, scopes: ["view", "admin"] });
  await assert.rejects(observer.join(pairing.made.code, more), /refused|gone/, "scopes are part of what is agreed on");
  // The code stands again after a failed guest, as soon as the hub has heard it.
  const devices = [await site.device("first"), await site.device("second")];
  const results = await waitUntil(
    async () => {
      const tried = await Promise.allSettled(devices.map((device) => device.join(pairing.made.code)));
      return tried.some(({ status }) => status === "fulfilled") && tried;
    },
    { what: "one of the two comes in" },
  );
  const joined = results.filter((one) => one.status === "fulfilled");
  assert.equal(joined.length, 1, "one of the two");
  const { candidate } = await pairing.event("met");
  assert.equal(candidate.check, joined[0]!.value.check);
  await pairing.confirm();
  assert.equal(await joined[0]!.value.verdict, true);
  await assert.rejects(observer.join(pairing.made.code), /gone|refused/, "it is used");
  await assert.rejects(pairing.confirm(), { code: "PAIRING_OVER" });
  assert.equal((await site.admitted()).length, 1);
});

test("pairing: refused, cancelled before and after somebody came, left by the device, its command gone: nothing is left", async () => {
  await using site = await RemoteSite.make();
  await site.join();
  const device = await site.device();
  const before = site.files();
  const ways: Record<string, (pairing: Pairing, joining: Joining) => unknown> = {
    refused: (pairing) => pairing.cancel(),
    left: (_, joining) => joining.leave(),
  };
  for (const [how, end] of Object.entries(ways)) {
    const pairing = await site.pair();
    const joining = await device.join(pairing.made.code);
    await pairing.event("met");
    await end(pairing, joining);
    assert.equal((await pairing.event("pairing_ended")).how, how);
    if (how === "refused") assert.equal(await joining.verdict, false);
    await assert.rejects(device.join(pairing.made.code), /gone|refused/, how);
  }
  const early = await site.pair();
  await early.cancel();
  assert.equal((await early.event("pairing_ended")).how, "cancelled");
  await assert.rejects(device.join(early.made.code), /gone|refused/);
  const watching = await site.pair();
  const killed = await site.pair();
  killed.leave();
  assert.deepEqual(await watching.event("pairing_ended"), { pairing: killed.id, how: "cancelled" });
  await assert.rejects(device.join(killed.made.code), /gone|refused/);
  assert.deepEqual(site.files(), before);
  assert.deepEqual(await site.admitted(), []);
});

test("pairing: a list that cannot be written lets nobody in, and the hub has thrown the device out again", async () => {
  await using site = await RemoteSite.make();
  await site.join();
  const device = await site.device();
  const pairing = await site.pair();
  const joining = await device.join(pairing.made.code);
  await pairing.event("met");
  const path = join(site.house.places.remoteDir, "roster.json");
  renameSync(path, `${path}.kept`);
  mkdirSync(path); // nothing can be renamed over a directory
  await assert.rejects(pairing.confirm(), { code: "PAIRING_NOT_STORED" });
  assert.equal(await joining.verdict, false);
  assert.deepEqual(await site.admitted(), []);
  rmSync(path, { recursive: true });
  renameSync(`${path}.kept`, path);
  await site.paired(device);
  assert.ok(await device.attach(), "the next time it goes well");
});

test("pairing: who is here already stays one device, with the new scopes, and both ends say so; revoked, it can come again", async () => {
  await using site = await RemoteSite.make();
  await site.join();
  const device = await site.device();
  await site.paired(device, ["view"]);
  const before = (await device.attach())!;
  const pairing = await site.pair(["view", "type"]);
  const joining = await device.join(pairing.made.code);
  const { candidate } = await pairing.event("met");
  assert.equal(candidate.known_as, "Pixel 9");
  await pairing.confirm();
  assert.equal(await joining.verdict, true);
  await before.ended;
  const client = site.house.client();
  const { devices } = await client.request("remote.devices", {});
  assert.deepEqual(
    devices.map(({ name, scopes }) => [name, scopes]),
    [["Pixel 9", ["view", "type"]]],
  );
  assert.ok(await device.attach());
  await client.request("remote.revoke", { device: "Pixel 9" });
  await assert.rejects(device.attach(), /DEVICE_UNKNOWN|KEY_NOT_KNOWN/);
  await site.paired(device);
  assert.ok(await device.attach());
  assert.equal((await site.admitted()).length, 1);
});

test("admin: a device with that scope lets in another, and revokes it; one without cannot", async () => {
  await using site = await RemoteSite.make();
  await site.join();
  const [phone, tablet] = [await site.device("phone"), await site.device("tablet")];
  await site.paired(phone, ["view", "admin"]);
  const client = (await phone.attach())!.client();
  const items = client.subscribe({ streams: ["remote"] });
  await items.next();
  const pairing = new Pairing(
    client,
    items,
    await client.request("remote.pair", { hub: site.address, scopes: ["view"] }),
  );
  const joining = await tablet.join(pairing.made.code);
  const { candidate } = await pairing.event("met");
  assert.equal(candidate.check, joining.check);
  await pairing.confirm();
  assert.equal(await joining.verdict, true);
  const session = (await tablet.attach())!;
  const refused = session.client().request("remote.revoke", { device: "phone" });
  await assert.rejects(refused, { code: "FORBIDDEN" });
  const { hubs } = await client.request("remote.revoke", { device: "tablet" });
  assert.deepEqual(
    hubs.map(({ state }) => state),
    ["cut"],
  );
  await session.ended;
  await assert.rejects(tablet.attach(), /DEVICE_UNKNOWN|KEY_NOT_KNOWN/);
});

test("scopes: a device may what it was given, on every message, and a second greeting raises nothing", async () => {
  await using site = await RemoteSite.make();
  await site.join();
  const device = await site.device();
  const everything = ["view", "type", "approve", "admin"] as const;
  await site.paired(device, ["view"]);
  let before: TestSession | undefined;
  for (const scopes of [["view"], ["view", "type"], ["view", "approve"]] as Scope[][]) {
    await site.house.client().request("remote.scopes", { device: "Pixel 9", scopes });
    if (before) assert.match(await before.ended, /done|gone/, "a change of scopes ends what was opened with others");
    const session = (await device.attach())!;
    before = session;
    const asked = rawAsker(session);
    await asked({
      type: "hello",
      payload: { protocol: { min: 1, max: 1 }, client: "x", scopes: everything, by: "root" },
    });
    for (const [type, { scope }] of Object.entries(messages)) {
      if (scopes.includes(scope) && WHERE_LET_THROUGH_SKIPPED.test(type)) continue;
      const { code } = await asked({ type, payload: payloadFor(type) });
      const isForbidden = code === "FORBIDDEN";
      assert.equal(isForbidden, !scopes.includes(scope), `${type} (${scope}) with ${scopes}: ${code}`);
    }
  }
});

test("scopes: to look at a terminal is not to type into it", async () => {
  await using site = await RemoteSite.make();
  await site.join();
  const device = await site.device();
  await site.paired(device, ["view"]);
  const house = site.house;
  const made = await house.warren(["new", "--detached", "--name", "fox", "cat"]);
  assert.equal(made.status, 0, made.stderr);
  const session = (await device.attach())!;
  const attach = { session: "fox", client: "0".repeat(16), cols: 80, rows: 24 };
  const asked = rawAsker(session, "fox");
  assert.equal((await asked({ type: "session.attach", payload: attach })).code, "FORBIDDEN");
  const { success, data } = await asked({ type: "session.attach", payload: { ...attach, view: true } });
  assert.equal(success, true);
  assert.equal((data as { session: { name: string } }).session.name, "fox");
});

test("revocation: a live session ends within a second, the hub has thrown the device out, and it is not let in again", async () => {
  await using site = await RemoteSite.make();
  await site.join();
  const [lost, kept] = [await site.device("lost"), await site.device("kept")];
  await site.paired(lost);
  await site.paired(kept);
  const session = (await lost.attach())!;
  const other = (await kept.attach())!;
  const client = session.client();
  await client.request("ping", {});
  const startMs = performance.now();
  const { status, stdout, stderr } = await site.house.warren(["devices", "revoke", "lost"]);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, "lost is cut off\n");
  assert.match(await session.ended, /expelled|done|gone|connection lost/);
  assert.ok(performance.now() - startMs < 5_000, "with the start of a command on a busy machine");
  await assert.rejects(lost.attach(), /DEVICE_UNKNOWN|KEY_NOT_KNOWN/);
  assert.equal((await site.admitted()).length, 1);
  await other.ping();
  await assert.rejects(site.house.client().request("remote.revoke", { device: "lost" }), { code: "DEVICE_NOT_FOUND" });
});

test("revocation: a hub that was away is told first of all when it comes back", async () => {
  await using site = await RemoteSite.make();
  await site.join();
  const device = await site.device();
  await site.paired(device);
  await site.killHub();
  await waitUntil(async () => (await site.hubState()) !== "ready", { what: "the link is lost" });
  const { hubs } = await site.house.client().request("remote.revoke", { device: "Pixel 9" });
  assert.deepEqual(
    hubs.map(({ state }) => state),
    ["later"],
  );
  await site.startHub();
  await waitUntil(async () => (await site.hubState()) === "ready", { what: "the link is back" });
  assert.deepEqual(await site.admitted(), [], "expelled before the link counted as ready");
  await assert.rejects(device.attach(), /DEVICE_UNKNOWN|KEY_NOT_KNOWN/);
});

test("link: the hub killed and started again, the server reloaded, and killed: the device's session comes back", async () => {
  await using site = await RemoteSite.make();
  await site.join();
  const device = await site.device();
  await site.paired(device);
  const first = (await device.attach())!;
  await site.killHub();
  assert.equal(await first.ended, "connection lost");
  await site.startHub();
  const back = await waitUntil(() => device.attach().catch(() => undefined), { what: "a session after the hub's end" });
  await back.client().request("ping", {});
  const reloaded = await site.house.warren(["reload"]);
  assert.equal(reloaded.status, 0, reloaded.stderr);
  assert.match(await back.ended, /gone|done/);
  const again = await waitUntil(() => device.attach().catch(() => undefined), { what: "a session after the reload" });
  await again.client().request("ping", {});
  process.kill((await site.house.server()).pid, "SIGKILL");
  await again.ended;
  const last = await waitUntil(() => device.attach().catch(() => undefined), {
    what: "a session after the server's kill",
  });
  await last.client().request("ping", {});
});

test("link: another hub at the same address is not spoken to, and is said to be another", async () => {
  await using site = await RemoteSite.make();
  await site.join();
  const known = site.facts.fingerprint;
  await site.killHub();
  await using stranger = temporaryHome();
  const { running, facts } = await startHub(stranger, { port: site.facts.port });
  const { fingerprint } = facts;
  const hub = await waitUntil(
    async () => {
      const { hubs } = await site.house.looker().request("remote.hubs", {});
      return hubs[0]?.state === "refused" && hubs[0];
    },
    { what: "the link refuses" },
  );
  assert.equal(hub.code, "HUB_KEY_CHANGED");
  assert.ok(hub.error?.includes(known) && hub.error.includes(fingerprint), `${hub.error}`);
  const members = await stranger.warren(["hub", "members", "--json"]);
  assert.deepEqual(JSON.parse(members.stdout), [], "the stranger has learned no key");
  const add = { address: site.address, fingerprint: known };
  await assert.rejects(site.house.client().request("remote.hub_add", add), { code: "HUB_KEY_OTHER" });
  running.child.kill("SIGKILL");
  await running.ended;
});

test("streams: a megabyte passes whole; a reader that sleeps stops its own stream and nothing else", async () => {
  await using site = await RemoteSite.make();
  await site.join();
  const device = await site.device();
  await site.paired(device);
  const session = (await device.attach())!;
  session.isReading = false;
  const asked = 2_500;
  const ids: number[] = [];
  const splitter = new LineSplitter(Number.POSITIVE_INFINITY);
  const onBytes = (bytes: Uint8Array): void => {
    for (const line of splitter.push(bytes)) ids.push(JSON.parse(line).id);
  };
  const { stream, send } = session.stream("primary", { onBytes, onClosed: () => {} });
  for (let id = 0; id < asked; id++) await send(utf8(`${JSON.stringify({ id, type: "status" })}\n`));
  await waitUntil(() => session.receivedBytes === STREAM_CREDIT_BYTES, { what: "all that the credit allows" });
  await session.ping();
  await session.client().request("ping", {});
  const other = session.receivedBytes - STREAM_CREDIT_BYTES;
  assert.ok(other > 0 && other < 2_000, "the stream that sleeps got no byte more, the other one is served");
  session.isReading = true;
  await session.say({ kind: "credit", stream, bytes: STREAM_CREDIT_BYTES });
  await waitUntil(() => ids.length === asked, { what: "every answer" });
  assert.deepEqual(ids, [...Array(asked).keys()]);
  assert.ok(session.receivedBytes > 3 * STREAM_CREDIT_BYTES, `${session.receivedBytes} bytes`);
});

/** Asks line by line, as they are. */
function rawAsker(session: TestSession, target = "primary") {
  const splitter = new LineSplitter(Number.POSITIVE_INFINITY);
  const waiting = new Map<number, (answer: RawAnswer) => void>();
  const { send } = session.stream(target, {
    onBytes: (bytes) => {
      for (const line of splitter.push(bytes)) {
        const answer = JSON.parse(line) as RawAnswer & { id: number };
        waiting.get(answer.id)?.(answer);
      }
    },
    onClosed: (code) => {
      for (const resolve of waiting.values()) resolve({ success: false, code: `closed ${code}`, data: undefined });
    },
  });
  let count = 0;
  return async (request: object): Promise<RawAnswer> => {
    const id = ++count;
    const { promise, resolve } = Promise.withResolvers<RawAnswer>();
    waiting.set(id, resolve);
    await send(Buffer.from(`${JSON.stringify({ id, ...request })}\n`));
    return await promise;
  };
}

interface RawAnswer {
  success: boolean;
  code?: string;
  data: unknown;
}

/** These start something that takes its time, or wait, when they are let through. */
const WHERE_LET_THROUGH_SKIPPED = /^(mail\.|doctor$|wait$|gateway\.(wait|settled)|session\.wait)/;

/** The least that the message's form asks for. */
const payloadFor = (type: string): object => ({
  ...(leastOf(z.toJSONSchema(messages[type as keyof typeof messages].payload, { unrepresentable: "any" })) as object),
  ...(type === "session.attach" ? { view: true } : {}),
});

function leastOf(schema: z.core.JSONSchema._JSONSchema): unknown {
  if (typeof schema === "boolean") return {};
  const first = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (first !== undefined) return leastOf(first);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.type === "object")
    return Object.fromEntries((schema.required ?? []).map((name) => [name, leastOf(schema.properties![name]!)]));
  if (schema.type === "array") return [];
  if (schema.type === "string")
    return schema.pattern === undefined
      ? "nothing-of-this-name"
      : "0".repeat(Number(/\{(\d+)\}/.exec(schema.pattern)?.[1]));
  return schema.type === "boolean" ? false : 1;
}
