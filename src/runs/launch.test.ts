import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, BoundSocket, connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { environHas, listProcesses } from "../platform/process.ts";
import { messageOf } from "../protocol/errors.ts";
import { launch } from "./launch.ts";
import { fileSays, isThere, RunFixture, shimOf, spawnShim, until, wakefulClock } from "./run-fixture.ts";
import { LINUX_SHIM } from "./shim.ts";
import { parseStatus, prepareStatusFile, readStatusFile } from "./status-file.ts";

const run = promisify(execFile);

const processesOf = (runId: string) => listProcesses().filter(({ pid }) => environHas(pid, `WARREN_RUN_ID=${runId}`));

test("launch: adds the unit and the run to the environment, and output goes straight to private files", async () => {
  await using runs = await RunFixture.make();
  const started = await runs.start(["sh", "-c", "echo $WARREN_UNIT $WARREN_RUN_ID; pwd; cat; echo oops >&2"]);
  await started.ended();
  assert.equal(await started.stdout(), `unit ${started.marks.runId}\n${runs.directory}\n`);
  assert.equal(await started.stderr(), "oops\n");
  for (const path of [started.stdoutPath, started.stderrPath, started.statusPath]) {
    const { stdout } = await run("stat", ["-c", "%a", path]);
    assert.equal(stdout, "600\n");
  }
});

test("launch: a hundred at once all start and end", async () => {
  await using runs = await RunFixture.make();
  const started = await Promise.all(Array.from({ length: 100 }, (_, n) => runs.start(["sh", "-c", `exit ${n}`])));
  const statuses = await Promise.all(started.map((each) => each.ended()));
  assert.deepEqual(
    statuses.map(({ exitStatus }) => exitStatus),
    Array.from({ length: 100 }, (_, n) => n),
  );
});

test("launch: the run outlives the process that started it, and its status is known afterwards", async () => {
  await using runs = await RunFixture.make();
  const request = runs.request(["sh", "-c", "until [ -e go ]; do sleep 0.01; done; exit 8"]);
  const script = `const { launch } = await import(${JSON.stringify(new URL("./launch.ts", import.meta.url).href)});
    await launch(${JSON.stringify(request)});
    process.kill(process.pid, "SIGKILL");`;
  await assert.rejects(run(process.execPath, ["--input-type=module", "-e", script]), { signal: "SIGKILL" });
  assert.ok(processesOf(request.runId).length > 0);
  await writeFile(join(runs.directory, "go"), "");
  const text = await fileSays(request.statusPath, (seen) => parseStatus(seen).exitStatus !== undefined);
  assert.equal(parseStatus(text).exitStatus, 8);
});

const FAILURES: Record<string, { code: string; command?: string[]; change?: object; options?: object }> = {
  "an argument that is too long": { code: "ARGUMENTS_TOO_LONG", command: ["echo", "x".repeat(200_000)] },
  "a program that is not there": { code: "PROGRAM_NOT_FOUND", command: ["no-such-program"] },
  "a directory that is not there": { code: "WORKDIR_MISSING", change: { workdir: "/no/such/directory" } },
  "a shell that is not there": { code: "LAUNCH_FAILED", options: { shim: shimOf("/no/such/shell") } },
  "a shim that ends without a word": {
    code: "LAUNCH_FAILED",
    options: { shim: { ...shimOf("/bin/sh"), text: "exit 9" } },
  },
  "a shim that never answers": {
    code: "LAUNCH_FAILED",
    options: { shim: { ...shimOf("/bin/sh"), text: "sleep 60" }, deadlineMs: 100, clock: wakefulClock },
  },
  "an argument with a NUL": { code: "LAUNCH_FAILED", command: ["echo", "a\0b"] },
  "a log in a directory that is not there": { code: "LAUNCH_FAILED", change: { stderrPath: "/no/such/err.log" } },
};

for (const [name, { code, command = ["sleep", "60"], change = {}, options = {} }] of Object.entries(FAILURES)) {
  for (const env of [[], ["A.B=1"]]) {
    test(`launch: ${name}${env.length > 0 ? ", with an exact environment" : ""}: ${code}, and nothing is left`, async () => {
      await using runs = await RunFixture.make();
      const request = { ...runs.request(command, { env }), ...change };
      await assert.rejects(launch(request, options), { code });
      assert.deepEqual(readdirSync(runs.directory), []);
      await until(() => processesOf(request.runId).length === 0, "what was killed to be gone");
    });
  }
}

test("launch: a failed attempt leaves the logs that were there before", async () => {
  await using runs = await RunFixture.make();
  const request = runs.request(["true"]);
  await writeFile(request.stdoutPath, "earlier\n");
  const shim = { ...shimOf("/bin/sh"), text: "exit 9" };
  await assert.rejects(launch(request, { shim }), { code: "LAUNCH_FAILED" });
  assert.equal(await readFile(request.stdoutPath, "utf8"), "earlier\n");
});

test("launch: an attempt whose deadline has passed never runs its command", async () => {
  await using runs = await RunFixture.make();
  const request = runs.request(["sh", "-c", "setsid sleep 60 & touch ran; wait"]);
  // The deadline passes the moment that the launch asks for it.
  const clock = { ...wakefulClock, timer: (_: number, task: () => void) => wakefulClock.timer(0, task) };
  const shim = { ...shimOf("/bin/sh"), text: `sleep 0.05\n${LINUX_SHIM}` };
  await assert.rejects(launch(request, { shim, clock }), { code: "LAUNCH_FAILED" });
  await until(() => processesOf(request.runId).length === 0, "what was killed to be gone");
  assert.ok(!existsSync(join(runs.directory, "ran")));
});

test("launch: the status is kept when the disk is full", async (context) => {
  await using runs = await RunFixture.make();
  const full = join(runs.directory, "full");
  await mkdir(full);
  try {
    await run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", full]);
  } catch (error) {
    return context.skip(`no tmpfs can be mounted here: ${messageOf(error).split("\n")[0]}`);
  }
  try {
    const started = await runs.start(["sh", "-c", "echo ready; until [ -e go ]; do sleep 0.01; done; kill -TERM $$"], {
      statusDirectory: full,
    });
    await fileSays(started.stdoutPath, (text) => text === "ready\n");
    const prepared = runs.request(["sh", "-c", "exit 3"], { statusDirectory: full });
    const file = await prepareStatusFile(prepared.statusPath);
    await assert.rejects(writeFile(join(full, "filler"), Buffer.alloc(128 * 1024)), { code: "ENOSPC" });
    await once(spawnShim(prepared, file.fd), "exit");
    await file.close();
    assert.equal((await readStatusFile(prepared.statusPath)).exitStatus, 3);
    await assert.rejects(launch({ ...runs.request(["true"]), statusPath: join(full, "x.1.status") }), {
      code: "LAUNCH_FAILED",
      fix: "df -h",
    });
    assert.ok(!existsSync(join(full, "x.1.status")));
    await writeFile(join(runs.directory, "go"), "");
    const status = await started.ended();
    assert.deepEqual([status.exitStatus, status.shellWord], [143, "SIGTERM"]);
    await until(() => processesOf(started.marks.runId).length === 0, "the shim to end");
  } finally {
    // Lazily: a run may still have it open after a failure.
    await run("umount", ["-l", full]);
  }
});

test("launch: an unchanged socket-activated program answers on the socket that it was given, which goes with it", async (t) => {
  if (!existsSync("/usr/bin/python3")) return t.skip("python3 is not installed");
  await using runs = await RunFixture.make();
  const socket = new BoundSocket({ host: "127.0.0.1", port: 0 });
  const { port } = socket.address() as AddressInfo;
  const program = `import os, socket
assert os.environ["LISTEN_PID"] == str(os.getpid())
listener = socket.socket(fileno=3)
listener.listen(8)
print("ready", flush=True)
while True:
    peer, _ = listener.accept()
    peer.sendall(b"hello"); peer.close()`;
  const started = await runs.start(["/usr/bin/python3", "-c", program], { listenFd: socket.fd() });
  socket.close();
  await fileSays(started.stdoutPath, (text) => text === "ready\n");
  for (let n = 0; n < 3; n += 1) assert.equal(await textFrom(port), "hello");
  process.kill(started.job.pid, "SIGKILL");
  await until(() => !isThere(started.shim), "the end of the shim");
  await assert.rejects(textFrom(port), { code: "ECONNREFUSED" });
});

test("launch: where the environment does not pass a shell, the run gets no socket", async () => {
  await using runs = await RunFixture.make();
  const socket = new BoundSocket({ host: "127.0.0.1", port: 0 });
  const script = 'echo "[$LISTEN_FDS]$(readlink /proc/$$/fd/0)"; [ -e /proc/$$/fd/3 ] || echo none';
  const started = await runs.start(["sh", "-c", script], { listenFd: socket.fd(), env: ["A.B=1"] });
  socket.close();
  await started.ended();
  assert.equal(await started.stdout(), "[]/dev/null\nnone\n");
});

async function textFrom(port: number): Promise<string> {
  let text = "";
  for await (const chunk of connect(port, "127.0.0.1")) text += chunk;
  return text;
}
