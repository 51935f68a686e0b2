import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { temporaryHome } from "./harness/home.ts";
import { descriptorsOf, ended, killProcess } from "./harness/processes.ts";
import { withSeed } from "./harness/random.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** `npm run demo:break`, with few blows; with all of them, and more than once, in `npm run test:proof`. */
const isProof = process.env.WARREN_PROOF === "1";
const BLOWS = isProof ? 25 : 6;
const ROUNDS = isProof ? 8 : 1;
const TIMEOUT_MS = ROUNDS * 180_000;
const SCRIPT = join(import.meta.dirname, "..", "scripts", "demo-break.ts");

test(
  `demo: ${BLOWS} blows in the middle of it lose nothing, double nothing, and fail no request`,
  { timeout: TIMEOUT_MS },
  () =>
    withSeed(async (random) => {
      for (let round = 0; round < ROUNDS; round++) {
        const args = [SCRIPT, "--blows", String(BLOWS), "--seed", String(random.between(0, 2 ** 31))];
        const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
        const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
        assert.equal(status, 0, `${out}${err}`);
        assert.equal(
          out.match(/^ *\d+ +\d+\.\d\d s +(kill -9 (server|front|mail leader)|reload) +\d+ /gm)?.length,
          BLOWS,
        );
        assert.match(out, /^lost 0, doubled 0, failed requests 0 /m);
      }
    }),
);

test("reload: right after the server was killed, it waits for the successor", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  await house.warren(["ping"]);
  const keeper = await house.keeper();
  const server = await house.server();
  process.kill(keeper.pid, "SIGSTOP"); // no successor before we say so
  try {
    killProcess(server);
    await ended(server);
    const reload = house.start(["reload", "--json"]);
    const isOver = (): boolean => reload.child.exitCode !== null;
    // Two are its streams; the third leads to the server that is not there yet.
    const isWaiting = (): boolean => descriptorsOf(reload.pid).filter((to) => to.startsWith("socket:")).length > 2;
    await waitUntil(() => isOver() || isWaiting(), { what: "reload to wait" });
    process.kill(keeper.pid, "SIGCONT");
    const { status, stdout, stderr } = await reload.ended;
    assert.equal(status, 0, stderr);
    assert.equal((JSON.parse(stdout) as { generation: number }).generation, 3);
  } finally {
    process.kill(keeper.pid, "SIGCONT");
  }
});
