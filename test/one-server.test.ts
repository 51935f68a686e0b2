import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Finding } from "../src/protocol/messages.ts";
import { variant } from "./harness/build-copy.ts";
import { needsRoot, readOnlyDirectory, suspended } from "./harness/faults.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { ended, killProcess } from "./harness/processes.ts";
import { waitUntil } from "./harness/wait-until.ts";
import type { Ended } from "./harness/warren.ts";

/** However many ask at once, and whatever the last ones left behind, there is one server and one keeper. */
const isProof = process.env.WARREN_PROOF === "1";
const CLIENTS = 200;
const ROUNDS = isProof ? 15 : 1;
const TIMEOUT_MS = isProof ? 20 * 60_000 : 60_000;

for (let round = 1; round <= ROUNDS; round += 1) {
  test(`one server: ${CLIENTS} clients at once from cold (${round})`, { timeout: TIMEOUT_MS }, async () => {
    await using house = temporaryHome();
    await herd(house, CLIENTS);
    await assertOne(house);
  });

  test(
    `one server: again after SIGKILL of everything, its sockets and entries left behind (${round})`,
    { timeout: TIMEOUT_MS },
    async () => {
      await using house = temporaryHome();
      assert.equal((await house.warren(["add", "--name", "web", "--", "sleep", "1000"])).status, 0);
      await killAll(house);
      assert.ok(existsSync(house.places.keeperFile), "the keeper's announcement is stale");
      assert.equal(readdirSync(house.places.serversDir).length, 1, "the server's too");
      assert.ok(readdirSync(house.places.socketDir).length >= 2, "and the sockets");
      const answers = await herd(house, CLIENTS / 2, ["list", "--all", "--json"]);
      for (const { stdout } of answers) assert.equal(JSON.parse(stdout)[0].status, "running", "the job went on");
      await assertOne(house);
      // One that has just been started beside a dying one has none yet.
      const entries = (): number => readdirSync(house.places.serversDir).length;
      await waitUntil(() => entries() === 1, { what: "the stale entry to be gone, and the server's to be there" });
    },
  );
}

test("one server: clients come while server and keeper are killed", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  let isOver = false;
  let answered = 0;
  const killing = (async () => {
    for (let count = 0; !isOver; count += 1) {
      // Two of three go at any moment, the third once it has served somebody: a machine on which no start is over that soon comes to an end, too.
      const before = answered;
      const isDue = (): boolean => house.processes("server").length > 0 && (count % 3 > 0 || answered > before);
      await waitUntil(() => isOver || isDue(), { what: "a server to kill", deadlineMs: TIMEOUT_MS });
      for (const victim of house.processes(count % 3 === 2 ? undefined : "server")) {
        if (victim.role === "server" || victim.role === "keeper") killProcess(victim);
      }
      await new Promise((wake) => setTimeout(wake, 150));
    }
  })();
  for (let wave = 0; wave < (isProof ? 40 : 4); wave += 1) await herd(house, 30, ["ping"], () => (answered += 1));
  isOver = true;
  await killing;
  await herd(house, 1);
  await assertOne(house);
});

test("one server: two runtime directories are still one home", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const other = join(house.base, "other-run");
  mkdirSync(other, { mode: 0o700 });
  const both = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      house.warren(["ping"], { env: at % 2 === 0 ? {} : { XDG_RUNTIME_DIR: other } }),
    ),
  );
  for (const answer of both) assertAnswered(answer);
  await assertOne(house);
  assert.equal((await house.warren(["nuke"], { env: { XDG_RUNTIME_DIR: other } })).status, 0);
  assert.deepEqual(house.processes(), []);
});

test(
  "one server: another build's server, asked for from another runtime directory, stands beside the first",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const other = join(house.base, "other-run");
    mkdirSync(other, { mode: 0o700 });
    assertAnswered(await house.warren(["ping"]));
    const newer = variant({ hash: "beside1", newerByMs: 60_000 });
    assertAnswered(await house.warren(["ping"], { from: newer, env: { XDG_RUNTIME_DIR: other } }));
    assertAnswered(await house.warren(["ping"]));
    assert.deepEqual(readdirSync(other), [], "nothing is bound where the keeper does not live");
  },
);

test(
  "one server: without a runtime directory, sockets stand in /tmp for this user alone",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome({ env: { XDG_RUNTIME_DIR: "" } });
    await herd(house, 5);
    await assertOne(house);
    assert.match(house.places.socketDir, new RegExp(`^/tmp/warren-${process.getuid?.()}/[0-9a-f]{8}$`));
  },
);

for (const [what, code, prepare] of [
  ["does not exist", "RUNTIME_DIR_MISSING", () => {}],
  ["is a file", "RUNTIME_DIR_UNUSABLE", (path) => mkdirSync(join(path, ".."), { recursive: true })],
  [
    "can be read by others",
    "RUNTIME_DIR_UNUSABLE",
    (path) => {
      mkdirSync(join(path, "warren"), { recursive: true });
      chmodSync(join(path, "warren"), 0o755);
    },
  ],
] as [string, string, (path: string) => void][]) {
  test(
    `one server: a runtime directory that ${what} is a clear error and leaves nothing`,
    { timeout: TIMEOUT_MS },
    async () => {
      await using house = temporaryHome();
      const path = what === "is a file" ? "/dev/null" : join(house.base, "elsewhere");
      prepare(path);
      const answer = await house.warren(["ping", "--json"], { env: { XDG_RUNTIME_DIR: path } });
      assertRefused(answer, code);
      await assertNothingThere(house);
      assertAnswered(await house.warren(["ping"]));
    },
  );
}

test(
  "one server: a runtime directory that cannot be written is a clear error",
  { timeout: TIMEOUT_MS, skip: needsRoot() ?? false },
  async () => {
    await using house = temporaryHome();
    using readOnly = readOnlyDirectory(join(house.base, "read-only"));
    const answer = await house.warren(["ping", "--json"], { env: { XDG_RUNTIME_DIR: readOnly.path } });
    assertRefused(answer, "RUNTIME_DIR_UNUSABLE");
    await assertNothingThere(house);
  },
);

test("one server: a home that cannot be made is a clear error", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  assertRefused(await house.warren(["ping", "--json"], { env: { WARREN_HOME: "/dev/null/home" } }), "HOME_UNUSABLE");
});

test(
  "one server: nobody waits for a keeper that is stopped, and doctor says what to type",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    assertAnswered(await house.warren(["ping"]));
    const { pid } = await house.keeper();
    const [doctor, start, reload] = await (async () => {
      using _stopped = suspended(pid);
      return await Promise.all([
        house.warren(["doctor", "--json"]),
        house.warren(["new", "-d", "--json", "--", "true"]),
        house.warren(["reload"]),
      ]);
    })();
    const { findings } = JSON.parse(doctor.stdout) as { findings: Finding[] };
    const { level, fix } = findings.find(({ subject }) => subject === "keeper")!;
    assert.deepEqual([doctor.status, level, fix], [1, "error", `kill -CONT ${pid}`]);
    assertRefused(start, "KEEPER_SILENT");
    assert.match(reload.stderr, /The keeper has not answered for 10 s/);
    assert.match(await house.run("doctor"), new RegExp(`keeper +pid ${pid}`));
  },
);

/** All at once: the last is started before the first has ended. */
async function herd(
  house: TemporaryHome,
  count: number,
  args = ["ping"],
  onAnswer: () => void = () => {},
): Promise<Ended[]> {
  const started = Array.from({ length: count }, () => house.start(args));
  const answers = await Promise.all(started.map(({ ended }) => ended.finally(onAnswer)));
  for (const answer of answers) assertAnswered(answer);
  return answers;
}

function assertAnswered({ status, stderr, stdout }: Ended): void {
  assert.equal(status, 0, `${stdout}${stderr}`);
  assert.equal(stderr, "");
}

function assertRefused({ status, stdout, stderr }: Ended, code: string): void {
  assert.equal(status, 125, `${stdout}${stderr}`);
  const told = JSON.parse(stderr.trim() || stdout) as { code: string; error: string; fix?: string };
  assert.equal(told.code, code);
  assert.ok(told.error.length > 20 && told.fix, `${JSON.stringify(told)} says what to do`);
}

async function assertOne(house: TemporaryHome): Promise<void> {
  // A successor that was started beside a dying one is gone in a moment; two that stay are two.
  await waitUntil(() => house.processes("server").length === 1 && house.processes("keeper").length === 1, {
    what: "one server and one keeper",
    deadlineMs: 15_000,
  }).catch(() => assert.fail(JSON.stringify(house.processes().map(({ role, pid }) => [role, pid]))));
  const starts = readFileSync(house.places.keeperLog, "utf8").match(/"keeper_ready"/g)?.length ?? 0;
  assert.ok(starts >= 1);
}

/** The server is stopped first: it would see the end of its keeper, and clear up. */
async function killAll(house: TemporaryHome): Promise<void> {
  const victims = [await house.server(), await house.keeper()];
  using _stopped = suspended(victims[0]!.pid);
  for (const victim of victims.toReversed()) killProcess(victim);
  await Promise.all(victims.map((victim) => ended(victim)));
}

async function assertNothingThere(house: TemporaryHome): Promise<void> {
  await waitUntil(() => house.processes().length === 0, { what: "no process of a failed start" });
  assert.ok(!existsSync(house.places.keeperFile), "no announcement");
}
