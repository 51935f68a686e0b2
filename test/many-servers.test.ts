import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../src/client/client.ts";
import { ensureServer } from "../src/local/ensure-server.ts";
import { readKeeperEntry } from "../src/local/keeper-client.ts";
import { dialUnix } from "../src/local/unix-wire.ts";
import { isAlive } from "../src/platform/process.ts";
import type { Session } from "../src/protocol/units.ts";
import { readEntries } from "../src/registry/entries.ts";
import { thisInstallation, variant } from "./harness/build-copy.ts";
import { suspended } from "./harness/faults.ts";
import { temporaryHome } from "./harness/home.ts";
import { ended, killProcess } from "./harness/processes.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** Many builds at once: each has a server, a name and a socket of its own, and none takes another's. */
const isProof = process.env.WARREN_PROOF === "1";
const SERVERS = 32;
const ROUNDS = isProof ? 20 : 3;
const TIMEOUT_MS = isProof ? 20 * 60_000 : 180_000;

test(
  `servers: ${SERVERS} builds started at the same instant have ${SERVERS} names, sockets and entries`,
  { timeout: TIMEOUT_MS },
  async () => {
    const builds = Array.from({ length: SERVERS }, (_, at) => variant({ hash: `many${at}`, newerByMs: at }));
    for (let round = 0; round < ROUNDS; round++) {
      await using house = temporaryHome();
      const made = await Promise.all(
        builds.map((from) => house.warren(["new", "-d", "--json", "--", "sleep", "1000"], { from })),
      );
      const sessions = made.map(({ status, stdout, stderr }) => {
        assert.equal(status, 0, stderr);
        return JSON.parse(stdout) as Session;
      });
      assert.equal(new Set(sessions.map(({ server }) => server)).size, SERVERS, "a server for each build");
      assert.equal(new Set(sessions.map(({ name }) => name)).size, SERVERS, "a name for each session");
      const entries = readEntries(house.places.serversDir);
      assert.deepEqual(entries.map(({ name }) => name).sort(), sessions.map(({ server }) => server).sort());
      assert.equal(new Set(entries.map(({ socket }) => socket)).size, SERVERS);
      const hasOne = (): boolean => readEntries(house.places.serversDir).filter(({ primary }) => primary).length === 1;
      await waitUntil(hasOne, { what: "one to have the jobs" }); // the last but one may be handing them over
      for (const entry of entries)
        assert.ok(isAlive({ bootId: entry.boot_id, pid: entry.pid, startTicks: entry.start_ticks }), entry.name);
      // Each answers for its own.
      const { stdout } = await house.warren(["sessions", "--json"]);
      const listed = JSON.parse(stdout) as Session[];
      const byId = (all: Session[]) => all.map(({ id, name, server, pid }) => `${id} ${name} ${server} ${pid}`).sort();
      assert.deepEqual(byId(listed), byId(sessions));
    }
  },
);

test(
  "servers: a session is never on the server that got the name of the one that was meant",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const { build } = thisInstallation();
    const ensure = () => ensureServer({ places: house.places, build, env: house.env });
    const found = await ensure();
    await house.run("shutdown"); // as it goes by itself, before its client comes
    const other = variant({ hash: "other02", newerByMs: 1_000 });
    const named = ["new", "-d", "--json", "--server-name", found.name, "--", "sleep", "1000"];
    const theirs = JSON.parse((await house.warren(named, { from: other })).stdout) as Session;
    assert.equal(theirs.server, found.name);
    const dialled: string[] = [];
    const client = new Client({
      dial: async (events) => {
        const { name, socketPath, hash } = dialled.length === 0 ? found : await ensure();
        dialled.push(name);
        return dialUnix(socketPath, events, hash);
      },
      name: "test",
      version: build.version,
      randomId: () => crypto.randomUUID(),
    });
    try {
      const request = { command: ["sleep", "1000"], workdir: house.dir, env: ["PATH=/usr/bin:/bin"] };
      const { session } = await client.request("session.new", request);
      assert.equal(dialled.length, 2);
      assert.deepEqual([dialled[0], session.server], [found.name, dialled[1]]);
      assert.notEqual(session.server, found.name);
      const sessions = readEntries(house.places.serversDir).map(({ name, sessions }) => [name, sessions?.length]);
      assert.deepEqual(
        new Map(sessions as [string, number][]),
        new Map([
          [found.name, 1],
          [session.server, 1],
        ]),
      );
    } finally {
      client.close();
    }
  },
);

test("servers: a name that was asked for and is taken is refused", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  assert.equal((await house.warren(["new", "-d", "--server-name", "mine", "--", "sleep", "1000"])).status, 0);
  const other = variant({ hash: "other01", newerByMs: 1_000 });
  const taken = await house.warren(["new", "-d", "--server-name", "mine", "--", "sleep", "1000"], { from: other });
  assert.equal(taken.status, 125);
  assert.match(taken.stderr, /The name mine is taken by another server/);
});

test(
  "servers: one that notices late that its keeper was killed leaves the next keeper's announcement",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    assert.equal((await house.warren(["ping"])).status, 0);
    const [server, keeper] = [await house.server(), await house.keeper()];
    {
      using _suspended = suspended(server.pid);
      killProcess(keeper);
      await ended(keeper);
      const older = variant({ hash: "older01", newerByMs: -1_000 });
      assert.equal((await house.warren(["new", "-d", "--", "sleep", "1000"], { from: older })).status, 0);
    }
    await ended(server);
    assert.equal(readKeeperEntry(house.places.keeperFile)?.pid, (await house.keeper()).pid);
  },
);

test("servers: entries of dead servers go with the next command, and no others", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  await house.warren(["new", "-d", "--", "sleep", "1000"]);
  const [server, keeper] = [await house.server(), await house.keeper()];
  process.kill(server.pid, "SIGSTOP");
  killProcess(keeper);
  killProcess(server);
  await Promise.all([ended(keeper), ended(server)]);
  assert.equal(readEntries(house.places.serversDir).length, 1, "nobody could take it away");
  assert.equal((await house.warren(["ping"])).status, 0);
  const entries = readEntries(house.places.serversDir);
  assert.equal(entries.length, 1);
  const [entry] = entries;
  assert.ok(entry && isAlive({ bootId: entry.boot_id, pid: entry.pid, startTicks: entry.start_ticks }));
  assert.deepEqual(entry.sessions, []);
});

test(
  "servers: a new session has a name that is free, however many another server has",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const request = { command: ["sleep", "1000"], workdir: house.dir, env: ["PATH=/usr/bin:/bin"] };
    const client = house.client();
    // More than there are tries: the first server takes the first names of the list.
    for (let count = 0; count < 70; count++) await client.request("session.new", request);
    const from = variant({ hash: "crowded", newerByMs: 1_000 });
    const made = await Promise.all(
      Array.from({ length: 4 }, () => house.warren(["new", "-d", "--", "sleep", "1000"], { from })),
    );
    assert.deepEqual(
      made.map(({ status, stderr }) => [status, stderr]),
      Array.from({ length: 4 }, () => [0, ""]),
    );
    const { stdout } = await house.warren(["sessions", "--quiet"]);
    assert.equal(new Set(stdout.trim().split("\n")).size, 74);
  },
);
