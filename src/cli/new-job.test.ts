import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Context } from "./context.ts";
import { newJobOf } from "./new-job.ts";

const cwd = realpathSync(mkdtempSync(join(tmpdir(), "warren-new-job-")));
after(() => rmSync(cwd, { recursive: true }));
const context = { cwd, env: { HOME: "/h", EMPTY: "" } } as unknown as Context;

test("a command of several arguments is passed on untouched", async () => {
  const job = await newJobOf(context, {}, ["sh", "-c", "echo a b"]);
  assert.deepEqual(job, { command: ["sh", "-c", "echo a b"], workdir: cwd, env: ["HOME=/h", "EMPTY="] });
});

test("one argument with blanks is split as a shell would", async () => {
  assert.deepEqual((await newJobOf(context, {}, ["npm run 'my script'"])).command, ["npm", "run", "my script"]);
  assert.deepEqual((await newJobOf(context, {}, ["a && b"])).command, ["sh", "-c", "a && b"]);
  await assert.rejects(newJobOf(context, {}, ["echo 'oops"]), { code: "USAGE" });
});

test("one argument that is a file's path is not split", async () => {
  writeFileSync(join(cwd, "my tool"), "");
  assert.deepEqual((await newJobOf(context, {}, ["./my tool"])).command, ["./my tool"]);
});

test("the project of a warren.yaml upwards is sent along", async () => {
  writeFileSync(join(cwd, "warren.yaml"), "jobs: {}\n");
  assert.equal((await newJobOf(context, {}, ["true"])).project, cwd);
  rmSync(join(cwd, "warren.yaml"));
});

test("flags become fields of the job", async () => {
  const job = await newJobOf(
    context,
    {
      name: "web",
      label: ["a=1", "b=x=y"],
      timeout: "5m",
      grace: "1.5s",
      restart: "on-failure:3",
      "owner-pid": "42",
      "depends-on": ["db,cache", "mail"],
      ready: "port=3000",
      "log-max": "10MB",
    },
    ["true"],
  );
  const { name, labels, timeout_ms, grace_ms, restart, owner, depends_on, ready, log_max_bytes } = job;
  assert.deepEqual(
    { name, labels, timeout_ms, grace_ms, restart, owner, depends_on, ready, log_max_bytes },
    {
      name: "web",
      labels: { a: "1", b: "x=y" },
      timeout_ms: 300_000,
      grace_ms: 1_500,
      restart: { when: "on-failure", max: 3 },
      owner: { pid: 42, on_death: "kill" },
      depends_on: ["db", "cache", "mail"],
      ready: { kind: "port", port: 3000 },
      log_max_bytes: 10 * 1024 ** 2,
    },
  );
});

test("a flag's value that cannot be meant is told", async () => {
  const problems: [Parameters<typeof newJobOf>[1], RegExp][] = [
    [{ timeout: "soon" }, /--timeout soon is no duration/],
    [{ label: ["x"] }, /--label x has no value/],
    [{ restart: "allways" }, /Did you mean always\?/],
    [{ restart: "always:x" }, /after the colon/],
    [{ "owner-pid": "me" }, /--owner-pid me is no process id/],
    [{ "on-owner-death": "keep" }, /needs --owner-pid/],
    [{ "log-max": "much" }, /is no size/],
  ];
  for (const [values, message] of problems)
    await assert.rejects(newJobOf(context, values, ["true"]), { code: "USAGE", message });
  await assert.rejects(newJobOf(context, { dir: "no where" }, ["true"]), {
    code: "DIRECTORY_NOT_FOUND",
    fix: /^mkdir -p '.*no where'$/,
  });
  await assert.rejects(newJobOf(context, {}, [""]), { code: "USAGE" });
});
