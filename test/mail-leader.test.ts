import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { promisify } from "node:util";
import { mailLeaderCommand, startMailLeader } from "../src/local/mail-start.ts";
import { spawnDetached } from "../src/local/spawn-detached.ts";
import { tryLock } from "../src/platform/lock.ts";
import { ensureHome, ensureSocketDir, resolvePlaces } from "../src/platform/paths.ts";
import { thisInstallation, variant } from "./harness/build-copy.ts";
import { needsRoot, suspended } from "./harness/faults.ts";
import { MailHome } from "./harness/mail.ts";
import { ended, killProcess } from "./harness/processes.ts";
import { RawConnection } from "./harness/raw-connection.ts";
import { waitUntil } from "./harness/wait-until.ts";

const isProof = process.env.WARREN_PROOF === "1";
const bodies = (messages: readonly { body: string }[]): string[] => messages.map(({ body }) => body);

/** What each leadership has logged when it began. */
function startLines(mail: MailHome): { pid: number; epoch: number; reason: string; gap_ms?: number }[] {
  const lines = readFileSync(mail.house.places.mailLeaderLog, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "Started message broker");
}

test("leader: the first who needs it starts it; what one sends another fetches, acknowledges, and nobody gets again", async () => {
  await using mail = new MailHome();
  const [ann, bob] = [mail.client(), mail.client()];
  const sent = await ann.request("mail.send", { as: "ann", to: ["bob"], body: "hello" });
  assert.equal(sent.recipients[0]?.known, false);
  const { messages } = await bob.request("mail.fetch", { as: "bob" });
  assert.deepEqual(bodies(messages), ["hello"]);
  await bob.request("mail.ack", { as: "bob", ids: [sent.message.id] });
  const { receipts, result } = await ann.request("mail.wait", { as: "ann", id: sent.message.id });
  assert.deepEqual([receipts[0]?.state, result], ["handled", "met"]);
  assert.deepEqual((await bob.request("mail.fetch", { as: "bob" })).messages, []);
  assert.equal(startLines(mail).length, 1);
  assert.equal(statSync(mail.house.places.mailSocket).mode & 0o077, 0);
});

test("leader: belongs to nobody: a session of its own, no descriptor of whoever started it", async () => {
  await using mail = new MailHome();
  const { leader } = await mail.status();
  const { stdout } = await promisify(execFile)("ps", ["-o", "sid=,ppid=", "-p", `${leader.pid}`]);
  const [sid, ppid] = stdout.trim().split(/\s+/).map(Number);
  assert.notEqual(ppid, process.pid);
  assert.notEqual(sid, Number((await promisify(execFile)("ps", ["-o", "sid=", "-p", `${process.pid}`])).stdout));
});

test("leader: whose starter is gone before it leads ends, and leads nobody", async () => {
  await using mail = new MailHome();
  const { places, env } = mail.house;
  const start = { places, build: thisInstallation().build, env };
  const started = (): Readable =>
    spawnDetached({ command: mailLeaderCommand(start), env, logPath: places.mailLeaderLog });
  const nobodyLeft = (): Promise<unknown> => waitUntil(() => mail.processes().length === 0, { what: "its end" });
  started().destroy();
  await nobodyLeft();
  assert.equal(existsSync(places.mailDir), false);
  ensureHome(places);
  ensureSocketDir(places, env);
  const pipe = started();
  await once(pipe, "data"); // it is about to
  pipe.destroy();
  await nobodyLeft();
  assert.equal(startLines(mail).length, 1);
  assert.equal((await mail.status()).leader.epoch, 2);
});

test("leader: a client that is closed while one is started for it leaves none behind", async () => {
  await using mail = new MailHome();
  const { places, env } = mail.house;
  ensureHome(places);
  ensureSocketDir(places, env);
  mkdirSync(places.mailDir, { mode: 0o700 });
  const lock = tryLock(places.mailLock)!; // without it nobody leads, so that the client is gone before
  const client = mail.client();
  const asked = assert.rejects(client.request("mail.ping", {}), { code: "CLOSED" });
  await waitUntil(() => existsSync(mail.logPath), { what: "a process that is about to lead" });
  client.close();
  await asked;
  lock.release();
  await waitUntil(() => mail.processes().length === 0, { what: "its end" });
});

test("fetch: waits for what is not there yet, and is woken by its commit", async () => {
  await using mail = new MailHome();
  const [ann, bob] = [mail.client(), mail.client()];
  await bob.request("mail.register", { name: "bob" });
  const waiting = bob.request("mail.fetch", { wait_ms: 30_000 });
  await waitUntil(async () => (await mail.status(ann)).waiting === 1, { what: "somebody who waits" });
  assert.equal((await ann.request("mail.list", {})).participants[0]?.presence, "idle");
  await ann.request("mail.send", { as: "ann", to: ["bob"], body: "now" });
  assert.deepEqual(bodies((await waiting).messages), ["now"]);
});

test("streams: a sender hears of receipts, a recipient of mail, and whoever looks on of both, without bodies", async () => {
  await using mail = new MailHome();
  const [ann, bob, watcher] = [mail.client(), mail.client(), mail.client()];
  const events: string[] = [];
  const over = new AbortController();
  const streams = ["mail", "mail/ann", "mail/bob"];
  const seen = Promise.withResolvers<void>();
  const following = (async () => {
    for await (const item of watcher.subscribe({ streams }, over.signal)) {
      if (item.kind === "snapshot") {
        if (item.stream === "mail/bob") seen.resolve();
        continue;
      }
      events.push(`${item.event.stream} ${item.event.event}`);
      assert.equal(JSON.stringify(item.event.data).includes("secret"), false);
      if (item.event.data.state === "handled") over.abort();
    }
  })();
  await seen.promise;
  const { message } = await ann.request("mail.send", { as: "ann", to: ["bob"], body: "secret" });
  await ann.request("mail.send", { as: "ann", to: ["cat"], body: "a secret for later", delay_ms: 7_200_000 });
  await bob.request("mail.fetch", { as: "bob" });
  await bob.request("mail.ack", { as: "bob", ids: [message.id] });
  await following;
  assert.deepEqual(
    events.filter((event) => !event.includes("participant") && !event.includes("member")),
    [
      "mail message_sent",
      "mail/bob message_queued",
      "mail message_sent",
      "mail/ann receipt_changed",
      "mail/ann receipt_changed",
    ],
  );
});

test("kill -9: of the leader, ten times, under load: one successor each, everything acknowledged is there once and in order", async () => {
  await using mail = new MailHome();
  const [ann, bob] = [mail.client(), mail.client()];
  const kills = isProof ? 100 : 10;
  const sent: string[] = [];
  const gapsMs: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    await mail.standby(bob);
    const leader = await mail.leader();
    const during = ann.request("mail.send", { as: "ann", to: ["bob"], body: `${kill} during` });
    killProcess(leader);
    const killedMs = performance.now();
    await during;
    await ann.request("mail.send", { as: "ann", to: ["bob"], body: `${kill} after` });
    gapsMs.push(performance.now() - killedMs);
    sent.push(`${kill} during`, `${kill} after`);
  }
  const got: string[] = [];
  while (got.length < sent.length) {
    const { messages } = await bob.request("mail.fetch", { as: "bob", limit: 3 });
    got.push(...bodies(messages));
    await bob.request("mail.ack", { as: "bob", ids: messages.map(({ id }) => id) });
  }
  assert.deepEqual(got, sent);
  const epochs = startLines(mail).map(({ epoch }) => epoch);
  assert.deepEqual(
    epochs,
    epochs.map((_, at) => at + 1),
    "one line for each leadership",
  );
  gapsMs.sort((a, b) => a - b);
  const at = (part: number): string => gapsMs[Math.floor((gapsMs.length - 1) * part)]!.toFixed(0);
  console.log(`gap over ${kills} kills: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`);
});

test("kill -9: of the standby: the leader starts another, and nobody notices", async () => {
  await using mail = new MailHome();
  const client = mail.client();
  const standby = await mail.standby(client);
  killProcess(standby);
  await ended(standby);
  const next = await mail.standby(client);
  assert.notEqual(next.pid, standby.pid);
  assert.equal((await mail.leader()).epoch, 1);
});

test("kill -9: of both: whoever asks next starts a leader, with all mail", async () => {
  await using mail = new MailHome();
  const client = mail.client();
  await client.request("mail.send", { as: "ann", to: ["bob"], body: "kept" });
  const standby = await mail.standby(client);
  const leader = await mail.leader();
  killProcess(standby);
  killProcess(leader);
  const { messages } = await client.request("mail.fetch", { as: "bob" });
  assert.deepEqual(bodies(messages), ["kept"]);
  await waitUntil(async () => (await mail.leader()).epoch > leader.epoch, { what: "another epoch" });
});

test("stopped: a leader under SIGSTOP is ended, and what wakes commits nothing", async (t) => {
  await using mail = new MailHome();
  const client = mail.client();
  for (let round = 0; round < (isProof ? 100 : 8); round++) {
    await mail.standby(client);
    const leader = await mail.leader();
    using _ = suspended(leader.pid);
    const stoppedMs = performance.now();
    await client.request("mail.send", { as: "ann", to: ["bob"], body: `${round}` });
    t.diagnostic(`answered after ${Math.round(performance.now() - stoppedMs)} ms`);
    await ended(leader);
    assert.equal((await mail.leader()).epoch, leader.epoch + 1);
  }
});

test("stopped: before its standby has said a word to it", async () => {
  await using mail = new MailHome();
  const client = mail.client();
  await client.request("mail.ping", {});
  const leader = await mail.leader();
  const isStarted = (): boolean => mail.processes().length === 2;
  await waitUntil(isStarted, { what: "the standby's process", everyMs: 1 });
  using _ = suspended(leader.pid);
  await client.request("mail.send", { as: "ann", to: ["bob"], body: "after all" });
  await ended(leader);
});

test("stopped: with its standby dead too, a member notices, and starts what ends it", async () => {
  await using mail = new MailHome();
  const member = mail.member();
  await member.client.request("mail.ping", {});
  const standby = await mail.standby();
  const leader = await mail.leader();
  using _ = suspended(leader.pid);
  killProcess(standby);
  await member.client.request("mail.send", { as: "ann", to: ["bob"], body: "after all" });
  await ended(leader);
});

test("lock deleted: the leader notices, takes the one that is there now, and goes on", async () => {
  await using mail = new MailHome();
  const client = mail.client();
  const { leader } = await mail.status(client);
  rmSync(mail.house.places.mailLock);
  await waitUntil(() => statSync(mail.house.places.mailLock, { throwIfNoEntry: false }) !== undefined, {
    what: "the lock, taken again",
  });
  assert.equal(await startMailLeader({ ...thisInstallation(), ...mail.house }), "busy");
  assert.equal((await mail.status(client)).leader.epoch, leader.epoch);
});

test("fenced: a leader whose lock file was deleted and taken by another commits nothing, and ends", async () => {
  await using mail = new MailHome();
  const client = mail.client();
  await client.request("mail.send", { as: "ann", to: ["bob"], body: "first" });
  const old = await mail.leader();
  rmSync(mail.house.places.mailLock);
  assert.equal(await startMailLeader({ ...thisInstallation(), ...mail.house }), "leading");
  const { epoch } = await client.request("mail.ping", {}); // on the wire to the old one, which finds out by it
  assert.equal(epoch, old.epoch + 1);
  await client.request("mail.send", { as: "ann", to: ["bob"], body: "second" });
  await ended(old);
  assert.deepEqual(bodies((await client.request("mail.fetch", { as: "bob" })).messages), ["first", "second"]);
});

test("SIGTERM: a successor has the sockets; no request fails, no connect is refused", async () => {
  await using mail = new MailHome();
  const [ann, bob] = [mail.client(), mail.client()];
  const { leader } = await mail.status(ann);
  let isOver = false;
  let refusedCount = 0;
  const knocking = (async () => {
    while (!isOver) {
      await new Promise<void>((done) => {
        const socket = net.connect(leader.port!, "127.0.0.1", () => socket.end('{"type":"ping","id":1}\n'));
        socket.on("error", () => {
          refusedCount += 1;
        });
        socket.on("close", () => done()).resume();
      });
    }
  })();
  const bodiesSent: string[] = [];
  for (let round = 0; round < 3; round++) {
    const process_ = await mail.leader();
    process.kill(process_.pid, "SIGTERM");
    for (let count = 0; count < 40; count++) {
      const body = `${round} ${count}`;
      await ann.request("mail.send", { as: "ann", to: ["bob"], body });
      bodiesSent.push(body);
    }
    await ended(process_);
  }
  isOver = true;
  await knocking;
  const { messages } = await bob.request("mail.fetch", { as: "bob", limit: 1_000 });
  assert.deepEqual(bodies(messages), bodiesSent);
  assert.equal(refusedCount, 0);
  const now = await mail.status(ann);
  assert.equal(now.leader.port, leader.port, "the same port");
  assert.deepEqual(
    startLines(mail).map(({ reason }) => reason),
    ["started", "handed_over", "handed_over", "handed_over"],
  );
});

test("yield: answers when the other leads; a dedicated one stays when nobody is there", async () => {
  await using mail = new MailHome();
  const client = mail.client();
  const before = await mail.status(client);
  const { status } = await client.request("mail.yield", { is_dedicated: true });
  assert.equal(status.leader.epoch, before.leader.epoch + 1);
  const after = await mail.status(client);
  assert.deepEqual([after.leader.pid, after.leader.is_dedicated], [status.leader.pid, true]);
});

test("upgrade: a newer build's participant has a leader of its build; an older one leaves it as it is", async () => {
  await using mail = new MailHome();
  const ann = mail.client();
  await ann.request("mail.send", { as: "ann", to: ["bob"], body: "before" });
  const newer = variant({ hash: "newer01", newerByMs: 1_000 });
  const bob = mail.client({ from: newer });
  await bob.request("mail.ping", {});
  await waitUntil(async () => (await mail.status(bob)).leader.git_hash === "newer01", { what: "the newer build" });
  assert.deepEqual(bodies((await bob.request("mail.fetch", { as: "bob" })).messages), ["before"]);
  await mail.client().request("mail.send", { as: "ann", to: ["bob"], body: "of the older one" });
  const { leader } = await mail.status(ann);
  assert.deepEqual([leader.git_hash, leader.epoch], ["newer01", 2]);
});

test("yield: to a command that does not lead: refused, and the leader stays", async () => {
  await using mail = new MailHome();
  const client = mail.client();
  await mail.standby(client);
  await assert.rejects(client.request("mail.yield", { command: ["/bin/false"] }), { code: "SUCCESSOR_FAILED" });
  await client.request("mail.send", { as: "ann", to: ["bob"], body: "still here" });
  assert.equal((await mail.status(client)).leader.epoch, 1);
});

test("yield: to a command that cannot be: refused; the leader stays, and can be ended", async () => {
  await using mail = new MailHome();
  const client = mail.client({ mode: "find" });
  await mail.client().request("mail.ping", {});
  await assert.rejects(client.request("mail.yield", { command: [] }), { code: "SUCCESSOR_FAILED" });
  await client.request("mail.ping", {});
  await client.request("shutdown", {});
  await waitUntil(() => mail.processes().length === 0, { what: "its end" });
});

test("yield: a leader that is told to end while it waits for a successor ends without", async () => {
  await using mail = new MailHome();
  const [client, other] = [mail.client(), mail.client()];
  await mail.standby(client);
  const marked = join(mail.house.base, "begun");
  const command = ["/bin/sh", "-c", `: > ${marked}; exec sleep 1000`];
  const yielding = assert.rejects(client.request("mail.yield", { command }), { code: "SUCCESSOR_FAILED" });
  await waitUntil(() => existsSync(marked), { what: "the successor" });
  await other.request("shutdown", {});
  await yielding;
  await waitUntil(() => mail.processes().length === 0, { what: "its end" });
});

test("a reader that is killed with mail in hand: the next one gets it at once", async () => {
  await using mail = new MailHome();
  const client = mail.client();
  await client.request("mail.send", { as: "ann", to: ["bob"], body: "taken" });
  const { leader } = await mail.status(client);
  const script = `const socket = require("net").connect(${leader.port}, "127.0.0.1");
    const say = (line) => socket.write(JSON.stringify(line) + "\\n");
    say({ type: "hello", payload: { protocol: { min: 1, max: 1 }, client: "reader", client_id: "reader-1", pid: process.pid } });
    say({ type: "mail.fetch", id: 2, payload: { as: "bob" } });
    socket.on("data", (chunk) => chunk.includes("taken") && process.stdout.write("taken"));`;
  const reader = spawn(process.execPath, ["-e", script]);
  await new Promise((resolve) => reader.stdout.once("data", resolve));
  const waiting = client.request("mail.fetch", { as: "bob", wait_ms: 20_000 });
  reader.kill("SIGKILL");
  const { messages } = await waiting;
  assert.deepEqual([bodies(messages), messages[0]?.offers], [["taken"], 2]);
});

test("log replaced: what was lost with it is not acknowledged; the next leader begins with what is there", async () => {
  await using mail = new MailHome();
  const client = mail.client();
  await client.request("mail.send", { as: "ann", to: ["bob"], body: "before" });
  await mail.standby(client);
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${mail.logPath}${suffix}`, { force: true });
  const after = await client.request("mail.send", { as: "ann", to: ["bob"], body: "after" }).catch((error) => error);
  if (after instanceof Error) {
    assert.equal((after as Error & { code?: string }).code, "MAIL_NOT_STORED");
    await client.request("mail.send", { as: "ann", to: ["bob"], body: "after" });
  }
  assert.deepEqual(bodies((await client.request("mail.fetch", { as: "bob" })).messages), ["after"]);
});

test("another user: is refused at the port, and cannot reach the socket", { skip: needsRoot() }, async () => {
  await using mail = new MailHome();
  const { leader } = await mail.status();
  const script = `const net = require("net");
    const socket = net.connect(${leader.port}, "127.0.0.1", () => socket.write('{"type":"ping","id":1}'));
    socket.on("data", (chunk) => process.stdout.write(chunk));
    net.connect(${JSON.stringify(leader.socket)}).on("error", ({ code }) => process.stdout.write(code));`;
  const { stdout } = await promisify(execFile)("node", ["-e", script], { uid: 65_534, gid: 65_534, cwd: "/" });
  assert.match(stdout, /OTHER_USER/);
  assert.match(stdout, /EACCES/);
});

test(
  "another user: is refused at the port, also from that very port of another address",
  { skip: needsRoot() },
  async () => {
    await using mail = new MailHome();
    const { leader } = await mail.status();
    // One after the other: of rows that look alike the kernel has either first.
    const script = `const net = require("net");
    const next = (last) => {
      if (last === 20) return;
      const from = { localAddress: "127.0.0." + last, localPort: ${leader.port} };
      const socket = net.connect({ port: ${leader.port}, host: "127.0.0.1", ...from }, () => socket.write('{"type":"ping","id":1}\\n'));
      socket.on("data", (chunk) => process.stdout.write(chunk, () => socket.destroy()));
      socket.on("error", (error) => process.stdout.write(error.code));
      socket.on("close", () => next(last + 1));
    };
    next(2);`;
    const { stdout } = await promisify(execFile)("node", ["-e", script], { uid: 65_534, gid: 65_534, cwd: "/" });
    assert.equal(stdout.match(/OTHER_USER/g)?.length, 18, stdout);
    assert.ok(!stdout.includes("pong"), stdout);
  },
);

test(
  "another user, with a shared secret: claude-ipc's protocol asks for it; ours is not for them",
  {
    skip: needsRoot(),
  },
  async () => {
    await using mail = new MailHome({ env: { IPC_SHARED_SECRET: "between us" } });
    const { leader } = await mail.status();
    const script = `const net = require("net");
    for (const words of ['{"type":"ping","id":1}', '{"action":"register","instance_id":"eve","auth_token":"guessed"}']) {
      const socket = net.connect(${leader.port}, "127.0.0.1", () => socket.write(words));
      socket.on("data", (chunk) => { process.stdout.write(chunk); socket.destroy(); });
    }`;
    const { stdout } = await promisify(execFile)("node", ["-e", script], { uid: 65_534, gid: 65_534, cwd: "/" });
    assert.match(stdout, /OTHER_USER/);
    assert.match(stdout, /Invalid auth token/);
    assert.ok(!stdout.includes('"success":true'), stdout);
  },
);

test("two hundred at once: one leader", async () => {
  await using mail = new MailHome();
  const clients = Array.from({ length: 200 }, () => mail.client());
  const answers = await Promise.all(clients.map((client) => client.request("mail.ping", {})));
  assert.deepEqual([...new Set(answers.map(({ epoch }) => epoch))], [1]);
  assert.equal(startLines(mail).length, 1);
});

test("idle: without anybody it ends, with its standby; the next one starts it again", async () => {
  await using mail = new MailHome({ env: { WARREN_MAIL_IDLE_MS: "500" } });
  const client = mail.client();
  await client.request("mail.send", { as: "ann", to: ["bob"], body: "kept" });
  client.close();
  await waitUntil(() => mail.leaders().length > 0 && mail.processes().length === 0, { what: "the end of both" });
  const { messages } = await mail.client().request("mail.fetch", { as: "bob" });
  assert.deepEqual(bodies(messages), ["kept"]);
});

test("one port: ours, HTTP, and a port that is taken", async () => {
  await using mail = new MailHome();
  const { leader } = await mail.status();
  const health = await fetch(`http://127.0.0.1:${leader.port}/health`);
  assert.deepEqual(await health.json(), { status: "ok", pid: leader.pid, epoch: 1 });
  assert.equal((await fetch(`http://127.0.0.1:${leader.port}/nothing`)).status, 404);
  await using other = new MailHome({ env: { WARREN_MAIL_PORT: `${leader.port}` } });
  const taken = await other.status();
  assert.match(taken.port_problem ?? "", /another program's/);
  assert.equal(taken.leader.port, undefined);
  await mail.client().request("shutdown", {});
  await waitUntil(async () => (await other.status()).leader.port === leader.port, { what: "the port" });
});

test("bad input: garbage, huge and nested lines, unknown messages, a client that reads nothing: answered, and others go on", async () => {
  await using mail = new MailHome();
  const client = mail.client();
  await client.request("mail.ping", {});
  const { mailSocket } = resolvePlaces(mail.house.env);
  using raw = await RawConnection.open(mailSocket);
  raw.write("garbage\n");
  assert.equal((await raw.next(({ code }) => code === "BAD_JSON")).success, false);
  assert.equal((await raw.ask("mail.sned", {})).code, "UNKNOWN_TYPE");
  assert.equal((await raw.ask("add", { command: ["ls"], workdir: "/", env: [] })).code, "UNKNOWN_TYPE");
  assert.equal((await raw.ask("mail.send", { to: "bob" })).code, "INVALID_PAYLOAD");
  assert.equal((await raw.ask("mail.fetch", {})).code, "NAME_NEEDED");
  assert.equal((await raw.ask("subscribe", { streams: ["jobs"] })).code, "UNKNOWN_STREAM");
  using nested = await RawConnection.open(mailSocket);
  nested.write(`{"type":"mail.ping","payload":${"[".repeat(100_000)}${"]".repeat(100_000)}}\n`);
  assert.equal((await nested.next(() => true)).success, false);
  using huge = await RawConnection.open(mailSocket);
  huge.write(`{"type":"mail.send","payload":{"body":"${"x".repeat(2 * 1024 * 1024)}"}}\n`);
  assert.equal((await huge.next(() => true)).code, "LINE_TOO_LONG");
  await client.request("mail.ping", {});
});

test("a thousand silent connections: the oldest go for those that speak", async () => {
  await using mail = new MailHome();
  const client = mail.client();
  const { leader } = await mail.status(client);
  const sockets: net.Socket[] = [];
  for (let count = 0; count < 1_100; count++) {
    const socket = net.connect(leader.port!, "127.0.0.1");
    sockets.push(socket.on("error", () => {}));
    if (count % 100 === 99) await new Promise((done) => socket.once("connect", done));
  }
  await mail.client().request("mail.send", { as: "ann", to: ["bob"], body: "heard" });
  await waitUntil(async () => Number((await mail.status(client)).connections) <= 1_003, { what: "room" });
  for (const socket of sockets) socket.destroy();
});
