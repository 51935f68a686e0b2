import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { killMachine } from "./harness/processes.ts";
import { withSeed } from "./harness/random.ts";
import { saying } from "./harness/site.ts";
import { unitsAreTold } from "./harness/told-units.ts";
import { TwoHomes } from "./harness/two-homes.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { type Ended, well } from "./harness/warren.ts";

/** `--later`: what is asked of a machine that is away is done once, in order, when it is back. The hub is in a home of its own, and stays. */
class Site implements AsyncDisposable {
  readonly homes = new TwoHomes({ WARREN_GATEWAY_PORT: "0" });
  readonly hubHouse: TemporaryHome = temporaryHome();

  static async make(): Promise<Site> {
    const site = new Site();
    await site.homes.pair(await site.homes.startHub(site.hubHouse));
    return site;
  }

  get there(): TemporaryHome {
    return this.homes.there;
  }

  async back(): Promise<void> {
    well(await this.there.warren(["list"]));
  }

  /** A file of the machine, as far as its units have written it. */
  text(name: string): string {
    const path = join(this.there.dir, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** What the machine's mailbox has, in its order. */
  async mail(): Promise<string[]> {
    const { messages } = JSON.parse(well(await this.there.warren(["mail", "history", "--json"]))) as {
      messages: { message: { seq: number; body: string } }[];
    };
    return messages.sort((a, b) => a.message.seq - b.message.seq).map(({ message }) => message.body);
  }

  /** Its port. */
  async endHub(): Promise<number> {
    const { port } = JSON.parse(well(await this.hubHouse.warren(["hub", "status", "--json"]))) as { port: number };
    const hub = this.homes.hubs.pop()!;
    hub.child.kill("SIGKILL");
    await hub.ended;
    return port;
  }

  async startHub(port: number): Promise<void> {
    await this.homes.startHub(this.hubHouse, port);
  }

  async items(): Promise<Item[]> {
    return JSON.parse(well(await this.homes.here.warren(["outbox", "--json"]))) as Item[];
  }

  /** Until everything that waits is over. */
  async sendAll(): Promise<void> {
    await waitUntil(
      async () => {
        await this.homes.here.warren(["outbox", "send"]);
        return (await this.items()).every(({ is_over }) => is_over);
      },
      { what: "everything is over", deadlineMs: 60_000 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.homes[Symbol.asyncDispose]();
    await this.hubHouse[Symbol.asyncDispose]();
  }
}

interface Item {
  id: string;
  machine: string;
  what: string;
  state: string;
  is_over: boolean;
  result?: unknown;
}

test("later: what is asked of a machine that is away is kept, and done in its order when it is back", async () => {
  await using site = await Site.make();
  const { homes, there } = site;
  well(await there.warren(["add", "--name", "web", "--", "sleep", "300"]));
  well(await there.warren(["new", "-d", "--name", "fox", "--", "sh", "-c", `exec cat > ${there.dir}/typed`]));
  await unitsAreTold(site.there, 2);
  await killMachine(site.there.home);

  const away = await homes.on("stop", "web");
  assert.equal(away.status, 125);
  assert.match(away.stderr, /cannot be reached/);
  assert.ok(away.stderr.includes(`warren --on ${homes.name} stop --later web`), away.stderr);
  const reply = await homes.on("mail", "send", "you", "two words");
  assert.ok(reply.stderr.includes(`warren --on ${homes.name} mail send --later you 'two words'`), reply.stderr);
  const looked = await homes.on("why", "web");
  assert.doesNotMatch(looked.stderr, /--later/, "what only looks cannot wait");

  const kept = await homes.on("add", "--later", "--name", "one", "--dir", there.dir, "--", "touch", "one");
  assert.match(well(kept), new RegExp(`^Kept: goes to ${homes.name} when it is back \\(until .*\\d\\d:\\d\\d\\)\\.`));
  well(await homes.on("stop", "web", "--later"));
  well(await homes.on("start", "fox", "--later=2h"));
  well(await homes.on("send", "fox", "--later", "typed later\\n"));
  well(await homes.here.warren(["restart", "--later", `nonesuch@${homes.name}`]).then(refused("UNIT_NOT_KNOWN")));
  well(await homes.on("prompt", "fox", "hello", "--later").then(refused("NOT_AN_AGENT")));
  well(await homes.here.warren(["stop", "web", "--later"]).then(refused("USAGE")));
  assert.deepEqual(
    (await site.items()).map(({ what, state }) => [what, state]),
    ["add one", "stop web", "start fox", "send fox"].map((what) => [what, "delivered"]),
  );
  assert.equal(statSync(join(homes.here.home, "remote", "device", "device.db")).mode & 0o777, 0o600);
  const list = well(await homes.here.warren(["outbox"]));
  assert.match(
    list,
    /ID +MACHINE +WHAT +STATE +AGE +UNTIL\n[0-9a-f]{8} +\S+ +add one +at a hub +\d+s +\S+ \d\d:\d\d\n/,
  );

  await site.back(); // with nobody at the device
  await waitUntil(() => site.text("typed").includes("typed later"), { what: "the last was done" });
  await waitUntil(() => existsSync(join(there.dir, "one")), { what: "the first one's file" }); // a job is added when it runs
  const jobs = JSON.parse(well(await there.warren(["list", "--json"]))) as { name?: string; status: string }[];
  assert.equal(jobs.find(({ name }) => name === "web")?.status, "stopped");
  await site.sendAll();
  assert.deepEqual(
    (await site.items()).map(({ state }) => state),
    ["done", "done", "done", "done"],
  );
  const [first] = await site.items();
  assert.equal((first?.result as { job: { name: string } }).job.name, "one");
  well(await homes.here.warren(["outbox", "remove", "--all"]));
  assert.deepEqual(await site.items(), []);
});

/** As if it had gone well, so that it can be asserted like the others. */
const refused =
  (code: string) =>
  (ended: Ended): Ended => {
    assert.notEqual(ended.status, 0, code);
    assert.match(ended.stderr, CODES[code]!);
    return { ...ended, status: 0 };
  };

const CODES: Record<string, RegExp> = {
  UNIT_NOT_KNOWN: /has told this device of no unit called nonesuch/,
  NOT_AN_AGENT: /fox is a session: it takes keys, not prompts/,
  USAGE: /--later is for another machine/,
};

test("later: a worker of a machine that is away is stopped, and started again, when it is back", async () => {
  await using site = await Site.make();
  const { homes, there } = site;
  const workerState = async (): Promise<string | undefined> => {
    const { gateways } = await there.looker().request("gateway.status", { workdir: there.dir });
    return gateways[0]?.workers[0]?.state;
  };
  const folder = join(there.dir, "workers", "api", "src");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "main.ts"), saying("hello"));
  well(await there.warren(["up", "--detach"]));
  await waitUntil(async () => (await workerState()) === "healthy", { what: "it serves" });
  await unitsAreTold(there, 1);
  await killMachine(there.home);

  assert.match(well(await homes.on("stop", "api", "--later")), /^Kept: goes to/);
  await site.back();
  await waitUntil(async () => (await workerState()) === "stopped", { what: "its stop was carried out" });
  await killMachine(there.home);
  well(await homes.on("start", "worker:api", "--later"));
  well(await homes.on("restart", "api", "--later"));
  await site.back();
  await site.sendAll();
  await waitUntil(async () => (await workerState()) === "healthy", { what: "its start was carried out" });
  assert.deepEqual(
    (await site.items()).map(({ what, state }) => [what, state]),
    ["stop api", "start worker:api", "restart api"].map((what) => [what, "done"]),
  );
});

test("later: without a hub it is kept here and can be taken back; whatever is asked there next brings it first", async () => {
  await using site = await Site.make();
  const { homes } = site;
  assert.match(well(await homes.on("mail", "send", "you", "0", "--later")), /^Done on \S+: mail send you\n/);
  const port = await site.endHub();
  assert.match(
    well(await homes.on("mail", "send", "you", "lost", "--later")),
    /^Kept: it stays here, since no hub has taken it yet/,
  );
  assert.match(well(await homes.on("mail", "send", "you", "1", "--later")), /^Kept: it stays here/);
  const [, lost] = await site.items();
  assert.equal(lost?.state, "queued");
  assert.equal(well(await homes.here.warren(["outbox", "remove", lost!.id.slice(0, 8)])), "Removed 1 request\n");
  await site.startHub(port);
  await waitUntil(async () => (await homes.on("ping")).status === 0, { what: "the machine is back at its hub" });
  well(await homes.on("mail", "send", "you", "2"));
  assert.deepEqual(await site.mail(), ["0", "1", "2"]);
  assert.deepEqual(
    (await site.items()).map(({ state }) => state),
    ["done", "done"],
  );
});

test("later: commands that keep something at once take turns; a machine that lets this one in no more is said to, and what waits stays", async () => {
  await using site = await Site.make();
  const { homes, there } = site;
  await killMachine(site.there.home);
  const texts = Array.from({ length: 6 }, (_, at) => String(at));
  const kept = await Promise.all(texts.map((text) => homes.on("mail", "send", "you", text, "--later", "--json")));
  const ids = kept.map((ended) => (JSON.parse(well(ended)) as Item).id);
  const items = await site.items();
  assert.deepEqual(items.map(({ id }) => id).sort(), ids.sort());
  await site.back();
  await site.sendAll();
  assert.deepEqual((await site.mail()).sort(), texts);
  assert.ok((await site.items()).every(({ state }) => state === "done"));

  const [device] = JSON.parse(well(await there.warren(["devices", "--json"]))) as { name: string }[];
  well(await there.warren(["devices", "revoke", device!.name]));
  const cut = await homes.on("mail", "send", "you", "late", "--later");
  assert.notEqual(cut.status, 0);
  assert.match(cut.stdout, /^Kept: it stays here/);
  assert.match(cut.stderr, /does not let this device in/);
  assert.equal((await site.items()).at(-1)?.is_over, false);
  const large = await homes.on("mail", "send", "you", "x".repeat(62_000), "--later");
  assert.match(large.stderr, /\d+ bytes do not fit one request that waits/);
});

test("later: a command that is killed at any point loses nothing that was kept, and nothing is done twice or out of order", async () => {
  await withSeed(async (random) => {
    await using site = await Site.make();
    const { homes } = site;
    const kept: string[] = [];
    let number = 0;
    const kills = async (count: number): Promise<void> => {
      for (let round = 0; round < count; round += 1) {
        const text = String(number++);
        const running = homes.here.start(["--on", homes.name, "mail", "send", "you", text, "--later"]);
        const timer = setTimeout(() => running.child.kill("SIGKILL"), random.between(30, 220));
        const { stdout } = await running.ended;
        clearTimeout(timer);
        if (/^(Kept|Done)/.test(stdout)) kept.push(text);
      }
    };
    await kills(6);
    await killMachine(site.there.home);
    await kills(8);
    await site.back();
    await kills(6);
    well(await homes.on("mail", "send", "you", String(number++), "--later"));
    await site.sendAll();
    const mail = await site.mail();
    assert.equal(mail.at(-1), "20");
    assert.deepEqual(
      mail,
      [...new Set(mail)].sort((a, b) => Number(a) - Number(b)),
      "once, in order",
    );
    assert.deepEqual(
      kept.filter((text) => !mail.includes(text)),
      [],
      "nothing is lost",
    );
  });
});
