import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { isAlive } from "../src/platform/process.ts";
import { PROTOCOL } from "../src/protocol/envelope.ts";
import { needsRoot, smallDisk } from "./harness/faults.ts";
import { temporaryHome } from "./harness/home.ts";
import { after } from "./harness/kill-points.ts";
import { type Blow, MailSite, strike } from "./harness/mail-chaos.ts";
import { DirectConnection } from "./harness/mail-direct.ts";
import { judge } from "./harness/mail-history.ts";
import { type Random, withSeed } from "./harness/random.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** DESIGN §7, promise 4: what was acknowledged is delivered, once in effect and in order per sender, through any number of leader deaths. */
const isProof = process.env.WARREN_PROOF === "1";
const BLOWS = isProof ? 2_000 : 40;
const STOPS = isProof ? 100 : 8;
const PARTICIPANTS = 10;
const PROOF_TIMEOUT_MS = 60 * 60_000;
/** Between two blows, in milliseconds. */
const QUIET_MS_MAX = 250;
const MEBIBYTE = 1024 * 1024;
const DISK_BYTES = 64 * MEBIBYTE;
const MAIL_ENV = { WARREN_MAIL_PORT: "0" };

test(
  `mail-chaos: ${BLOWS} deaths, stops and handovers of leaders lose, double and reorder nothing that was acknowledged`,
  { timeout: isProof ? PROOF_TIMEOUT_MS : 170_000 },
  (t) =>
    withSeed(async (random) => {
      await using house = temporaryHome({ env: MAIL_ENV });
      await using site = new MailSite(house);
      await startParticipants(site, random);
      const longest = new Map<Blow, number>();
      for (let count = 0; count < BLOWS; count++) {
        const { blow, afterMs } = await strike(site, random);
        longest.set(blow, Math.max(longest.get(blow) ?? 0, afterMs));
        await after(random.between(0, QUIET_MS_MAX));
      }
      await site.drain();
      const { findings, counts } = judge(site.history());
      t.diagnostic(JSON.stringify({ ...counts, longestMs: Object.fromEntries(longest) }));
      assert.deepEqual(findings, [], house.logs());
      assert.ok(site.epoch() > BLOWS / 2, `epoch ${site.epoch()} after ${BLOWS} blows`);
      assert.ok(counts.handled > BLOWS * 10, `${counts.handled} messages were handled during ${BLOWS} blows`);
      assert.equal(counts.left, 0, "nothing is left, and nothing dead");
    }),
);

async function startParticipants(site: MailSite, random: Random): Promise<void> {
  const names = Array.from({ length: PARTICIPANTS }, (_, at) => `p${at}`);
  await Promise.all(
    names.map((name, at) =>
      site.start({
        name,
        // Each pair one way, so that the mailbox does not take them for two bots in a loop.
        writesTo: [1, 2, 3, 4].map((step) => names[(at + step) % PARTICIPANTS]!),
        broadcasts: at < 3,
        isMember: at % 2 === 0,
        seed: random.between(0, 2 ** 31),
        pauseMs: 30,
      }),
    ),
  );
}

test(
  `mail-chaos: ${STOPS} leaders are stopped, deposed and let go on: none acknowledges anything after its successor has begun`,
  { timeout: isProof ? PROOF_TIMEOUT_MS : 90_000 },
  () =>
    withSeed(async (random) => {
      await using house = temporaryHome({ env: MAIL_ENV });
      await using site = new MailSite(house);
      await site.served();
      for (let count = 0; count < STOPS; count++) {
        const { epoch } = await site.served();
        const leader = await waitUntil(() => site.leader(), { what: "a leader" });
        await waitUntil(() => site.standby(), { what: "a standby" });
        using direct = await DirectConnection.open(house.places.mailSocket);
        await direct.ask("hello", { protocol: PROTOCOL, client: "test", version: "0", client_id: `direct-${count}` });
        process.kill(leader.pid, "SIGSTOP");
        direct.send("mail.send", {
          as: "direct",
          to: ["inbox"],
          body: "while it was stopped",
          message_id: `early-${count}`,
        });
        const isLongStop = random.oneIn(2);
        if (!isLongStop) await after(random.between(200, 700));
        else await site.waitForEpochAfter(epoch);
        if (isLongStop)
          direct.send("mail.send", {
            as: "direct",
            to: ["inbox"],
            body: "to a deposed one",
            message_id: `late-${count}`,
          });
        if (isAlive(leader.identity)) process.kill(leader.pid, "SIGCONT");
        await direct.settled();
        await site.served();
        const acknowledged = direct.acknowledged();
        assert.ok(!acknowledged.includes(`late-${count}`), `epoch ${epoch} acknowledged after another had begun`);
        const stored = site.storedBy("direct");
        for (const id of acknowledged) assert.ok(stored.includes(id), `${id} was acknowledged and is in the log`);
        assert.ok(!stored.includes(`late-${count}`), "nothing of it was written");
      }
      assert.ok(site.epoch() > STOPS / 2, `epoch ${site.epoch()} after ${STOPS} stops`);
    }),
);

test(
  "mail-chaos: the disk is full: nothing is acknowledged that is not stored; with room again another leads on",
  { timeout: 90_000, skip: needsRoot() ?? false },
  async () => {
    using disk = smallDisk(DISK_BYTES);
    await using house = temporaryHome({ env: MAIL_ENV, home: join(disk.path, "home") });
    await using site = new MailSite(house);
    await site.served();
    const before = site.epoch();
    const leader = await waitUntil(() => site.leader(), { what: "a leader" });
    disk.fill(2 * MEBIBYTE);
    const acknowledged: string[] = [];
    const left: string[] = [];
    for (let at = 0; left.length === 0; at++) {
      assert.ok(at < 200, "the disk is full by now");
      const message_id = `m${at}`;
      const sent = site.client.request(
        "mail.send",
        { as: "writer", to: ["reader"], body: "x".repeat(100_000), message_id },
        { timeoutMs: 3_000 },
      );
      await sent.then(
        () => acknowledged.push(message_id),
        () => left.push(message_id),
      );
    }
    await waitUntil(() => !isAlive(leader.identity), { what: "the end of the leader that could not write" });
    disk.drain();
    const again = { as: "writer", to: ["reader"], body: "x".repeat(100_000), message_id: left[0]! };
    await waitUntil(() => site.client.request("mail.send", again, { timeoutMs: 5_000 }).catch(() => undefined), {
      what: "the same message to be taken",
    });
    assert.ok(site.epoch() > before, "another one leads");
    const received: string[] = [];
    while (received.length < acknowledged.length + 1) {
      const { messages } = await site.client.request("mail.fetch", { as: "reader", limit: 1_000 });
      assert.ok(messages.length > 0, `${received.length} of ${acknowledged.length + 1} came`);
      received.push(...messages.map(({ id }) => id));
      await site.client.request("mail.ack", { as: "reader", ids: messages.map(({ id }) => id) });
    }
    assert.deepEqual(received, [...acknowledged, ...left], "all, once, in order");
  },
);

test(
  "mail-chaos: the first agent exits; the others go on; a new one joins; the first comes back to its mail",
  { timeout: 90_000 },
  () =>
    withSeed(async (random) => {
      await using house = temporaryHome({ env: MAIL_ENV });
      await using site = new MailSite(house);
      const agent = (name: string, ...writesTo: string[]) =>
        site.start({
          name,
          writesTo,
          broadcasts: false,
          isMember: true,
          seed: random.between(0, 2 ** 31),
          pauseMs: 10,
        });
      const ash = await agent("ash", "birch", "cedar");
      const first = await waitUntil(() => site.leader(), { what: "a leader" });
      await agent("birch", "cedar", "elm");
      await agent("cedar", "elm", "ash");
      const count = (by: string): number => site.storedBy(by).length;
      await waitUntil(() => ["ash", "birch", "cedar"].every((name) => count(name) > 5), { what: "mail of all three" });
      ash.kill();
      await ash.ended;
      assert.equal(site.leader()?.pid, first.pid, "the leader belongs to nobody: it stays");
      process.kill(first.pid, "SIGKILL");
      const atDeath = ["birch", "cedar"].map((name) => [name, count(name)] as const);
      await waitUntil(() => atDeath.every(([name, sent]) => count(name) > sent + 5), { what: "the others to go on" });
      assert.notEqual(site.leader()?.pid, first.pid);
      await agent("elm", "ash");
      await waitUntil(() => count("elm") > 5, { what: "mail of the new one" });
      const waiting = site.open().filter((line) => line.kind === "left" && line.to === "ash");
      assert.ok(waiting.length > 0, "mail of the one that has gone waits");
      await agent("ash", "birch");
      await site.drain();
      const { findings, counts } = judge(site.history());
      assert.deepEqual(findings, []);
      assert.equal(counts.left, 0);
    }),
);
