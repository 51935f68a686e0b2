import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { RemoteDevice, RemoteHub } from "../src/protocol/remote-units.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { startHub } from "./harness/hub-process.ts";
import { TestDevice } from "./harness/remote-device.ts";
import { makeCertificate } from "./harness/self-signed.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** The commands of remote as a program uses them; on a terminal: test/tui/pair.test.ts. */

const LABEL = ["--label", "attic"];

const json = async <T>(house: TemporaryHome, ...args: string[]): Promise<T> => {
  return JSON.parse(await house.run(...args, "--json"));
};

const told = async (house: TemporaryHome, ...args: string[]): Promise<[number | null, string]> => {
  const { status, stdout, stderr } = await house.warren(args);
  return [status, stdout + stderr];
};

test("pair: without a terminal it wants --yes, and then prints the link, who came and who joined, a line each", async () => {
  await using house = temporaryHome();
  const { running: hub, address } = await startHub(house, { args: LABEL });
  const [status, text] = await told(house, "pair", "--hub", address);
  assert.deepEqual([status, /--yes/.test(text)], [2, true], text);
  const pairing = house.start(["pair", "--hub", address, "--yes", "--json", "--scopes", "type,admin"]);
  const { event, link, hub: label } = JSON.parse(await pairing.shows(/\}\n/));
  assert.deepEqual([event, label], ["code", "attic"]);
  assert.ok(link.startsWith(`${address}/#p=`), link);
  const device = await TestDevice.make("\u202eevil\u001b[2J name");
  const joining = await device.join(link);
  assert.equal(await joining.verdict, true);
  const { status: done, stdout } = await pairing.ended;
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual([done, lines.map((line) => line.event)], [0, ["code", "met", "joined"]]);
  assert.equal(lines[1].candidate.check, joining.check);
  assert.deepEqual([lines[2].device.name, lines[2].device.scopes], ["evil[2J name", ["view", "type", "admin"]]);

  assert.deepEqual(await told(house, "devices", "rename", "evil[2J name", "phone"), [0, "evil[2J name is phone now\n"]);
  assert.deepEqual(await told(house, "devices", "scopes", "phone", "view"), [0, "phone has view alone\n"]);
  assert.deepEqual(await told(house, "devices", "scopes", "phone", "root"), [
    2,
    "error: SCOPES is one of view, type, approve, admin, not root.\nwarren help devices scopes\n",
  ]);
  const [found] = await json<RemoteDevice[]>(house, "devices");
  assert.deepEqual([found?.name, found?.scopes, found?.hubs], ["phone", ["view"], ["attic"]]);
  const [missing, sentence] = await told(house, "devices", "revoke", "phne");
  assert.deepEqual([missing, sentence.split("\n")[0]], [125, "error: device not found: phne. Did you mean phone?"]);
  assert.deepEqual(await told(house, "devices", "revoke", "phone"), [0, "phone is cut off\n"]);
  assert.deepEqual(await told(house, "devices"), [0, "No device may steer this machine\n"]);

  assert.deepEqual(await told(house, "hubs", "rename", "attic", "home"), [0, "attic is home now\n"]);
  const [known] = await json<RemoteHub[]>(house, "hubs");
  assert.deepEqual(
    [known?.label, known?.state, known?.addresses, known?.device_count],
    ["home", "ready", [address], 0],
  );
  assert.deepEqual(await told(house, "hubs", "remove", "home"), [0, "Left the hub home\n"]);
  assert.deepEqual(await told(house, "hubs"), [0, "This machine is a member of no hub\n"]);
  device.close();
  hub.child.kill("SIGKILL");
});

test("pair: a hub of another home wants an invitation, once; what was refused leaves nothing", async () => {
  await using owner = temporaryHome();
  await using house = temporaryHome();
  const { running: hub, address } = await startHub(owner, { args: LABEL });
  const [uninvited, why] = await told(house, "pair", "--hub", address, "--yes");
  assert.equal(uninvited, 125);
  assert.match(why, /does not know this machine.*invitation/);
  assert.deepEqual(await json<RemoteHub[]>(house, "hubs"), []);
  const { invitation } = await json<{ invitation: string }>(owner, "hub", "invite");
  const pairing = house.start(["pair", "--hub", address, "--invitation", invitation, "--yes"]);
  assert.match(await pairing.shows(/\n/), /^http:\/\/127\.0\.0\.1:\d+\/#p=[A-Z2-7]+\n$/);
  pairing.child.kill("SIGINT");
  assert.equal((await pairing.ended).status, 130);
  const again = house.start(["pair", "--yes"]);
  await again.shows(/#p=/); // the one that it knows, and no invitation any more
  again.child.kill("SIGINT");
  await again.ended;
  const [member] = await json<{ id: string }[]>(owner, "hub", "members");
  assert.equal((await told(owner, "hub", "remove", member!.id))[0], 0);
  await waitUntil(async () => (await json<RemoteHub[]>(house, "hubs"))[0]?.code === "MACHINE_NOT_INVITED", {
    what: "the machine hears that it is out",
  });
  const anew = await json<{ invitation: string }>(owner, "hub", "invite");
  const back = house.start(["pair", "--hub", address, "--invitation", anew.invitation, "--yes"]);
  await back.shows(/#p=/);
  back.child.kill("SIGINT");
  await back.ended;
  await using third = temporaryHome();
  const [used, sentence] = await told(third, "pair", "--hub", address, "--invitation", invitation, "--yes");
  assert.deepEqual([used, /was used already/.test(sentence)], [125, true], sentence);
  hub.child.kill("SIGKILL");
});

test("pair: no hub, no such hub, no hub there: said in a sentence, with what to type", async () => {
  await using house = temporaryHome();
  const cases: [args: string[], wanted: RegExp, status?: number][] = [
    [["pair", "--yes"], /^error: This machine knows no hub yet.*\nwarren pair --hub /],
    [["pair", "--yes", "--hub", "http://127.0.0.1:47"], /cannot be reached: nobody listens there\.\n/],
    [["pair", "--yes", "--hub", "ftp://x"], /is no hub's address: it is neither https nor http/, 2],
    [["hubs", "remove", "cloud"], /^error: hub not found: cloud\nwarren pair --hub https:\/\/home\.example\n/],
    [["devices", "revoke", "phone"], /^error: device not found: phone\. No device is paired\nwarren pair\n/],
    [["devices", "ask-first", "maybe"], /^error: ask-first is one of on, off, not maybe\.\n/, 2],
  ];
  for (const [args, wanted, expected = 125] of cases) {
    const [status, text] = await told(house, ...args);
    assert.equal(status, expected, text);
    assert.match(text, wanted);
  }
});

test("pair: a hub whose certificate is signed by an authority of one's own is met when that stands in the home", async () => {
  await using owner = temporaryHome();
  await using house = temporaryHome();
  const authority = makeCertificate({ hosts: [], isAuthority: true });
  const own = makeCertificate({ hosts: ["localhost"], by: authority });
  const files = { cert: join(owner.dir, "cert.pem"), key: join(owner.dir, "key.pem") };
  writeFileSync(files.cert, own.cert);
  writeFileSync(files.key, own.key);
  const args = [...LABEL, "--open", "--cert", files.cert, "--key", files.key];
  const { running: hub, address } = await startHub(owner, { args });
  const secure = address.replace("http://127.0.0.1", "https://localhost");
  const [status, text] = await told(house, "pair", "--hub", secure, "--yes");
  assert.equal(status, 125);
  assert.match(text, /signed by nobody whom this machine knows.*remote\/hub-ca\.pem/);
  mkdirSync(house.places.remoteDir, { recursive: true });
  const trusted = join(house.places.remoteDir, "hub-ca.pem");
  writeFileSync(trusted, "no certificate");
  assert.match((await told(house, "pair", "--hub", secure, "--yes"))[1], /hub-ca\.pem holds no certificate in PEM/);
  writeFileSync(trusted, authority.cert);
  const pairing = house.start(["pair", "--hub", secure, "--yes", "--json"]);
  const { link } = JSON.parse(await pairing.shows(/\}\n/));
  await using other = temporaryHome();
  mkdirSync(other.places.remoteDir, { recursive: true });
  writeFileSync(join(other.places.remoteDir, "hub-ca.pem"), authority.cert);
  const [joined, said] = await told(other, "pair", link, "--yes");
  assert.equal(joined, 0, said);
  assert.equal((await pairing.ended).status, 0);
  hub.child.kill("SIGKILL");
});
