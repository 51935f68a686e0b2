import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { HubMember } from "../src/protocol/hub-control.ts";
import type { RemoteDevice, RemoteIntroduction } from "../src/protocol/remote-units.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { startHub } from "./harness/hub-process.ts";
import { showCode } from "./harness/shown-code.ts";
import { waitUntil } from "./harness/wait-until.ts";
import type { Ended, Running } from "./harness/warren.ts";

/** One code for two machines: a hub, two machines, the device that introduces and the one that is introduced, each a home with its own processes. */
class FourHomes implements AsyncDisposable {
  readonly laptop = temporaryHome();
  readonly desk = temporaryHome();
  /** Has admin on both. */
  readonly admin = temporaryHome();
  readonly fresh = temporaryHome();
  address = "";
  #hub: Running | undefined;

  static async open(scopes = "view,type,approve,admin"): Promise<FourHomes> {
    const homes = new FourHomes();
    ({ running: homes.#hub, address: homes.address } = await startHub(homes.laptop));
    for (const machine of [homes.laptop, homes.desk]) await homes.#pair(machine, scopes);
    return homes;
  }

  async #pair(machine: TemporaryHome, scopes: string): Promise<void> {
    const { code, pairing } = await showCode(machine, this.address, { scopes });
    const joined = await this.admin.warren(["pair", code, "--yes", "--json"]);
    assert.equal(joined.status, 0, joined.stderr);
    assert.equal((await pairing.ended).status, 0);
  }

  /** Of the machines as the admin knows them, in the order of the pairings: their keys, since all homes here have one host name. */
  get ids(): [string, string] {
    return machinesOf(this.admin) as [string, string];
  }

  /** Shows a code for both. */
  async introduces(...args: string[]): Promise<{ introducing: Running; code: string }> {
    const named = this.ids.flatMap((id) => ["--for", id]);
    const introducing = this.admin.start(["pair", ...named, "--yes", "--json", ...args]);
    const { code } = JSON.parse((await introducing.shows(/\n/)).split("\n")[0]!) as { code: string };
    return { introducing, code };
  }

  async admitted(): Promise<number> {
    const { stdout } = await this.laptop.warren(["hub", "members", "--json"]);
    return (JSON.parse(stdout) as HubMember[]).filter(({ kind }) => kind === "device").length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hub?.child.kill("SIGKILL");
    for (const house of [this.fresh, this.admin, this.desk, this.laptop]) await house[Symbol.asyncDispose]();
  }
}

function machinesOf({ home }: TemporaryHome): string[] {
  const path = join(home, "remote", "device", "device.json");
  if (!existsSync(path)) return [];
  const { machines } = JSON.parse(readFileSync(path, "utf8")) as { machines: { signing_key: string }[] };
  return machines.map(({ signing_key }) => signing_key);
}

async function devicesOf(house: TemporaryHome): Promise<RemoteDevice[]> {
  const { stdout } = await house.warren(["devices", "--json"]);
  return JSON.parse(stdout);
}

const names = async (house: TemporaryHome): Promise<string[]> =>
  (await house.looker().request("remote.devices", {})).devices.map(({ name }) => name);

const waitingAt = async (house: TemporaryHome): Promise<RemoteIntroduction[]> =>
  (await house.looker().request("remote.devices", {})).introductions ?? [];

/** The facts of the JSON lines with that event. */
function told({ stdout }: Ended, event: string): Record<string, unknown>[] {
  const lines = stdout.split("\n").filter((line) => line.startsWith("{") && line.endsWith("}"));
  return lines.map((line) => JSON.parse(line)).filter((line) => line.event === event);
}

const failure = ({ stderr }: Ended): { code: string; error: string } => JSON.parse(stderr);

/** Nobody but the admin anywhere, and nothing at the new device. */
async function nothingLeft(homes: FourHomes): Promise<void> {
  for (const machine of [homes.laptop, homes.desk]) {
    assert.deepEqual([(await names(machine)).length, await waitingAt(machine)], [1, []]);
  }
  assert.equal(await homes.admitted(), 2, "at the hub, in each space the admin alone");
  assert.deepEqual(machinesOf(homes.fresh), []);
}

test("introduce: one code lets a device in at two machines, with one check at both ends, and it steers both", async () => {
  await using homes = await FourHomes.open();
  const { introducing, code } = await homes.introduces("--scopes", "view,type");
  const joined = await homes.fresh.warren(["pair", code, "--yes", "--json"]);
  assert.equal(joined.status, 0, joined.stdout + joined.stderr);
  const ended = await introducing.ended;
  assert.equal(ended.status, 0, ended.stdout + ended.stderr);
  const [introduced] = told(joined, "introduced") as { by: string; machines: { id: string }[] }[];
  assert.deepEqual(
    introduced?.machines.map(({ id }) => id),
    homes.ids,
    "which machines, before anything is said",
  );
  const [{ check } = {}] = told(joined, "shown");
  assert.deepEqual(
    told(ended, "met").map(({ candidate }) => (candidate as { check: string }).check),
    [check],
  );
  assert.deepEqual(machinesOf(homes.fresh), homes.ids);
  for (const machine of [homes.laptop, homes.desk]) {
    const [first, second] = await devicesOf(machine);
    assert.deepEqual([second?.scopes, second?.introduced_by], [["view", "type"], first?.name]);
  }
  assert.equal(await homes.admitted(), 4);
  for (const id of homes.ids) {
    const listed = await homes.fresh.warren(["--on", id, "devices", "--json"]);
    assert.equal((JSON.parse(listed.stdout) as RemoteDevice[]).length, 2, listed.stderr);
    const refused = await homes.fresh.warren(["--on", id, "add", "--json", "--", "sleep", "1"]);
    assert.equal(failure(refused).code, "FORBIDDEN", "type is not admin");
  }
  const late = await homes.laptop.warren(["pair", code, "--yes", "--json"]);
  assert.equal(failure(late).code, "PAIRING_GONE", "used");
});

test("introduce: a machine that asks first waits for its person, and one that is away is left out, in words", async () => {
  await using homes = await FourHomes.open();
  await homes.laptop.warren(["devices", "ask-first", "on"]);
  await homes.desk.warren(["hubs", "remove", homes.address]); // so that it is met nowhere any more
  const { introducing, code } = await homes.introduces();
  const joining = homes.fresh.start(["pair", code, "--yes", "--json"]);
  await waitUntil(async () => (await waitingAt(homes.laptop)).length === 1, { what: "it waits at the laptop" });
  const shown = await homes.laptop.warren(["devices"]);
  const [{ name, introduced_by } = { name: "", introduced_by: "" }] = await waitingAt(homes.laptop);
  assert.ok(shown.stdout.includes(`${name} (linux) waits: ${introduced_by} introduces it`), shown.stdout);
  assert.equal((await names(homes.laptop)).length, 1, "nobody is let in before the yes");
  const byDevice = await homes.admin.warren(["--on", homes.ids[0], "devices", "ask-first", "off", "--json"]);
  assert.equal(failure(byDevice).code, "HERE_ONLY");
  const allowed = await homes.laptop.warren(["devices", "allow", name]);
  assert.equal(allowed.status, 0, allowed.stderr);
  const [joined, ended] = [await joining.ended, await introducing.ended];
  assert.deepEqual([joined.status, ended.status], [0, 125], joined.stderr + ended.stdout);
  const [{ joined: there, left } = {}] = told(ended, "introduced") as { joined: object[]; left: { code: string }[] }[];
  assert.deepEqual([there?.length, left?.map((one) => one.code)], [1, ["MACHINE_AWAY"]]);
  assert.match(joined.stdout, /cannot be reached now/);
  assert.deepEqual(machinesOf(homes.fresh), [homes.ids[0]]);
});

test("introduce: refused by the machine's person, given up while it waits, given up before anybody came: nothing is left", async () => {
  await using homes = await FourHomes.open();
  for (const machine of [homes.laptop, homes.desk]) await machine.warren(["devices", "ask-first", "on"]);
  const refused = await homes.introduces();
  const joining = homes.fresh.start(["pair", refused.code, "--yes", "--json"]);
  for (const machine of [homes.laptop, homes.desk]) {
    await waitUntil(async () => (await waitingAt(machine)).length === 1, { what: "it waits" });
    const [{ name } = { name: "" }] = await waitingAt(machine);
    assert.equal((await machine.warren(["devices", "refuse", name])).status, 0);
  }
  const [atDevice, atAdmin] = [await joining.ended, await refused.introducing.ended];
  assert.deepEqual([failure(atDevice).code, failure(atAdmin).code], ["PAIRING_REFUSED", "INTRODUCING_NOWHERE"]);
  assert.match(failure(atDevice).error, /Its person has refused the device/);
  await nothingLeft(homes);

  const givenUp = await homes.introduces();
  const left = homes.fresh.start(["pair", givenUp.code, "--yes", "--json"]);
  await waitUntil(async () => (await waitingAt(homes.desk)).length === 1, { what: "it waits at the desk" });
  givenUp.introducing.child.kill("SIGINT");
  assert.notEqual((await left.ended).status, 0);
  assert.equal((await givenUp.introducing.ended).status, 130);
  await waitUntil(async () => (await waitingAt(homes.desk)).length + (await waitingAt(homes.laptop)).length === 0, {
    what: "it waits nowhere",
  });
  await nothingLeft(homes);

  const unused = await homes.introduces();
  unused.introducing.child.kill("SIGINT");
  await unused.introducing.ended;
  const late = await homes.fresh.warren(["pair", unused.code, "--yes", "--json"]);
  assert.equal(failure(late).code, "PAIRING_GONE");
  await nothingLeft(homes);
});

test("introduce: nobody gives what it does not have, and without admin nobody introduces", async () => {
  await using homes = await FourHomes.open("view,admin");
  const more = await homes.introduces("--scopes", "view,type");
  const tooMuch = await homes.fresh.warren(["pair", more.code, "--yes", "--json"]);
  assert.match(failure(tooMuch).error, /cannot give another one type/);
  await more.introducing.ended;
  await nothingLeft(homes);
  for (const machine of [homes.laptop, homes.desk])
    await machine.client().request("remote.scopes", { device: (await names(machine))[0]!, scopes: ["view", "type"] });
  const without = await homes.introduces("--scopes", "view");
  const refused = await homes.fresh.warren(["pair", without.code, "--yes", "--json"]);
  assert.match(failure(refused).error, /that takes admin/);
  await without.introducing.ended;
  await nothingLeft(homes);
});

test("introduce: a device that was killed before it had kept anything is taken off again", async () => {
  await using homes = await FourHomes.open();
  await homes.laptop.warren(["devices", "ask-first", "on"]);
  const { introducing, code } = await homes.introduces();
  const joining = homes.fresh.start(["pair", code, "--yes", "--json"]);
  await waitUntil(async () => (await names(homes.desk)).length === 2, { what: "the desk has let it in" });
  await waitUntil(async () => (await waitingAt(homes.laptop)).length === 1, { what: "it waits at the laptop" });
  joining.child.kill("SIGKILL");
  const ended = await introducing.ended;
  assert.equal(failure(ended).code, "INTRODUCING_LEFT", ended.stderr);
  await waitUntil(async () => (await names(homes.desk)).length === 1 && (await waitingAt(homes.laptop)).length === 0, {
    what: "it is out again",
  });
  await nothingLeft(homes);
});
