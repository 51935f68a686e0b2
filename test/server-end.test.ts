import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { KEEPER_GREETING_MS } from "../src/local/ensure-server.ts";
import { readKeeperEntry } from "../src/local/keeper-client.ts";
import type { KillPoint } from "../src/protocol/debug.ts";
import type { Session } from "../src/protocol/units.ts";
import { type VariantOptions, variant } from "./harness/build-copy.ts";
import { DebugView, FAULTS } from "./harness/debug.ts";
import { suspended } from "./harness/faults.ts";
import { temporaryHome } from "./harness/home.ts";
import { ended, killProcess } from "./harness/processes.ts";
import { RawConnection } from "./harness/raw-connection.ts";
import { waitUntil } from "./harness/wait-until.ts";

/**
 * A server's end: sessions saved, entry removed, sockets deleted, in that order. It is killed once before each step: whoever comes next finishes what it
 * began, and a session is never in two places, nor in none.
 */
const TIMEOUT_MS = 60_000;

type Kill = { fault: KillPoint } | { edit: RegExp };

/** A step inside a session has no kill point of its own: there the build's text is edited. */
const STEPS: readonly [before: string, kill: Kill][] = [
  [
    "the sessions' programs are told to end",
    { edit: /(?<=return )(?=await Promise\.all\(all\.map\(session=>this\.#live\.end\()/ },
  ],
  ["the end of a session is written down", { edit: /(?=record\d*\.ended=\{outcome,at_ms:)/ }],
  ["the keeper forgets a session", { edit: /(?=await keeper\.call\(\{call:"close",)/ }],
  ["the entry is removed", { fault: "ending.leaving" }],
  ["its sessions are let go", { fault: "ending.withdrawn" }],
  ["the clients are told", { fault: "ending.closed" }],
  ["the process exits, and the keeper deletes the sockets", { fault: "ending.told" }],
];

for (const [at, [before, kill]] of STEPS.entries())
  test(`end of a server: killed before ${before}`, { timeout: TIMEOUT_MS }, async () => {
    await using house = temporaryHome({ env: FAULTS });
    const from = variant({
      hash: `ends00${at}`,
      newerByMs: 1_000 + at,
      edits: editsOf(kill, join(house.base, "killed")),
    });
    const warren = (...args: string[]) => house.warren(args, { from });
    for (const name of ["fox", "owl"]) {
      const script = `echo ${name} was here; exec sleep 1000`;
      const { status, stderr } = await warren("new", "-d", "--name", name, "--", "sh", "-c", script);
      assert.equal(status, 0, stderr);
    }
    const sessionsOf = async (): Promise<Session[]> => JSON.parse((await warren("sessions", "--all", "--json")).stdout);
    const ids = (await sessionsOf()).map(({ id }) => id).toSorted();
    await warren("wait", "owl", "--for", "output=was here", "--timeout", "10s");

    using debug = await DebugView.open(house);
    const point = "fault" in kill ? await debug.commitOnce({ name: "crash-at", point: kill.fault }) : undefined;
    const ended = await warren("shutdown", "--force");
    await point?.struck;
    const isKilled = point !== undefined || existsSync(join(house.base, "killed"));
    assert.ok(isKilled, `it was killed there: ${ended.stdout}${ended.stderr}`);
    await waitUntil(() => house.processes("server").length === 0, { what: "the end of its process" });
    const servers = async (): Promise<unknown> => JSON.parse((await warren("servers", "--json")).stdout);
    assert.deepEqual(await servers(), {}, "nobody is said to be there");
    // The directory goes with the last of them.
    const sockets = (): string[] =>
      existsSync(house.places.socketDir)
        ? readdirSync(house.places.socketDir).filter((name) => name !== "keeper.sock")
        : [];
    // Of a killed process the sockets are closed last: a look that came before leaves them to the next one.
    await waitUntil(async () => sockets().length === 0 || !(await servers()), { what: "the end of its sockets" });

    const saved = await sessionsOf();
    assert.deepEqual(saved.map(({ id }) => id).toSorted(), ids, "each session is there once");
    assert.deepEqual(
      saved.map(({ status }) => status),
      ["stopped", "stopped"],
    );
    for (const name of ["fox", "owl"]) {
      const resumed = await warren("resume", name, "--detached");
      assert.equal(resumed.status, 0, resumed.stderr);
    }
    assert.equal(readdirSync(house.places.serversDir).length, 1, "an entry that was left is gone");
    assert.match((await warren("history", "owl")).stdout, /owl was here/);
    const live = await sessionsOf();
    assert.deepEqual(live.map(({ name, status, resume_count }) => [name, status, resume_count]).toSorted(), [
      ["fox", "running", 1],
      ["owl", "running", 1],
    ]);
  });

/** The kill as an expression, so that it may stand where only one can; once, as the next generation comes by there too. */
function editsOf(kill: Kill, once: string): NonNullable<VariantOptions["edits"]> {
  if ("fault" in kill) return [];
  const replace = `(()=>{try{process.getBuiltinModule("node:fs").writeFileSync(${JSON.stringify(once)},"",{flag:"wx"})}catch{return}process.kill(process.pid,"SIGKILL")})(),`;
  return [{ find: kill.edit, replace }];
}

test(
  "serve --foreground: its server ends while the keeper is stopped: not said to have ended, and Ctrl-C does not wait for the keeper",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const serving = house.start(["serve", "--foreground"]);
    await serving.shows(/runs \(pid \d+\)/);
    const [server, keeper] = [await house.server(), await house.keeper()];
    const { socket } = readKeeperEntry(house.places.keeperFile) ?? assert.fail("no keeper");
    // One that waits to be accepted would wait for the next generation, which a keeper that is stopped does not start.
    using raw = await RawConnection.open(house);
    const areTwo = async () => (await raw.ask("status")).data?.client_count === 2;
    await waitUntil(areTwo, { what: "the command's connection to be accepted" });
    using _suspended = suspended(keeper.pid);
    killProcess(server);
    await ended(server);
    await waitUntil(() => isDialled(socket), { what: "the keeper to be asked" });
    serving.child.kill("SIGINT");
    await waitUntil(() => serving.child.exitCode !== null, { what: "its end", deadlineMs: KEEPER_GREETING_MS / 2 });
    const { status, stdout, stderr } = await serving.ended;
    assert.deepEqual([status, /has ended/.test(stdout + stderr)], [0, false], stdout + stderr);
  },
);

/** Somebody has connected whom the listener at that path has not accepted yet. */
const isDialled = (path: string): boolean =>
  readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .some((line) => line.endsWith(` ${path}`) && line.split(/\s+/)[5] === "02");
