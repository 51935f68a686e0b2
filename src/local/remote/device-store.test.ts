import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { DeviceKeys, HubEntry, MachineEntry } from "../../client/remote/world.ts";
import { toHex } from "../../sealing/bytes.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { deviceStore } from "./device-store.ts";

const crypto = webCrypto();
const FILE = "device.json";

class Site implements Disposable {
  readonly base = mkdtempSync(join(tmpdir(), "warren-device-"));
  readonly dir = join(this.base, "device");

  get path(): string {
    return join(this.dir, FILE);
  }

  store = () => deviceStore(this.dir, crypto);

  async joined(number: number, keys?: DeviceKeys, store = this.store()) {
    const hub: HubEntry = {
      fingerprint: toHex(new Uint8Array(16).fill(number)),
      key: new Uint8Array(32).fill(number),
      addresses: ["https://a.example"],
      label: `hub ${number}`,
      login: await store.newLoginKey(String(number)),
      addedMs: 1_000,
    };
    const machine: MachineEntry = {
      id: toHex(new Uint8Array(32).fill(number)),
      exchangeKey: new Uint8Array(32),
      name: `m${number}`,
      words: "anna@m",
      scopes: ["view"],
      spaces: { [hub.fingerprint]: new Uint8Array(32).fill(9) },
      addedMs: 1_000,
    };
    const own = keys ?? (await store.keys()) ?? (await store.newKeys());
    await store.join({ keys: own, hub, machine });
    return { hub, machine, keys: own };
  }

  [Symbol.dispose](): void {
    rmSync(this.base, { recursive: true });
  }
}

test("device store: a pairing is kept whole, for this user alone, and read again", async () => {
  using site = new Site();
  assert.equal(await site.store().keys(), undefined);
  await site.store().newKeys();
  assert.deepEqual(readdirSync(site.base), [], "keys that were made are kept by a pairing alone");
  const { hub, machine, keys } = await site.joined(1);
  assert.equal(statSync(site.path).mode & 0o777, 0o600);
  assert.equal(statSync(site.dir).mode & 0o777, 0o700);
  const again = site.store();
  assert.deepEqual((await again.keys())!.signing.publicKey, keys.signing.publicKey);
  const [known] = await again.hubs();
  assert.deepEqual(known!.login.publicKey, hub.login.publicKey);
  assert.deepEqual(await again.machines(), [machine]);
  await again.putHub({ ...known!, label: "home", isOff: true });
  assert.deepEqual(
    (await site.store().hubs()).map(({ label, isOff }) => [label, isOff]),
    [["home", true]],
  );
});

test("device store: commands at once lose nothing of each other", async () => {
  using site = new Site();
  await site.joined(1);
  const secret = (JSON.parse(readFileSync(site.path, "utf8")) as { secret: string }).secret;
  await Promise.all(
    [2, 3, 4, 5].map(async (number) => {
      const store = site.store();
      await site.joined(number, (await store.keys())!, store);
    }),
  );
  assert.deepEqual((await site.store().machines()).map(({ name }) => name).sort(), ["m1", "m2", "m3", "m4", "m5"]);
  assert.equal((JSON.parse(readFileSync(site.path, "utf8")) as { secret: string }).secret, secret);
  const other = site.store();
  await assert.rejects(site.joined(6, await other.newKeys(), other), { code: "DEVICE_KEYS_CHANGED" });
});

test("device store: of two first pairings at one hub at once one is kept, and the other is told", async () => {
  using site = new Site();
  const { hub } = await site.joined(1);
  const other = site.store();
  await assert.rejects(site.joined(1, (await other.keys())!, other), { code: "DEVICE_KEYS_CHANGED" });
  const [known] = await site.store().hubs();
  assert.deepEqual(known!.login.publicKey, hub.login.publicKey);
  const again = site.store();
  const [machine] = await again.machines();
  await again.join({ keys: (await again.keys())!, hub: (await again.hubs())[0]!, machine: machine! }); // anew, by what is known
});

test("device store: a hub that is removed takes the machines along that are met nowhere else", async () => {
  using site = new Site();
  const { hub } = await site.joined(1);
  const { machine } = await site.joined(2);
  const store = site.store();
  await store.putMachine({ ...machine, spaces: { ...machine.spaces, [hub.fingerprint]: new Uint8Array(32) } });
  await store.removeHub(hub.fingerprint);
  const [left, ...more] = await store.machines();
  assert.deepEqual([left!.name, Object.keys(left!.spaces).length, more.length], ["m2", 1, 0]);
  assert.equal(readFileSync(site.path, "utf8").includes(hub.fingerprint), false);
});

test("device store: a file that others may read, or that is not whole, is refused with what to do", async () => {
  using site = new Site();
  await site.joined(1);
  chmodSync(site.path, 0o640);
  await assert.rejects(site.store().keys(), { code: "DEVICE_FILE_OPEN" });
  chmodSync(site.path, 0o600);
  const text = readFileSync(site.path, "utf8");
  for (const bad of [
    text.slice(0, -20),
    "{}",
    "[]",
    text.replace('"format"', '"other"').replace(/"secret": "../, '"secret": "'),
  ]) {
    writeFileSync(site.path, bad);
    await assert.rejects(site.store().machines(), { code: "DEVICE_FILE_BAD" }, bad.slice(0, 40));
  }
});
