import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MailHome } from "./harness/mail.ts";
import { judge } from "./harness/mail-history.ts";
import { Correspondent, Machine } from "./harness/mail-machines.ts";
import { CuttableLink, lacksNats, NatsServer } from "./harness/nats.ts";
import { type Random, withSeed } from "./harness/random.ts";
import { makeCertificate } from "./harness/self-signed.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** Machines that exchange mail through a real nats-server; each is a home with a leader of its own. */
const isProof = process.env.WARREN_PROOF === "1";
const skip = lacksNats;
const BLOWS = isProof ? 200 : 6;
const WRITTEN = isProof ? 20_000 : 400;
const OFFLINE = isProof ? 9_000 : 700;
const MEBIBYTE = 1024 * 1024;

test(
  "mail-machines: a message and its reply cross between machines, with receipts, and one of a mebibyte too",
  { skip },
  async () => {
    await using nats = await NatsServer.start();
    await using desk = await Machine.join("desk", nats.url);
    await using laptop = await Machine.join("laptop", nats.url);
    await desk.sees("laptop");
    const asked = await desk.client.request("mail.send", { as: "fox", to: ["owl@laptop"], body: "done?", kind: "ask" });
    const got = await laptop.client.request("mail.fetch", { as: "owl", wait_ms: 10_000 });
    assert.deepEqual(
      got.messages.map(({ from, to, body, kind }) => ({ from, to, body, kind })),
      [{ from: "fox@desk", to: "owl", body: "done?", kind: "ask" }],
    );
    await laptop.client.request("mail.reply", { as: "owl", id: got.messages[0]!.id, body: "yes" });
    const { result, receipts } = await desk.client.request("mail.wait", {
      as: "fox",
      id: asked.message.id,
      timeout_ms: 10_000,
    });
    assert.equal(result, "met");
    assert.deepEqual(
      [receipts[0]?.state, receipts[0]?.reply?.body, receipts[0]?.reply?.from],
      ["replied", "yes", "owl@laptop"],
    );

    const body = "x".repeat(MEBIBYTE - 10); // with what is around it more than the server takes: in parts
    const large = await desk.client.request("mail.send", { as: "fox", to: ["owl@laptop"], body });
    const whole = await laptop.client.request("mail.fetch", { as: "owl", wait_ms: 10_000 });
    assert.equal(whole.messages[0]?.id, large.message.id);
    assert.ok(whole.messages[0]?.body === body, "as it was sent");
    await desk.hasSentAll();
  },
);

test("mail-machines: join, list, machines, ask and leave, as a person types them", { skip }, async () => {
  await using nats = await NatsServer.start(["--user", "ann", "--pass", "hunter2"]);
  await using laptop = await Machine.join("laptop", nats.url.replace("//", "//ann:hunter2@"));
  await using desk = new MailHome();
  const { house } = desk;
  const refused = await house.warren(["mail", "join", nats.url, "--machine", "desk"]);
  assert.equal(refused.status, 125, refused.stderr);
  assert.match(refused.stderr, /refuses the user, password or credentials/);
  const secret = nats.url.replace("//", "//ann:hunter2@");
  const taken = await house.warren(["mail", "join", secret, "--machine", "laptop"]);
  assert.match(taken.stderr, /Another machine is called "laptop"[\s\S]*--machine laptop-2/);
  const nowhere = await house.warren(["mail", "join", "nats://127.0.0.1:1", "--machine", "desk"]);
  assert.match(nowhere.stderr, /nats:\/\/127\.0\.0\.1:1 cannot be used: no server answers there/);
  assert.match(
    (await house.warren(["mail", "send", "owl@laptop", "hi"])).stderr,
    /joined no other[\s\S]*warren mail join/,
  );

  const joined = await house.warren(["mail", "join", secret, "--machine", "desk"]);
  assert.equal(joined.status, 0, joined.stderr);
  assert.match(joined.stdout, /This machine is desk, connected to nats:\/\/127/);
  assert.equal(statSync(join(house.places.mailDir, "machines.json")).mode & 0o777, 0o600);
  await laptop.client.request("mail.register", { name: "owl", pid: process.pid });
  const asking = house.warren(["mail", "ask", "owl@laptop", "which port?", "--as", "fox", "--timeout", "20s"]);
  const { messages } = await laptop.client.request("mail.fetch", { as: "owl", wait_ms: 15_000 });
  await laptop.client.request("mail.reply", { as: "owl", id: messages[0]!.id, body: "8080" });
  assert.match((await asking).stdout, /owl@laptop -> fox[\s\S]*8080/);
  await waitUntil(async () => (await house.warren(["mail", "list"])).stdout.includes("owl@laptop: live"), {
    what: "owl@laptop in the list",
  });
  const typo = await house.warren(["mail", "send", "owl", "hi"]);
  assert.match(typo.stderr, /Did you mean owl@laptop\?/);
  assert.match(
    (await house.warren(["mail", "history", "owl@laptop", "--as", "fox"])).stdout,
    /fox -> owl@laptop[\s\S]*replied/,
  );
  const status = await house.warren(["mail", "status"]);
  assert.match(status.stdout, /machine\s+desk, connected .*1 of 1 others are there/);
  const shown = await Promise.all(["machines", "status"].map((word) => house.warren(["mail", word, "--json"])));
  for (const { stdout } of [joined, ...shown]) assert.doesNotMatch(stdout, /hunter2/);
  assert.doesNotMatch(house.logs(), /hunter2/);

  assert.equal((await house.warren(["mail", "leave"])).status, 0);
  assert.match((await house.warren(["mail", "machines"])).stdout, /joined no other/);
  await using other = await Machine.join("desk", secret); // the name is free
  await other.sees("laptop");
});

/** As docs/mailbox.md has it: each machine's user writes as that machine alone. */
const userOf = (machine: string): object => ({
  user: machine,
  password: `secret of ${machine}`,
  permissions: {
    publish: [
      `warren.mail.*.${machine}`,
      "$JS.>",
      `$KV.WARREN_MAIL_MACHINES.*.${machine}`,
      `$KV.WARREN_MAIL_HERE.*.${machine}`,
    ],
    subscribe: ["_INBOX.>"],
  },
});

test(
  "mail-machines: over TLS, with a user for each machine that may write as that machine alone",
  { skip },
  async () => {
    const authority = makeCertificate({ hosts: [], isAuthority: true });
    const own = makeCertificate({ hosts: ["127.0.0.1", "localhost"], by: authority });
    await using nats = await NatsServer.start((directory) => {
      const [cert, key, config] = ["cert.pem", "key.pem", "nats.json"].map((name) => join(directory, name)) as [
        string,
        string,
        string,
      ];
      writeFileSync(cert, own.cert);
      writeFileSync(key, own.key);
      writeFileSync(config, JSON.stringify({ authorization: { users: ["desk", "laptop"].map(userOf) } }));
      return ["-c", config, "--tls", "--tlscert", cert, "--tlskey", key];
    });
    const urlOf = (machine: string): string =>
      `tls://${machine}:${encodeURIComponent(`secret of ${machine}`)}@localhost:${nats.port}`;
    const ca = authority.cert;
    await using desk = await Machine.join("desk", urlOf("desk"), { ca });
    await using laptop = await Machine.join("laptop", urlOf("laptop"), { ca });
    await desk.sees("laptop");
    await desk.client.request("mail.send", { as: "fox", to: ["owl@laptop"], body: "hi" });
    const { messages } = await laptop.client.request("mail.fetch", { as: "owl", wait_ms: 10_000 });
    assert.equal(messages[0]?.from, "fox@desk");
    const unreachable = (message: RegExp) => ({ code: "NATS_UNREACHABLE", message });
    await assert.rejects(Machine.join("mole", urlOf("desk"), { ca }), unreachable(/the name "mole" cannot be written/));
    await assert.rejects(Machine.join("mole", urlOf("desk")), unreachable(/certificate/));
  },
);

test(
  `mail-machines: a machine that was cut off gets ${OFFLINE} messages in order; its own mail goes on meanwhile`,
  { skip, timeout: 120_000 },
  async () => {
    await using nats = await NatsServer.start();
    await using link = await CuttableLink.to(nats);
    await using desk = await Machine.join("desk", nats.url);
    await using laptop = await Machine.join("laptop", link.url);
    await desk.sees("laptop");
    link.cut();
    const sends = Array.from({ length: OFFLINE }, (_, at) =>
      desk.client.request("mail.send", { as: "fox", to: ["owl@laptop"], body: `${at}` }),
    );
    const back = laptop.client.request("mail.send", { as: "owl", to: ["fox@desk"], body: "from the train" });
    const local = await laptop.client.request("mail.send", { as: "owl", to: ["elk"], body: "local" });
    assert.equal(local.recipients[0]?.name, "elk");
    await Promise.all([back, ...sends]);
    const { machines: told } = await laptop.client.request("mail.machines", {});
    assert.equal(told.state, "connecting");
    assert.ok(told.problem, "it says why");
    link.mend();
    await desk.hasSentAll();
    const bodies = laptop.home.query<{ body: string }>(
      "select body from messages where sender = 'fox@desk' order by seq",
    );
    assert.deepEqual(
      bodies.map(({ body }) => Number(body)),
      Array.from({ length: OFFLINE }, (_, at) => at),
    );
    await laptop.hasSentAll();
  },
);

test(
  "mail-machines: what a server has lost with its disk is sent again, and nothing twice; one that comes back with it goes on",
  { skip, timeout: 120_000 },
  async () => {
    await using nats = await NatsServer.start();
    await using desk = await Machine.join("desk", nats.url);
    await using laptop = await Machine.join("laptop", nats.url);
    await desk.sees("laptop");
    await nats.kill();
    const send = (body: string) => desk.client.request("mail.send", { as: "fox", to: ["owl@laptop"], body });
    for (let at = 0; at < 20; at++) await send(`${at}`);
    await nats.restart();
    await desk.hasSentAll();
    for (let at = 20; at < 60; at++) {
      await send(`${at}`);
      if (at === 40) await nats.restart({ isEmpty: true });
    }
    await desk.hasSentAll();
    const bodies = laptop.home.query<{ body: string }>("select body from messages order by seq");
    assert.deepEqual(
      bodies.map(({ body }) => Number(body)),
      Array.from({ length: 60 }, (_, at) => at),
    );
  },
);

test(
  `mail-machines: under load, ${BLOWS} deaths of leaders on all sides and of the server lose, double and reorder nothing`,
  { skip, timeout: isProof ? 30 * 60_000 : 150_000 },
  () =>
    withSeed(async (random) => {
      await using nats = await NatsServer.start();
      await using ash = await Machine.join("ash", nats.url);
      await using elm = await Machine.join("elm", nats.url);
      await using oak = await Machine.join("oak", nats.url);
      const machines = [ash, elm, oak];
      await Promise.all(machines.map((one, at) => one.sees(machines[(at + 1) % 3]!.name)));
      const people = machines.map((machine) => new Correspondent(machine, "pen"));
      const reading = Promise.all(people.map((one) => one.read()));
      const writing = Promise.all(people.map((one, at) => one.write(people[(at + 1) % 3]!.address, WRITTEN)));
      for (let blow = 0; blow < BLOWS; blow++) await strike(random, nats, machines);
      await writing;
      await Promise.all(machines.map((one) => one.hasSentAll()));
      await waitUntil(() => machines.every((one) => openAt(one) === 0), {
        what: "everything to be read",
        deadlineMs: 60_000,
      });
      for (const one of people) one.stop();
      await reading;
      const seqOf = (sender: string, id: string): number | undefined =>
        machines
          .flatMap((one) =>
            one.home.query<{ seq: number }>("select seq from messages where sender = ? and id = ?", sender, id),
          )
          .at(0)?.seq;
      const { findings, counts } = judge(people.flatMap((one) => one.history(seqOf)));
      assert.deepEqual(findings, []);
      assert.equal(counts.sent, 3 * WRITTEN);
      assert.equal(counts.handled, 3 * WRITTEN);
    }),
);

const openAt = (one: Machine): number =>
  one.home.query<{ count: number }>(
    "select count(*) as count from deliveries where state in ('queued', 'offered') and instr(recipient, '@') = 0",
  )[0]?.count ?? -1;

async function strike(random: Random, nats: NatsServer, machines: readonly Machine[]): Promise<void> {
  const chance = random.between(1, 10);
  if (chance <= 5) await random.pick(machines).killLeader();
  else if (chance === 6) await random.pick(machines).client.request("mail.yield", {}, { timeoutMs: 30_000 });
  else if (chance <= 8) await nats.restart();
  else await nats.restart({ isEmpty: true });
  await new Promise((wake) => setTimeout(wake, random.between(0, 400)));
}
