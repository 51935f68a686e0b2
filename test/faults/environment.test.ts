import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { thisInstallation } from "../harness/build-copy.ts";
import type { TemporaryHome } from "../harness/home.ts";
import { startWarren } from "../harness/warren.ts";
import { jobsOf, test, undisturbed } from "./undisturbed.ts";

/** A job's environment is that of the command which started it, to the byte. */
const TIMEOUT_MS = 60_000;

test("environment: an environment with odd names and values arrives exactly", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  const node = [process.execPath, join(thisInstallation().root, "dist", "warren.cjs")] as const;
  await assertArrives(house, { ...PLAIN_NAMES, ...ODD_NAMES }, ...node);
});

test("environment: the launcher, a shell script, passes on the environment", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  await assertArrives(house, PLAIN_NAMES, thisInstallation().bin);
});

test(
  "environment: the launcher passes on names that no shell has, and its own variables' names",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await undisturbed();
    await assertArrives(house, { ...ODD_NAMES, root: "mine", node: "mine", self: "mine" }, thisInstallation().bin);
  },
);

test(
  "environment: a home where none can be made is refused, and nothing is tried for ever",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await undisturbed();
    const { bin } = thisInstallation();
    for (const home of ["/proc", "/proc/none"]) {
      const env = { ...house.env, WARREN_HOME: home };
      const run = startWarren(bin, ["list"], { cwd: house.dir, env, deadlineMs: 20_000, quotesLog: false });
      const { status, stderr } = await run.ended;
      const [first = "", second] = stderr.split("\n");
      assert.deepEqual([status, second], [125, "export WARREN_HOME=/var/tmp/warren"]);
      assert.ok(first.startsWith(`error: The home ${home} cannot be used: E`), first);
    }
  },
);

const PLAIN_NAMES: Record<string, string> = {
  EMPTY: "",
  LINES_IN_IT: "one\ntwo\n\n",
  QUOTES: "'\"`$HOME\\",
  CONTROL: "\u0001\u001b[31m",
  LONG: "y".repeat(100_000),
  UNICODE: "значение 🧊",
};

/** Dropped, reset or obeyed by one shell or another. */
const ODD_NAMES: Record<string, string> = {
  "A.B-C": "dots",
  "npm_config_//registry.example/:_authToken": "secret=with=signs",
  "BASH_FUNC_x%%": "() { echo caught; }",
  "with space": " both ends ",
  naïve_ключ: "not ASCII",
  W_TAG: "mine",
  W_LINE: "mine too",
  IFS: ":",
  PS4: "$(touch pwned)",
  SHELLOPTS: "errexit:xtrace",
};

/** `command` is the warren that runs a job in the environment `sent`; the job sees that, what the harness set, and our marks. */
async function assertArrives(house: TemporaryHome, sent: Record<string, string>, ...command: readonly string[]) {
  const print = "process.stdout.write(JSON.stringify(process.env))";
  const [file, ...args] = [...command, "run", "-q", "--", process.execPath, "-e", print];
  const env = { ...house.env, ...sent };
  const run = startWarren(file!, args, { cwd: house.dir, env, deadlineMs: 20_000, quotesLog: false });
  const { status, stderr } = await run.ended;
  assert.equal(status, 0, stderr);
  const [job] = await jobsOf(house);
  const got = JSON.parse(readFileSync(job!.stdout_path, "utf8")) as Record<string, string>;
  for (const mark of ["PWD", "WARREN_UNIT", "WARREN_RUN_ID", "WARREN_RUN_TAG"]) delete got[mark];
  assert.deepEqual(got, env);
  assert.ok(!existsSync(join(house.dir, "pwned")));
}
