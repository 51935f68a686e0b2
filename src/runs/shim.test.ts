import assert from "node:assert/strict";
import { once } from "node:events";
import { constants as constantsOf, existsSync, readFileSync, readlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, BoundSocket, connect } from "node:net";
import { constants } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { readProcess } from "../platform/process.ts";
import { fileSays, RunFixture, shimOf, until } from "./run-fixture.ts";
import { carriesTag, limitOfTag } from "./shim.ts";

const SHELLS = ["/bin/dash", "/bin/bash"].filter((shell) => existsSync(shell));
/** Asks for each, since reading the directory would open one more. */
const LIST_DESCRIPTORS = ["sh", "-c", "for fd in 0 1 2 3 4 5 6 7 8 9 10; do [ -e /proc/$$/fd/$fd ] && echo $fd; done"];

for (const shell of SHELLS) {
  describe(`shim under ${shell}`, { concurrency: false }, () => {
    const shim = shimOf(shell);

    test("records the status that the command gave", async () => {
      await using runs = await RunFixture.make();
      for (const status of [0, 3, 125, 255]) {
        const run = await runs.start(["sh", "-c", `exit ${status}`], { shim });
        assert.equal((await run.ended()).exitStatus, status);
      }
    });

    test("names the job's process, not its own", async () => {
      await using runs = await RunFixture.make();
      const run = await runs.start(["sh", "-c", "echo $$; exec sleep 60"], { shim });
      await fileSays(run.stdoutPath, (text) => text === `${run.job.pid}\n`);
      assert.equal(readProcess(run.job.pid)?.startTicks, run.job.startTicks);
      assert.equal(readProcess(run.job.pid)?.ppid, run.shim.pid);
      assert.equal(readProcess(run.shim.pid)?.startTicks, run.shim.startTicks);
    });

    test("runs programs, never the shell's builtins", async () => {
      await using runs = await RunFixture.make();
      const run = await runs.start(["echo", "a\\nb"], { shim });
      assert.equal((await run.ended()).exitStatus, 0);
      assert.equal(await run.stdout(), "a\\nb\n");
    });

    test("tells a death by signal as 128 + n, and writes no word of its own to the job's stderr", async () => {
      await using runs = await RunFixture.make();
      for (const name of ["TERM", "INT", "HUP", "QUIT", "USR1", "ALRM", "XCPU", "KILL"] as const) {
        const run = await runs.start(["sh", "-c", `ulimit -c 0; kill -${name} $$`], { shim });
        const status = await run.ended();
        assert.equal(status.exitStatus, 128 + constants.signals[`SIG${name}`], name);
        if (name !== "INT") assert.equal(status.shellWord, `SIG${name}`);
        assert.equal(await run.stderr(), "", name);
      }
    });

    test("says no signal for a job that exits with 137 itself", async () => {
      await using runs = await RunFixture.make();
      const status = await (await runs.start(["sh", "-c", "exit 137"], { shim })).ended();
      assert.deepEqual([status.exitStatus, status.shellWord], [137, undefined]);
    });

    test("survives a job that kills its whole group", async () => {
      await using runs = await RunFixture.make();
      const status = await (await runs.start(["sh", "-c", "kill -9 0"], { shim })).ended();
      assert.equal(status.exitStatus, 137);
    });

    test("survives signals that are sent to itself", async () => {
      await using runs = await RunFixture.make();
      const run = await runs.start(["sh", "-c", "echo ready; until [ -e go ]; do sleep 0.01; done; exit 5"], { shim });
      await fileSays(run.stdoutPath, (text) => text === "ready\n");
      for (const name of ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "ALRM", "XCPU", "PIPE", "PROF"]) {
        process.kill(run.shim.pid, `SIG${name}`);
      }
      await writeFile(join(runs.directory, "go"), "");
      assert.equal((await run.ended()).exitStatus, 5);
    });

    test("waits on while the job is stopped and continued", async () => {
      await using runs = await RunFixture.make();
      const run = await runs.start(["sh", "-c", "kill -STOP 0; exit 7"], { shim });
      await until(() => readProcess(run.job.pid)?.state === "T", "the job to stop");
      process.kill(-run.job.pid, "SIGCONT");
      assert.equal((await run.ended()).exitStatus, 7);
    });

    test("leaves 127 to a script whose interpreter is missing, and runs one without an interpreter line", async () => {
      await using runs = await RunFixture.make();
      const mode = { mode: 0o755 };
      await writeFile(join(runs.directory, "missing"), "#!/no/such/interpreter\n", mode);
      await writeFile(join(runs.directory, "plain"), "echo $0 $1; exit 6\n", mode);
      assert.equal((await (await runs.start(["./missing"], { shim })).ended()).exitStatus, 127);
      const plain = await runs.start(["./plain", "x"], { shim });
      assert.equal((await plain.ended()).exitStatus, 6);
      assert.equal(await plain.stdout(), "./plain x\n");
    });

    test("keeps a last line without newline, and a job that closes its output", async () => {
      await using runs = await RunFixture.make();
      const run = await runs.start(["sh", "-c", "printf abc; printf def >&2; exec >&- 2>&-; exit 4"], { shim });
      assert.equal((await run.ended()).exitStatus, 4);
      assert.deepEqual([await run.stdout(), await run.stderr()], ["abc", "def"]);
    });

    test("gives the job no descriptor of its own, default dispositions, and the tag", async () => {
      await using runs = await RunFixture.make();
      const inherited = new Set(inheritableDescriptors());
      const run = await runs.start(LIST_DESCRIPTORS, { shim });
      await run.ended();
      const seen = (await run.stdout()).trim().split("\n").map(Number);
      assert.deepEqual(
        seen.filter((fd) => !inherited.has(fd)),
        [0, 1, 2],
      );
      const signals = await runs.start(["grep", "-hE", "^Sig(Ign|Blk)", "/proc/self/status"], { shim });
      await signals.ended();
      assert.match(await signals.stdout(), /^SigBlk:\t0+\nSigIgn:\t0+\n$/);
      const limits = await runs.start(["grep", "Max file size", "/proc/self/limits"], { shim });
      await limits.ended();
      assert.ok(carriesTag(Number((await limits.stdout()).split(/\s+/)[3]), limits.marks.tag));
    });

    test("gives a bound socket as descriptor 3, blocking, with the job's own LISTEN_PID", async () => {
      await using runs = await RunFixture.make();
      const socket = new BoundSocket({ host: "127.0.0.1", port: 0 });
      const { port } = socket.address() as AddressInfo;
      const script =
        'echo "$LISTEN_FDS $LISTEN_PID $$ $(readlink /proc/$$/fd/0)"; [ -h /proc/$$/fd/4 ] && echo more; cat /proc/$$/fdinfo/3; exec sleep 60';
      const run = await runs.start(["sh", "-c", script], { shim, listenFd: socket.fd() });
      socket.close();
      const text = await fileSays(run.stdoutPath, (seen) => /^flags:.*\n/m.test(seen));
      assert.equal(text.split("\n")[0], `1 ${run.job.pid} ${run.job.pid} /dev/null`);
      assert.equal(Number.parseInt(/^flags:\s+(\d+)/m.exec(text)![1]!, 8) & constantsOf.O_NONBLOCK, 0);
      const inode = /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${run.job.pid}/fd/3`))?.[1];
      assert.ok(inode, "a socket");
      // Said by the shell: a program that has just been started has its libraries open for a moment.
      assert.equal(text.includes("\nmore\n"), inheritableDescriptors().includes(4), "nothing else is open");
      // The port is held through the run, and free again with its end.
      await assert.rejects(connected(port), { code: "ECONNREFUSED" });
      process.kill(run.job.pid, "SIGTERM");
      assert.equal((await run.ended()).exitStatus, 143);
    });

    test("gives a run without a socket /dev/null and no LISTEN_FDS", async () => {
      await using runs = await RunFixture.make();
      const run = await runs.start(["sh", "-c", 'echo "[$LISTEN_FDS$LISTEN_PID]$(readlink /proc/$$/fd/0)"'], { shim });
      await run.ended();
      assert.equal(await run.stdout(), "[]/dev/null\n");
    });

    test("passes arguments as they are", async () => {
      await using runs = await RunFixture.make();
      const run = await runs.start(["printf", "[%s]", "", "-x", "--", "a\nb", "$HOME", "*"], { shim });
      await run.ended();
      assert.equal(await run.stdout(), "[][-x][--][a\nb][$HOME][*]");
    });

    test("passes an ordinary environment as it is", async () => {
      const env = ["s=kept", "LINES=a\nb", "EMPTY=", "EQUALS=a=b", "LC_ALL=no_SUCH", "OLDPWD=/", "COLUMNS=80"];
      const { seen, run } = await environmentSeen(env);
      assert.deepEqual(seen, wanted(env, run));
    });

    test("passes an environment that a shell would change as it is", async () => {
      const env = [
        "A.B=1",
        "IFS=:",
        "BASH_FUNC_printf%%=() { false; }",
        "SHELLOPTS=errexit",
        "W_TAG=9",
        "PS4=x",
        "V=a\nb",
      ];
      const { seen, run } = await environmentSeen(env);
      assert.deepEqual(seen, wanted(env, run));
    });

    async function environmentSeen(env: string[]) {
      await using runs = await RunFixture.make();
      const run = await runs.start(["cat", "/proc/self/environ"], { shim, env });
      assert.equal((await run.ended()).exitStatus, 0);
      const seen = (await run.stdout()).split("\0").filter((part) => part !== "" && !part.startsWith("SHLVL="));
      assert.equal(await run.stderr(), "");
      return { seen: seen.sort(), run: { directory: runs.directory, runId: run.marks.runId, tag: run.marks.tag } };
    }

    function wanted(
      env: string[],
      { directory, runId, tag }: { directory: string; runId: string; tag: number },
    ): string[] {
      const ours = [
        `PATH=${process.env.PATH}`,
        `PWD=${directory}`,
        "WARREN_UNIT=unit",
        `WARREN_RUN_ID=${runId}`,
        `WARREN_RUN_TAG=${tag}`,
      ];
      return [...env, ...ours].sort();
    }
  });
}

test("exact environment: default dispositions, exact arguments, the same pid, and nothing to read in its arguments", async () => {
  await using runs = await RunFixture.make();
  const env = ["A.B=1", "TOKEN=s3cret"];
  const script = 'grep -hE "^Sig(Ign|Blk)" /proc/self/status; printf "[%s]" "$@"; echo "$$"; exec sleep 60';
  const run = await runs.start(["sh", "-c", script, "-", "", "-e", "a\nb"], { env });
  const text = await fileSays(run.stdoutPath, (seen) => seen.endsWith(`${run.job.pid}\n`));
  assert.equal(text, `SigBlk:\t${"0".repeat(16)}\nSigIgn:\t${"0".repeat(16)}\n[][-e][a\nb]${run.job.pid}\n`);
  assert.ok(!readFileSync(`/proc/${run.shim.pid}/cmdline`, "latin1").includes("s3cret"));
  assert.ok(!readFileSync(`/proc/${run.shim.pid}/environ`, "latin1").includes("s3cret"));
  assert.ok(!existsSync(`${run.statusPath}.env`));
});

test("exact environment: a script without an interpreter line runs", async () => {
  await using runs = await RunFixture.make();
  await writeFile(join(runs.directory, "plain"), "echo $0 $1; exit 6\n", { mode: 0o755 });
  const run = await runs.start(["./plain", "x"], { env: ["A.B=1"] });
  assert.equal((await run.ended()).exitStatus, 6);
  assert.match(await run.stdout(), /plain x\n$/);
});

test("tag: known in the units of either shell, and nowhere else", () => {
  assert.ok(carriesTag(limitOfTag(7) * 512, 7));
  assert.ok(carriesTag(limitOfTag(7) * 1024, 7));
  for (const limit of [limitOfTag(8) * 512, Number.POSITIVE_INFINITY, undefined, 0]) assert.ok(!carriesTag(limit, 7));
});

/** Descriptors that this test's own process got from outside without close-on-exec: they reach every child. */
function inheritableDescriptors(): number[] {
  const flags = (fd: number) => {
    try {
      return Number.parseInt(/^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1] ?? "0", 8);
    } catch {
      return 0o2000000;
    }
  };
  return Array.from({ length: 1024 }, (_, fd) => fd).filter((fd) => fd > 2 && (flags(fd) & 0o2000000) === 0);
}

async function connected(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}
