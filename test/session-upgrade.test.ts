import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Session } from "../src/protocol/units.ts";
import { crashesAtStart, throwsWhenLoaded, variant } from "./harness/build-copy.ts";
import { COUNTER_STATUS, checkCount, journalText, startCounters } from "./harness/counting-terminals.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { KillPoints } from "./harness/kill-points.ts";
import { withSeed } from "./harness/random.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { WatchingTerminal } from "./harness/watching-terminal.ts";

/** Promises 1 and 2 for sessions: an upgrade, or the death of a server, interrupts nothing. */
const isProof = process.env.WARREN_PROOF === "1";
const TERMINALS = isProof ? 100 : 40;
const WATCHED = isProof ? 10 : 6;
const RELOADS = isProof ? 10 : 3;
const KILLS = isProof ? 300 : 60;
const TIMEOUT_MS = isProof ? 30 * 60_000 : 180_000;

/** Tells all to end, and checks pids, counts and outcomes. */
async function endAndCheck(
  house: TemporaryHome,
  sessions: readonly Session[],
  watching: readonly WatchingTerminal[],
): Promise<void> {
  const client = house.client();
  const { sessions: now } = await client.request("session.list", {});
  assert.deepEqual(
    now.map(({ id, pid }) => `${id} ${pid}`).sort(),
    sessions.map(({ id, pid }) => `${id} ${pid}`).sort(),
    "the same programs",
  );
  for (const { id, pid } of sessions) {
    await client.request("session.get", { session: id });
    process.kill(pid, "SIGUSR1");
  }
  for (const { id } of sessions) {
    const { session } = await client.request("session.wait", {
      session: id,
      conditions: [{ kind: "exit" }],
      timeout_ms: 20_000,
    });
    assert.deepEqual(session.outcome, { kind: "exited", status: COUNTER_STATUS }, session.name);
  }
  for (const session of sessions) checkCount(await journalText(house, session), session.name);
  for (const terminal of watching) {
    await waitUntil(() => terminal.outcome !== undefined || terminal.failure !== undefined, {
      what: `the end at a client: ${JSON.stringify({ at: terminal.attachCount, lost: terminal.lost, out: terminal.output.slice(-120), control: terminal.control, logs: house.logs().slice(-3000) })}`,
    });
    assert.equal(terminal.failure, undefined);
    assert.deepEqual(terminal.outcome, { kind: "exited", status: COUNTER_STATUS });
    assert.equal(terminal.skippedBytes, 0, "nothing was skipped");
    checkCount(terminal.output, "a client");
  }
}

test(
  "upgrade: terminals that count, clients that watch: no byte lost or doubled, the same pids, true ends",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const sessions = await startCounters(house, TERMINALS);
    const watching = await Promise.all(
      sessions.slice(0, WATCHED).map(({ id }) => WatchingTerminal.attach(house.places, id)),
    );
    for (let count = 0; count < RELOADS; count++) {
      const { status, stderr } = await house.warren(["reload"]);
      assert.equal(status, 0, stderr);
      await waitUntil(() => watching.every(({ attachCount }) => attachCount >= count + 2), {
        what: "all clients to be back",
      });
    }
    await endAndCheck(house, sessions, watching);
  },
);

test(
  "upgrade: a build that does not start is refused, and sessions and clients do not notice",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const sessions = await startCounters(house, 3);
    const watching = [await WatchingTerminal.attach(house.places, sessions[0]!.id)];
    const broken = variant({ hash: "broken1", newerByMs: 1_000, files: throwsWhenLoaded("not today") });
    const refused = await house.warren(["reload"], { from: broken, quotesLog: true });
    assert.equal(refused.status, 125);
    assert.match(refused.stderr, /runs on as before/);
    assert.equal(watching[0]!.attachCount, 1, "the client was not even cut off");
    await endAndCheck(house, sessions, watching);
  },
);

test(
  "upgrade: a build that fails when it takes over is followed by the one before",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const sessions = await startCounters(house, 3);
    const watching = [await WatchingTerminal.attach(house.places, sessions[0]!.id)];
    const broken = variant({ hash: "broken2", newerByMs: 1_000, files: crashesAtStart("cannot take over") });
    await house.warren(["reload"], { from: broken, quotesLog: true });
    await endAndCheck(house, sessions, watching);
  },
);

test("kill: the server at seeded instants, reloads among them", { timeout: TIMEOUT_MS }, async () => {
  await withSeed(async (random) => {
    await using house = temporaryHome();
    const sessions = await startCounters(house, 8);
    const watching = await Promise.all(sessions.slice(0, 3).map(({ id }) => WatchingTerminal.attach(house.places, id)));
    const kills = new KillPoints(house);
    for (let count = 0; count < KILLS; count++) {
      const reloading = random.oneIn(5) ? house.warren(["reload"]).catch(() => undefined) : undefined;
      await new Promise((wake) => setTimeout(wake, random.between(0, 60)));
      await kills.kill();
      await reloading;
      await kills.serving();
    }
    assert.equal(kills.killed.length, KILLS);
    await endAndCheck(house, sessions, watching);
  });
});

test("kill: what is typed while servers die is taken once and in order", { timeout: TIMEOUT_MS }, async () => {
  await withSeed(async (random) => {
    await using house = temporaryHome();
    const file = join(house.dir, "typed");
    const { session } = await house.client().request("session.new", {
      command: ["sh", "-c", `stty raw -echo; echo ready; exec cat > ${file}`],
      workdir: house.dir,
      env: [`PATH=${house.env.PATH}`],
    });
    const terminal = await WatchingTerminal.attach(house.places, session.id);
    await terminal.shows(/ready/);
    const kills = new KillPoints(house);
    let typed = "";
    for (let count = 0; count < (isProof ? 60 : 12); count++) {
      for (let keys = 0; keys < 30; keys++) {
        const text = `${typed.length}:${"abc".repeat(random.between(0, 40))},`;
        typed += text;
        terminal.type(text);
      }
      await kills.kill();
      // One that is killed before it serves has a successor after a longer and longer pause.
      if (count % 4 === 3) await kills.serving();
    }
    await waitUntil(
      () => {
        if (terminal.failure) throw terminal.failure;
        return readFileSync(file, "utf8").length >= typed.length;
      },
      { what: "all that was typed" },
    );
    assert.equal(readFileSync(file, "utf8"), typed);
    terminal[Symbol.dispose]();
  });
});

test(
  "kill: sessions that are being started while servers die are there once, or not at all",
  { timeout: TIMEOUT_MS },
  async () => {
    await withSeed(async (random) => {
      await using house = temporaryHome();
      await house.warren(["ping"]);
      const kills = new KillPoints(house);
      const made: Session[] = [];
      for (let count = 0; count < (isProof ? 100 : 15); count++) {
        const starting = house.warren(["new", "-d", "--json", "--", "sleep", "100000"]);
        await new Promise((wake) => setTimeout(wake, random.between(0, 90)));
        await kills.kill();
        const { status, stdout, stderr } = await starting;
        assert.equal(status, 0, stderr);
        made.push(JSON.parse(stdout) as Session);
      }
      await kills.serving();
      const { sessions } = await house.client().request("session.list", {});
      const byPid = (all: readonly Session[]) => all.map(({ id, name, pid }) => `${id} ${name} ${pid}`).sort();
      assert.deepEqual(byPid(sessions), byPid(made), "each that was answered is there, and no other");
      const { sessions: saved } = await house.client().request("session.list", { saved: true });
      assert.deepEqual(saved, [], "none is half there");
      const programs = house.processes("other").filter(({ argv }) => argv.includes("100000"));
      assert.equal(programs.length, made.length, "no program without a session");
    });
  },
);

test(
  "shutdown: live sessions are said; with --force they end saved, and come back with their names",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const sessions = await startCounters(house, 3);
    const refused = await house.warren(["shutdown"]);
    assert.equal(refused.status, 125);
    assert.match(refused.stderr, /would end with the server/);
    const watching = await WatchingTerminal.attach(house.places, sessions[0]!.id);
    assert.equal((await house.warren(["shutdown", "--force"])).status, 0);
    await waitUntil(() => watching.outcome !== undefined, { what: "the end at the client" });
    assert.deepEqual(watching.outcome, { kind: "signalled", signal: "SIGHUP", status: 129, by: "stop" });
    assert.equal(house.processes("server").length, 0);
    const { stdout } = await house.warren(["sessions", "--all", "--json"]);
    const saved = JSON.parse(stdout) as Session[];
    assert.deepEqual(
      saved.map(({ name, state }) => `${name} ${state}`).sort(),
      sessions.map(({ name }) => `${name} saved`).sort(),
    );
    const resumed = await house.warren(["resume", "--all", "--json"]);
    assert.equal(resumed.status, 0, resumed.stderr);
    const { sessions: now } = await house.client().request("session.list", {});
    assert.deepEqual(
      now.map(({ id, name }) => `${id} ${name}`).sort(),
      sessions.map(({ id, name }) => `${id} ${name}`).sort(),
    );
  },
);
