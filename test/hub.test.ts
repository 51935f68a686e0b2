import assert from "node:assert/strict";
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import tls from "node:tls";
import { WebSocket as WsClient } from "ws";
import { HubTalk, logIn, testRecord } from "../src/hub/testing/hub-talk.ts";
import type { HubMember, HubStatus } from "../src/protocol/hub-control.ts";
import { webCrypto } from "../src/sealing/webcrypto.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { enterHub } from "./harness/hub-house.ts";
import { type HubFacts, startHub } from "./harness/hub-process.ts";
import { type HubSocket, hubSocket } from "./harness/hub-socket.ts";
import { makeCertificate } from "./harness/self-signed.ts";
import { waitUntil } from "./harness/wait-until.ts";

const crypto = webCrypto();

const connect = ({ port }: HubFacts): Promise<HubSocket> => hubSocket(`http://127.0.0.1:${port}`);

const json = async <T>(house: TemporaryHome, ...args: string[]): Promise<T> => {
  return JSON.parse(await house.run(...args, "--json"));
};

/** Sends bytes as they are, and answers what comes until the other side ends. */
function raw(port: number, text: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = net.connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

const UPGRADE = (path: string, more = ""): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`;

test("hub: a newcomer's way: start, invite, come in, see who is there, remove, Ctrl-C", async () => {
  await using house = temporaryHome();
  const running = house.start(["hub", "--port", "0"]);
  const text = await running.shows(/Ctrl-C ends it/);
  assert.match(text, /^Hub \S+ runs\n[\s\S]*Fingerprint {2}([0-9a-f]{4} ){7}[0-9a-f]{4}\n/);
  assert.match(text, /http:\/\/localhost:\d+ {2}for browsers of this machine; for phones put https before it/);
  const facts = await json<HubStatus>(house, "hub", "status");
  assert.equal(facts.pid, running.pid, "the command became the hub");
  const again = await house.warren(["hub", "--port", "0"]);
  assert.deepEqual([again.status, again.stderr.split("\n")[0]], [125, `error: A hub runs in ${house.home} already.`]);

  const key = await crypto.newSigningKey();
  const uninvited = await enterHub(facts, "machine", key);
  assert.deepEqual(uninvited.missed, { refused: "MACHINE_NOT_INVITED" });
  const { invitation } = await json<{ invitation: string }>(house, "hub", "invite", "--for", "laptop");
  const secret = Buffer.from(invitation.replaceAll("-", ""), "hex");
  const machine = await enterHub(facts, "machine", key, { invitation: secret });
  assert.equal(machine.missed, "nothing missed");
  const used = await enterHub(facts, "machine", await crypto.newSigningKey(), { invitation: secret });
  assert.deepEqual(used.missed, { refused: "INVITATION_REFUSED" });
  const [member] = await json<HubMember[]>(house, "hub", "members");
  assert.deepEqual(
    [member?.kind, member?.label, member?.is_connected],
    ["machine", "laptop", true],
    JSON.stringify(member),
  );
  assert.match((await house.warren(["hub", "members"])).stdout, /machine +connected +0 \(0 B\) +laptop/);
  const removed = await house.warren(["hub", "remove", member!.id]);
  assert.equal(removed.stdout, `Removed machine ${member!.id} (laptop)\n`);
  assert.equal(await machine.talk.refusal(), "EXPELLED");
  await machine.talk.closed;
  assert.match((await house.warren(["hub", "status"])).stdout, /Members +0 machines, 0 devices/);

  const last = await enterHub(facts, "guest", key);
  running.child.kill("SIGINT");
  assert.equal(await last.talk.refusal(), "HUB_ENDS");
  assert.equal((await running.ended).status, 0);
  const gone = await house.warren(["hub", "status"]);
  assert.deepEqual([gone.status, gone.stderr], [125, `error: No hub runs in ${house.home}.\nwarren hub\n`]);
  assert.equal(statSync(join(house.home, "hub", "key")).mode & 0o777, 0o600);
  const { facts: later } = await startHub(house, { args: [] });
  assert.equal(later.fingerprint, facts.fingerprint, "it is the same hub");
  const files = readdirSync(join(house.home, "hub")).map((name) => readFileSync(join(house.home, "hub", name)));
  const kept = Buffer.concat([...files, readFileSync(house.places.hubLog)]);
  assert.equal(kept.includes(secret) || kept.includes(secret.toString("hex")), false, "no invitation is kept");
});

test("hub: what was answered done survives kill -9, and a reader goes on from its cursor", async () => {
  await using house = temporaryHome();
  const machineKey = await crypto.newSigningKey();
  const deviceKey = await crypto.newSigningKey();
  const space = machineKey.publicKey;
  let [seq, done, place] = [0, 0, 0];
  const taken: number[] = [];
  for (let round = 0; round < 3; round++) {
    const { running, facts } = await startHub(house);
    const machine = await enterHub(facts, "machine", machineKey);
    if (round === 0) await machine.talk.answer({ kind: "admit", request: 0, loginKey: deviceKey.publicKey });
    const device = await enterHub(facts, "device", deviceKey, { cursor: place });
    const gap = device.missed;
    assert.ok(gap === "nothing missed" || ("floor" in gap && gap.floor <= place), "no gap by a kill");
    // Many under way at once; the kill comes in the middle of them.
    seq = done;
    const batch = await Promise.all(
      Array.from({ length: 300 }, () =>
        testRecord(crypto, { kind: "item", space, sender: space, seq: ++seq, text: `number ${seq}` }),
      ),
    );
    for (const [at, record] of batch.entries()) machine.talk.send({ kind: "put", request: at + 1, record });
    for (let count = 0; count < 100; count++) {
      const { request } = await machine.talk.next("done");
      assert.equal(request, count + 1, "answered in order");
      done += 1;
    }
    running.child.kill("SIGKILL");
    await running.ended;
    while (device.talk.has("record")) {
      const frame = await device.talk.next("record");
      taken.push(frame.place);
      place = frame.place;
    }
  }
  const { facts } = await startHub(house);
  const device = await enterHub(facts, "device", deviceKey, { cursor: place });
  const { missed } = device;
  const head = typeof missed === "object" && "head" in missed ? missed.head : place;
  while (place < head) {
    place = (await device.talk.next("record")).place;
    taken.push(place);
  }
  assert.ok(taken.length >= done, `${taken.length} of ${done}`);
  assert.equal(new Set(taken).size, taken.length, "each once");
  // What its only reader has taken need not be kept.
  const { records } = await json<HubStatus>(house, "hub", "status");
  assert.ok(records <= taken.length, `${records} of ${taken.length}`);
});

test("hub: bad input ends its connection with a reason, and harms nobody else", async () => {
  await using house = temporaryHome();
  const { facts, running } = await startHub(house);
  const key = await crypto.newSigningKey();
  const well = await enterHub(facts, "machine", key);

  const text = await connect(facts);
  text.socket.send("hello?");
  assert.equal(await text.talk.refusal(), "FRAME_INVALID");
  const garbage = await connect(facts);
  garbage.socket.send(Uint8Array.from({ length: 500 }, () => 0xee));
  assert.equal(await garbage.talk.refusal(), "FRAME_INVALID");
  const huge = new WsClient(`ws://127.0.0.1:${facts.port}/hub/v1`);
  huge.on("error", () => {});
  const code = await new Promise((resolve) => {
    huge.on("open", () => huge.send(Buffer.alloc(100 * 1024 * 1024)));
    huge.on("close", resolve);
  });
  assert.ok(code === 1009 || code === 1006, `100 MB: ${code}`);

  assert.match(await raw(facts.port, UPGRADE("/elsewhere")), /^HTTP\/1.1 404/);
  assert.match(await raw(facts.port, UPGRADE("//")), /^HTTP\/1.1 404/);
  assert.match(await raw(facts.port, "NONSENSE\r\n\r\n"), /^HTTP\/1.1 400/);
  assert.match(await raw(facts.port, `GET / HTTP/1.1\r\nX: ${"y".repeat(20_000)}\r\n\r\n`), /^HTTP\/1.1 431/);
  // Half a frame, and then nothing: the login's deadline ends it.
  const half = raw(facts.port, Buffer.concat([Buffer.from(UPGRADE("/hub/v1")), Buffer.from([0x82, 0xfe, 0x10])]));
  // Drop by drop: the head's deadline ends it.
  const drop = raw(facts.port, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");

  const frame = new Uint8Array(70 * 1024);
  frame[0] = 48;
  well.talk.sendBytes(frame);
  const answer = await well.talk.next("failed");
  assert.equal(answer.code, "RECORD_TOO_LARGE");

  const other = await enterHub(facts, "machine", key);
  other.talk.send({ kind: "ping", token: 7 });
  assert.equal((await other.talk.next("pong")).token, 7);
  assert.match(await half, /LOGIN_LATE/);
  assert.match(await drop, /^(HTTP\/1.1 408|$)/);
  const { refusals } = await json<HubStatus>(house, "hub", "status");
  assert.ok(refusals.FRAME_INVALID! >= 2 && refusals.LOGIN_LATE! >= 1, JSON.stringify(refusals));
  assert.equal(running.child.exitCode, null);
});

test("hub: it says who it is to any page, gives everybody the app, and nothing else to anybody", async () => {
  await using house = temporaryHome();
  const { facts } = await startHub(house, { args: ["--label", "at home"] });
  const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${facts.port}${path}`, init);
  const key = await get("/hub/v1/key");
  assert.deepEqual(await key.json(), {
    key: facts.key,
    fingerprint: facts.fingerprint,
    label: "at home",
    version: JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version,
  });
  assert.equal(key.headers.get("access-control-allow-origin"), "*");
  assert.equal(key.headers.get("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
  assert.equal(key.headers.get("x-content-type-options"), "nosniff");
  assert.equal((await get("/health")).status, 200);
  assert.equal((await get("/hub/v1")).status, 426);
  const app = await get("/");
  assert.match(await app.text(), /<html lang="en" data-from="hub">/);
  const policy = app.headers.get("content-security-policy") ?? "";
  assert.match(policy, /^default-src 'none'; script-src 'self';.*require-trusted-types-for 'script'/);
  assert.match(policy, /connect-src 'self' https: wss: /, "it speaks with other hubs as well");
  assert.equal(app.headers.get("access-control-allow-origin"), null);
  assert.equal(app.headers.get("content-encoding"), "gzip");
  for (const path of ["/web/v1", "/hub/v1/members", "/hub/hub.db", "/..%2fkey"])
    assert.equal((await get(path)).status, 404);
  assert.equal((await get("/hub/v1/key", { method: "POST", body: "x" })).status, 404);
});

test("hub: hundreds of idle connections stay, and cost it no memory to speak of", async () => {
  await using house = temporaryHome();
  const { facts } = await startHub(house);
  const keys = await Promise.all(Array.from({ length: 150 }, () => crypto.newSigningKey()));
  const all = [];
  for (const key of keys) all.push(await enterHub(facts, "machine", key), await enterHub(facts, "machine", key));
  const status = await json<HubStatus>(house, "hub", "status");
  assert.deepEqual([status.connections.machines, status.machines], [300, 150]);
  for (const { socket } of all) socket.close();
  await waitUntil(async () => (await json<HubStatus>(house, "hub", "status")).connections.machines === 0, {
    what: "all are gone",
    everyMs: 50,
  });
});

test("hub: TLS by its own files, which are taken up when they are renewed; a wrong pair keeps the old one", async () => {
  await using house = temporaryHome();
  const [cert, key] = [join(house.dir, "cert.pem"), join(house.dir, "key.pem")];
  const write = (pair: { cert: string; key: string }): void => {
    for (const [path, text] of [
      [cert, pair.cert],
      [key, pair.key],
    ] as const) {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    }
  };
  const wrong = await house.warren(["hub", "--cert", "cert.pem", "--key", "key.pem", "--port", "0"]);
  assert.deepEqual([wrong.status, wrong.stderr.split("\n")[0]], [125, `error: ${cert} does not exist.`]);
  const first = makeCertificate({ hosts: ["hub.example", "localhost"] });
  write(first);
  const { facts } = await startHub(house, {
    args: ["--open", "--host", "0.0.0.0", "--cert", "cert.pem", "--key", "key.pem"],
  });
  assert.deepEqual(
    facts.addresses.map(({ url, for_phones }) => [url, for_phones]),
    [
      [`https://hub.example:${facts.port}`, true],
      [`https://localhost:${facts.port}`, false],
    ],
  );
  const socket = new WsClient(`wss://localhost:${facts.port}/hub/v1`, { ca: first.cert });
  const talk = new HubTalk((bytes) => socket.send(bytes));
  socket.on("message", (data: Buffer) => talk.hear(new Uint8Array(data)));
  const hubKey = Buffer.from(facts.key, "hex");
  const machine = await crypto.newSigningKey();
  assert.equal(await logIn(talk, { crypto, hubKey, key: machine, role: "machine", isNew: true }), "nothing missed");

  const served = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = tls.connect({ port: facts.port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
        resolve(look.getPeerX509Certificate()!.toString());
        look.destroy();
      });
      look.on("error", reject);
    });
  assert.equal((await served()).trim(), first.cert.trim());
  const second = makeCertificate({ hosts: ["hub.example"] });
  writeFileSync(cert, second.cert); // the key is not there yet
  const log = (): string => readFileSync(house.places.hubLog, "utf8");
  await waitUntil(() => log().includes("certificate_refused"), { what: "the half pair is refused" });
  assert.equal((await served()).trim(), first.cert.trim());
  writeFileSync(key, second.key);
  await waitUntil(async () => (await served()).trim() === second.cert.trim(), { what: "the new one", everyMs: 100 });
  talk.send({ kind: "ping", token: 3 });
  assert.equal((await talk.next("pong")).token, 3, "who was connected stays");
  socket.close();
});

test("hub: wrong arguments are said before anything is started", async () => {
  await using house = temporaryHome();
  for (const [args, message] of [
    [["--cert", "x"], /--cert and --key belong together/],
    [["--port", "70000"], /--port 70000 is no port/],
    [["--port", "x"], /--port x is no port/],
    [["statsu"], /unknown command: hub statsu. Did you mean hub status\?/],
  ] as const) {
    const { status, stderr } = await house.warren(["hub", ...args]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
  const bad = await house.warren(["hub", "--port", "0", "--host", "192.0.2.77"]);
  assert.match(bad.stderr, /^error: 192.0.2.77 is no address of this machine.\n/);
  const taken = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as net.AddressInfo;
  const refused = await house.warren(["hub"], { env: { WARREN_HUB_PORT: String(port) } });
  assert.deepEqual(
    [refused.status, refused.stderr.split("\n")[0]],
    [125, `error: Port ${port} is used by another program.`],
  );
  taken.close();
});
