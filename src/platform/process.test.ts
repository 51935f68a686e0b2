import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import {
  bootId,
  environHas,
  fileSizeLimitOf,
  hasEnded,
  identityOf,
  isAlive,
  listeningPorts,
  listProcesses,
  readProcess,
  signalName,
  signalNumber,
  usageOf,
} from "./process.ts";

const DEADLINE_MS = 20_000;

/** A process that is ended with the test. */
async function started(command: string[], env: Record<string, string> = {}) {
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  await once(child, "spawn");
  return {
    pid: child.pid!,
    child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

test("process: reads who it is, also when its name holds brackets and blanks", async () => {
  await using cat = await started(["sh", "-c", "printf 'a) R (b' >/proc/$$/comm; echo ready; read -r line"]);
  await once(cat.child.stdout!, "data");
  const info = readProcess(cat.pid)!;
  assert.equal(info.comm, "a) R (b");
  assert.deepEqual([info.pid, info.ppid], [cat.pid, process.pid]);
  assert.ok(info.startTicks >= readProcess(process.pid)!.startTicks);
  assert.ok(info.rssBytes > 0);
  assert.deepEqual(listProcesses().find(({ pid }) => pid === cat.pid)?.startTicks, info.startTicks);
  assert.equal(readProcess(2 ** 30), undefined);
});

test("process: alive is only the very same one; a zombie, another start and another boot are dead", async () => {
  // It ends when its parent is no shell any more, which would take note of that.
  const ends = "(until [ $(cat /proc/$$/comm) = sleep ]; do sleep 0.01; done) & echo $!; exec sleep 60";
  await using parent = await started(["sh", "-c", ends]);
  const [line] = (await once(parent.child.stdout!, "data")) as [Buffer];
  const zombiePid = Number(line.toString());
  const untilMs = performance.now() + DEADLINE_MS;
  while (readProcess(zombiePid)?.state !== "Z") {
    assert.ok(performance.now() < untilMs, "it has not ended");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const zombie = readProcess(zombiePid)!;
  assert.ok(hasEnded(zombie));
  assert.ok(!isAlive(identityOf(zombie)));

  const identity = identityOf(readProcess(parent.pid)!);
  assert.ok(isAlive(identity));
  assert.ok(!isAlive({ ...identity, startTicks: identity.startTicks - 1 }));
  assert.ok(!isAlive({ ...identity, bootId: "another" }));
  assert.match(bootId(), /^[0-9a-f-]{36}$/);
});

test("process: without a descriptor to look with, one that is there counts as alive, and one that is gone does not", async () => {
  const gone = spawn("true");
  await once(gone, "exit");
  const script = `
    import { openSync } from "node:fs";
    const { identityOf, isAlive, readProcess } = await import(${JSON.stringify(import.meta.resolve("./process.ts"))});
    const parent = identityOf(readProcess(process.ppid));
    try { for (;;) openSync("/dev/null", "r"); } catch ({ code }) { process.exitCode = code === "EMFILE" ? 0 : 1; }
    const answers = [readProcess(process.ppid) === undefined, isAlive(parent), isAlive({ ...parent, pid: ${gone.pid} }), isAlive({ ...parent, pid: 0 })];
    process.exit(String(answers) === "true,true,false,false" ? process.exitCode : 2);`;
  const limited = ["-c", `ulimit -n 64; exec "$@"`, "sh", process.execPath, "--input-type=module", "-e", script];
  const [status] = await once(spawn("sh", limited, { stdio: "inherit" }), "exit");
  assert.equal(status, 0);
});

test("process: an environment is searched for whole assignments", async () => {
  const big = "x".repeat(100_000);
  await using cat = await started(["cat"], { BIG: big, WARREN_RUN_ID: "abc", FAKE: "WARREN_RUN_ID=zz" });
  assert.ok(environHas(cat.pid, "WARREN_RUN_ID=abc"));
  for (const other of ["WARREN_RUN_ID=ab", "WARREN_RUN_ID=abcd", "RUN_ID=abc", "WARREN_RUN_ID=zz"]) {
    assert.ok(!environHas(cat.pid, other), other);
  }
  assert.ok(!environHas(2 ** 30, "WARREN_RUN_ID=abc"));
});

test("process: the soft limit of a file's size", async () => {
  await using limited = await started(["sh", "-c", "ulimit -S -f 4503599627370503; echo ready; read -r line"]);
  await once(limited.child.stdout!, "data");
  assert.equal(fileSizeLimitOf(limited.pid), 4503599627370503 * 512);
  assert.equal(fileSizeLimitOf(process.pid), Number.POSITIVE_INFINITY);
  assert.equal(fileSizeLimitOf(2 ** 30), undefined);
});

test("process: ports on which a process listens, with the address as people write it", async () => {
  const servers = await Promise.all(
    ["127.0.0.1", "0.0.0.0", "::1", "::"].map(async (host) => {
      const server = createServer().listen(0, host);
      await once(server, "listening");
      return { host, server, port: (server.address() as { port: number }).port };
    }),
  );
  const udp = createSocket("udp4").bind(0, "127.0.0.1");
  await once(udp, "listening");
  try {
    const found = listeningPorts([process.pid]);
    for (const { host, port } of servers) {
      const protocol = host.includes(":") ? "tcp6" : "tcp";
      assert.deepEqual(
        found.filter((each) => each.port === port && each.protocol === protocol),
        [{ port, protocol, pid: process.pid, address: host }],
      );
    }
    const { port } = udp.address();
    assert.ok(found.some((each) => each.port === port && each.protocol === "udp" && each.address === "127.0.0.1"));
    assert.deepEqual(listeningPorts([2 ** 30]), []);
  } finally {
    for (const { server } of servers) server.close();
    udp.close();
  }
});

test("process: usage sums the time of reaped children", () => {
  const info = { ...readProcess(process.pid)!, cpuTicks: 10, reapedCpuTicks: 5, rssBytes: 100 };
  assert.deepEqual(usageOf([info, info]), { cpuMs: 300, rssBytes: 200 });
});

test("signals: every spelling, and near names for a wrong one", () => {
  for (const spelling of ["HUP", "SIGHUP", "hup", "sighup", "1", 1]) assert.equal(signalNumber(spelling), 1);
  assert.equal(signalNumber("SIG40"), 40);
  assert.deepEqual(
    [signalName(15), signalName(6), signalName(29), signalName(40)],
    ["SIGTERM", "SIGABRT", "SIGIO", "SIG40"],
  );
  for (const wrong of ["", "0", 0, -1, 65, 1.5, "SIG", "toString"]) {
    assert.throws(() => signalNumber(wrong), { code: "UNKNOWN_SIGNAL" }, String(wrong));
  }
  assert.throws(() => signalNumber("SIGTREM"), { detail: { candidates: ["TERM"] } });
});
