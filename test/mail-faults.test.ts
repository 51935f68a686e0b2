import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { test } from "node:test";
import { mailLeaderCommand } from "../src/local/mail-start.ts";
import { ensureHome, ensureSocketDir } from "../src/platform/paths.ts";
import type { MailStatus } from "../src/protocol/mail-units.ts";
import { thisInstallation } from "./harness/build-copy.ts";
import { temporaryHome } from "./harness/home.ts";
import { MailHome } from "./harness/mail.ts";
import { RawConnection } from "./harness/raw-connection.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** What may come to a leader, and what may happen to it: each is answered truly, and nobody else notices. */
const TIMEOUT_MS = 90_000;

test(
  "half a line, and a line in a hundred pieces: the one is nothing, the other a request",
  { timeout: TIMEOUT_MS },
  async () => {
    await using mail = new MailHome();
    const { leader } = await mail.status();
    using half = await RawConnection.open(leader.socket);
    half.write('{"id":1,"type":"mail.send","payload":{"as":"ann","to":["bob"],"body":"ha');
    half.socket.end();
    await half.closed;
    using pieces = await RawConnection.open(leader.socket);
    const line = Buffer.from('{"id":2,"type":"mail.send","payload":{"as":"ann","to":["bob"],"body":"größe ✓"}}\n');
    for (const byte of line) {
      pieces.write(Uint8Array.of(byte));
      await new Promise((done) => setImmediate(done));
    }
    assert.equal((await pieces.next(({ id }) => id === 2)).success, true);
    const { messages } = await mail.client().request("mail.fetch", { as: "bob" });
    assert.deepEqual(
      messages.map(({ body }) => body),
      ["größe ✓"],
    );
  },
);

test("whoever follows and reads nothing is cut off, and everybody else goes on", { timeout: TIMEOUT_MS }, async () => {
  await using mail = new MailHome();
  const client = mail.client();
  const { leader } = await mail.status(client);
  await mail.standby(client);
  const deaf = net.connect(leader.socket);
  await once(deaf, "connect");
  deaf.on("error", () => {});
  const closed = once(deaf, "close");
  deaf.pause();
  deaf.write(`${JSON.stringify({ id: 1, type: "subscribe", payload: { streams: ["mail"] } })}\n`);
  const subject = "s".repeat(16_000);
  const connections = async (): Promise<number> => Number((await mail.status(client)).connections);
  const before = await connections();
  let sent = 0;
  // 4 MiB are held for it, and the kernel has some of its own.
  await waitUntil(
    async () => {
      const many = Array.from({ length: 50 }, () =>
        client.request("mail.send", {
          as: "ann",
          to: [`bob${sent % 20}`],
          body: "x",
          subject,
          message_id: `m${sent++}`,
        }),
      );
      await Promise.all(many);
      return (await connections()) < before;
    },
    { what: "its connection to be closed", everyMs: 1 },
  );
  deaf.resume();
  await closed;
  await client.request("mail.ping", {}, { timeoutMs: 5_000 });
});

test(
  "clients of other versions: the protocol's range is told, what is not known is refused by its name",
  { timeout: TIMEOUT_MS },
  async () => {
    await using mail = new MailHome();
    const { leader } = await mail.status();
    const hello = (min: number, max: number) => ({ protocol: { min, max }, client: "other", version: "9.9.9" });
    using newer = await RawConnection.open(leader.socket);
    const refused = await newer.ask("hello", hello(98, 99));
    assert.deepEqual([refused.success, refused.code], [false, "PROTOCOL_MISMATCH"]);
    assert.deepEqual(refused.detail, { leader: { min: 1, max: 1 }, client: { min: 98, max: 99 } });
    assert.equal((await newer.ask("mail.send", { as: "ann", to: ["bob"], body: "x" })).code, "PROTOCOL_MISMATCH");
    assert.equal((await newer.ask("ping")).success, true, "what every version has is answered");
    using both = await RawConnection.open(leader.socket);
    const welcome = await both.ask("hello", hello(1, 99));
    assert.equal(welcome.data?.protocol, 1);
    assert.equal((await both.ask("mail.teleport", {})).code, "UNKNOWN_TYPE");
    const sent = await both.ask("mail.send", { as: "ann", to: ["bob"], body: "x", colour: "red" });
    assert.equal(sent.success, true, "a field that is not known is passed over");
  },
);

test(
  "two mailboxes on one computer: each has its port and its mail; a port that is taken is told",
  { timeout: TIMEOUT_MS },
  async () => {
    await using first = temporaryHome({ env: { WARREN_MAIL_PORT: "0" } });
    await using second = temporaryHome();
    type House = typeof first;
    const statusOf = async (house: House): Promise<MailStatus | undefined> => {
      const { stdout } = await house.warren(["mail", "status", "--json"]);
      const status = JSON.parse(stdout) as MailStatus;
      return status.leader?.is_dedicated ? status : undefined;
    };
    const serve = async (house: House, port: string) => {
      const serving = house.start(["mail", "serve", "--port", port]);
      return { serving, status: await waitUntil(() => statusOf(house), { what: "a dedicated leader" }) };
    };
    const one = await serve(first, "0");
    const two = await serve(second, "0");
    const [portOne, portTwo] = [one.status.leader.port!, two.status.leader.port!];
    assert.ok(portOne > 0 && portTwo > 0 && portOne !== portTwo);
    for (const [house, body] of [
      [first, "to the first"],
      [second, "to the second"],
    ] as const)
      assert.equal((await house.warren(["mail", "send", "fox", body])).status, 0);
    const health = async (port: number) =>
      (await fetch(`http://127.0.0.1:${port}/status`)).json() as Promise<MailStatus>;
    assert.deepEqual(
      [(await health(portOne)).leader.pid, (await health(portTwo)).leader.pid],
      [one.status.leader.pid, two.status.leader.pid],
    );
    assert.match((await first.warren(["mail", "check", "--as", "fox"])).stdout, /to the first/);
    assert.match((await second.warren(["mail", "check", "--as", "fox"])).stdout, /to the second/);
    for (const { serving } of [one, two]) {
      serving.child.kill("SIGINT");
      assert.equal((await serving.ended).status, 0);
    }
    await using third = temporaryHome();
    const taken = await serve(third, String(portTwo));
    assert.equal(taken.status.leader.port, undefined);
    assert.match(taken.status.port_problem ?? "", new RegExp(`${portTwo}`));
    assert.equal((await third.warren(["mail", "send", "fox", "by the socket"])).status, 0);
    taken.serving.child.kill("SIGINT");
    await taken.serving.ended;
  },
);

test(
  "serve --never-lead looks on: it starts nobody, waits until somebody leads, and tells of it",
  { timeout: TIMEOUT_MS },
  async () => {
    await using mail = new MailHome({ env: { WARREN_MAIL_IDLE_MS: "300" } });
    const serving = mail.house.start(["mail", "serve", "--never-lead"]);
    await serving.shows(/Nobody leads/);
    assert.deepEqual(mail.processes(), []);
    const client = mail.client();
    const { leader } = await mail.status(client);
    await serving.shows(new RegExp(`Process ${leader.pid} leads`));
    await waitUntil(async () => (await mail.status(client)).members.some(({ kind }) => kind === "serve"), {
      what: "it joins",
    });
    serving.child.kill("SIGINT");
    assert.equal((await serving.ended).status, 0);
  },
);

test(
  "a participant whose process is killed is gone at the next look, and its mail waits for the next of its name",
  { timeout: TIMEOUT_MS },
  async () => {
    await using mail = new MailHome();
    const client = mail.client();
    const child = spawn("sleep", ["600"]);
    const shell = mail.client();
    await shell.request("mail.register", { name: "fox", pid: child.pid! }); // as `warren mail register` does for its caller
    shell.close();
    const presence = async () =>
      (await client.request("mail.list", {})).participants.find(({ name }) => name === "fox")?.presence;
    assert.equal(await presence(), "live");
    const over = once(child, "exit");
    child.kill("SIGKILL");
    await over;
    await waitUntil(async () => (await presence()) === "gone", { what: "fox to be gone" });
    const { recipients } = await client.request("mail.send", { as: "ann", to: ["fox"], body: "are you there?" });
    assert.deepEqual([recipients[0]?.known, recipients[0]?.presence], [true, "gone"]);
    assert.equal((await mail.client().request("mail.fetch", { as: "fox" })).messages.length, 1);
  },
);

test(
  "an I/O error at a leader's commit: what was in it is refused, the leader ends, and another has all that was acknowledged",
  { timeout: TIMEOUT_MS, skip: needsStrace() },
  async () => {
    await using mail = new MailHome();
    const { places, env } = mail.house;
    ensureHome(places);
    ensureSocketDir(places, env);
    const faults = [
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      "trace=fdatasync,fsync",
      "-e",
      "inject=fdatasync,fsync:error=EIO:when=30+",
    ];
    const command = mailLeaderCommand({ places, build: thisInstallation().build, env });
    const traced = spawn("strace", [...faults, ...command], { env, stdio: ["ignore", "ignore", "ignore", "pipe"] }); // says its first word on fd 3
    const ended = once(traced, "exit");
    const client = mail.client({ mode: "find" });
    await waitUntil(() => client.request("mail.ping", {}).catch(() => undefined), { what: "the leader under strace" });
    const acknowledged: string[] = [];
    let refusal: { code?: string } | undefined;
    while (!refusal) {
      assert.ok(acknowledged.length < 200, "the error has come by now");
      const message_id = `m${acknowledged.length}`;
      await client.request("mail.send", { as: "ann", to: ["bob"], body: "x", message_id }, { timeoutMs: 10_000 }).then(
        () => acknowledged.push(message_id),
        (error) => {
          refusal = error;
        },
      );
    }
    assert.equal(refusal.code, "MAIL_NOT_STORED");
    await waitUntil(() => readFileSync(places.mailLeaderLog, "utf8").includes('"leader_lost"'), {
      what: "it to step down",
    });
    assert.ok(acknowledged.length > 5);
    for (const { pid } of mail.processes()) if (pid !== traced.pid) kill(pid); // a standby under strace has the same disk
    kill(traced.pid!);
    await ended;
    const after = mail.client();
    const again = await after.request("mail.send", {
      as: "ann",
      to: ["bob"],
      body: "x",
      message_id: `m${acknowledged.length}`,
    });
    const { messages } = await after.request("mail.fetch", { as: "bob", limit: 1_000 });
    assert.deepEqual(
      messages.map(({ id }) => id),
      [...acknowledged, again.message.id],
      "each once, in order",
    );
    assert.ok(mail.leaders()[0]!.epoch > 1);
  },
);

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // ended by itself
  }
}

function needsStrace(): string | false {
  const { status, stderr } = spawnSync("strace", ["-f", "-o", "/dev/null", "true"], { encoding: "utf8" });
  return status === 0 ? false : `needs strace that may trace: ${stderr ?? "not there"}`;
}
