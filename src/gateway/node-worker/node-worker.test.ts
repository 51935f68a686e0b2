import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, BoundSocket, connect, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { type FixtureRun, fileSays, RunFixture, until } from "../../runs/run-fixture.ts";
import { type InstanceCommand, instanceCommand, standbyCommand } from "./instance-command.ts";
import { loadInto } from "./standby-link.ts";

const SERVES = `import { createServer } from "node:http";
createServer((_, response) => response.end(process.env.ANSWER ?? "hello")).listen(process.env.PORT, () => console.log("up"));
`;

/** Real runs under the shim, each with a socket bound for it. */
class Workers extends RunFixture {
  static override async make(): Promise<Workers> {
    const { directory } = await RunFixture.make();
    return new Workers(directory);
  }

  async file(name: string, text: string): Promise<string> {
    const path = join(this.directory, name);
    await writeFile(path, text);
    return path;
  }

  options(port: number) {
    const worker = { name: "api", kind: "node" as const, dir: this.directory, path: "/api", route: "/api" };
    return { worker, port, mode: "dev" as const, personEnv: { PATH: process.env.PATH } };
  }

  async run(command: (port: number) => InstanceCommand) {
    const socket = new BoundSocket({ host: "127.0.0.1", port: 0 });
    const { port } = socket.address() as AddressInfo;
    const { command: argv, env } = command(port);
    const run = await this.start(argv, { env, listenFd: socket.fd() });
    socket.close();
    return { run, port };
  }

  async started(text: string, name = "app.mjs") {
    const artefactPath = await this.file(name, text);
    return this.run((port) => instanceCommand({ ...this.options(port), artefactPath }));
  }

  async standby() {
    const socketPath = join(this.directory, "standby.sock");
    const { run, port } = await this.run((port) => standbyCommand(this.options(port), socketPath));
    await until(() => isListening(socketPath), "the standby's socket");
    return { run, port, socketPath };
  }
}

/** Between bind(2), which makes the file, and listen(2) a connection is refused. SO_ACCEPTCON is said by proc_net(5). */
const isListening = (path: string): boolean =>
  readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .some((line) => line.endsWith(` ${path}`) && line.split(/\s+/)[3] === "00010000");

const deadline = () => AbortSignal.timeout(15_000);
const says = (run: FixtureRun, text: string) => fileSays(run.stdoutPath, (seen) => seen.includes(text));
const bodyOf = async (port: number) => (await fetch(`http://127.0.0.1:${port}/`, { signal: deadline() })).text();

/** The inode of the socket that a process has as descriptor 3, and of the one that listens on `port`. */
async function inodeListening(port: number): Promise<string | undefined> {
  const { readFile } = await import("node:fs/promises");
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = (await readFile("/proc/net/tcp", "utf8")).split("\n").map((line) => line.trim().split(/\s+/));
  return lines.find(([, local, , state]) => local?.endsWith(`:${hex}`) && state === "0A")?.[9];
}

async function inodeOf(pid: number, fd: number): Promise<string | undefined> {
  const { readlink } = await import("node:fs/promises");
  return /socket:\[(\d+)\]/.exec(await readlink(`/proc/${pid}/fd/${fd}`))?.[1];
}

for (const [form, listen] of Object.entries({
  "a port as text": "server.listen(process.env.PORT, up)",
  "a port as a number, on any host": 'server.listen(Number(process.env.PORT), "0.0.0.0", 64, up)',
  options: 'server.listen({ port: +process.env.PORT, host: "::" }, up)',
})) {
  test(`node worker: listen by ${form} gets the inherited socket`, async () => {
    await using workers = await Workers.make();
    const { run, port } = await workers.started(`import { createServer } from "node:http";
      const server = createServer((_, response) => response.end("hello"));
      const up = () => console.log("up", server.address().port);
      ${listen};`);
    await says(run, `up ${port}\n`);
    assert.equal(await inodeListening(port), await inodeOf(run.job.pid, 3));
    assert.equal(await bodyOf(port), "hello");
  });
}

test("node worker: other ports, sockets and later servers are left alone, and nothing says LISTEN_FDS any more", async () => {
  await using workers = await Workers.make();
  const { run, port } = await workers.started(`import net from "node:net";
    const listening = (...args) => new Promise((resolve, reject) => {
      const server = net.createServer().on("error", reject).listen(...args, () => resolve(server));
    });
    const other = await listening(0, "127.0.0.1");
    const local = await listening("here.sock");
    const own = await listening(process.env.PORT);
    const again = await listening(process.env.PORT).catch((error) => error.code);
    console.log(JSON.stringify([other.address().port, local.address(), own.address().port, again,
      Object.keys(process.env).filter((name) => name.startsWith("LISTEN_")), process.execArgv]));`);
  const text = await says(run, "\n");
  const [other, local, own, again, names, execArgv] = JSON.parse(text) as unknown[];
  assert.notEqual(other, port);
  assert.deepEqual([local, own, again, names], ["here.sock", port, "EADDRINUSE", []]);
  assert.deepEqual(execArgv, ["--enable-source-maps"]);
});

test("node worker: what it starts does not take the socket", async () => {
  await using workers = await Workers.make();
  await workers.file(
    "child.cjs",
    `process.send({ names: Object.keys(process.env).filter((n) => n.startsWith("LISTEN_")) });`,
  );
  const { run } = await workers.started(`import { fork } from "node:child_process";
    fork("./child.cjs", { env: { ...process.env, LISTEN_FDS: "1", LISTEN_PID: String(process.pid) } })
      .on("message", ({ names }) => console.log("names", names.length)).on("exit", (code) => console.log("exit", code));`);
  // The preload is not in the child's arguments, so what it was given stays, and is not ours.
  assert.match(await says(run, "exit"), /names 2\nexit 0\n/);
});

test("node worker: a port that was tried, closed and listened on again is the same socket; in between it refuses", async () => {
  await using workers = await Workers.make();
  const { run, port } = await workers.started(`import { createServer } from "node:http";
    const listen = () => new Promise((resolve) => {
      const server = createServer((_, response) => response.end("again"));
      server.listen(process.env.PORT, () => resolve(server));
    });
    for (let n = 0; n < 3; n += 1) await new Promise(async (closed) => (await listen()).close(closed));
    console.log("closed");
    process.stdin.on("end", () => {});
    process.on("SIGUSR2", async () => { await listen(); console.log("up"); });
    setInterval(() => {}, 1000);`);
  await says(run, "closed\n");
  await assert.rejects(bodyOf(port));
  process.kill(run.job.pid, "SIGUSR2");
  await says(run, "up\n");
  assert.equal(await bodyOf(port), "again");
});

test("node worker: ends by itself once its server is closed", async () => {
  await using workers = await Workers.make();
  const { run } = await workers.started(`import { createServer } from "node:http";
    const server = createServer().listen(process.env.PORT, () => server.close());`);
  assert.equal((await run.ended()).exitStatus, 0);
});

test("node worker: without a socket it binds its port itself", async () => {
  await using workers = await Workers.make();
  const artefactPath = await workers.file("app.mjs", SERVES);
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address() as AddressInfo;
  free.close();
  const { command, env } = instanceCommand({ ...workers.options(port), artefactPath });
  const run = await workers.start(command, { env });
  await says(run, "up\n");
  assert.equal(await bodyOf(port), "hello");
});

test("standby: waits on a private socket, becomes the worker, answers, and leaves nothing of ours open", async () => {
  await using workers = await Workers.make();
  const { run, port, socketPath } = await workers.standby();
  assert.equal(statSync(socketPath).mode & 0o777, 0o600);
  const load = await workers.file(
    "app.mjs",
    `${SERVES}
    console.log(JSON.stringify([process.argv.slice(1), import.meta.main, Object.keys(process.env).filter((n) => /STANDBY|LISTEN/.test(n))]));`,
  );
  const answer = await loadInto(socketPath, { load, env: { ANSWER: "warm" } }, deadline());
  assert.equal(answer.kind, "loaded");
  assert.equal(await bodyOf(port), "warm");
  assert.deepEqual(JSON.parse((await says(run, "up\n")).split("\n")[0]!), [[load], true, []]);
  assert.ok(!existsSync(socketPath));
  assert.equal((await loadInto(socketPath, { load }, deadline())).kind, "absent");
});

test("standby: a program that ends by itself ends, as a module and as CommonJS with require.main", async () => {
  for (const [name, text] of [
    ["app.mjs", "await 1; console.log('main', import.meta.main);"],
    ["app.cjs", "console.log('main', require.main === module, process.mainModule === module);"],
  ] as const) {
    await using workers = await Workers.make();
    const { run, socketPath } = await workers.standby();
    const answer = await loadInto(socketPath, { load: await workers.file(name, text) }, deadline());
    assert.equal(answer.kind, "loaded", name);
    assert.equal((await run.ended()).exitStatus, 0, name);
    assert.match(await run.stdout(), /^main true( true)?\n$/);
    assert.equal(await run.stderr(), "");
  }
});

const FAILURES: Record<string, { text: string; message: RegExp; status: number }> = {
  "an error at its top level": { text: "throw new TypeError('boom');", message: /^TypeError: boom$/, status: 1 },
  "an error after an await": { text: "await 1; throw new Error('late');", message: /^Error: late$/, status: 1 },
  "a package that is missing": { text: "import 'no-such-package';", message: /no-such-package/, status: 1 },
  "something that is no error": { text: "throw 7;", message: /not an Error was thrown: 7/, status: 1 },
};

for (const [name, { text, message, status }] of Object.entries(FAILURES)) {
  for (const extension of ["mjs", "cjs"]) {
    if (extension === "cjs" && /await|import/.test(text)) continue;
    test(`standby: ${name} (${extension}) is told, and it ends as if started directly`, async () => {
      await using workers = await Workers.make();
      const { run, socketPath } = await workers.standby();
      const load = await workers.file(`app.${extension}`, text);
      const answer = await loadInto(socketPath, { load }, deadline());
      assert.equal(answer.kind, "failed");
      assert.match(answer.kind === "failed" ? answer.message : "", message);
      assert.equal((await run.ended()).exitStatus, status);
      assert.match(await run.stderr(), message.source.startsWith("^") ? new RegExp(message.source.slice(1, -1)) : /\S/);
    });
  }
}

test("standby: one that ends while it is loaded is silent; an abort stops the waiting, not the loading", async () => {
  await using workers = await Workers.make();
  const first = await workers.standby();
  const exits = await workers.file("exits.mjs", "process.exit(3);");
  assert.equal((await loadInto(first.socketPath, { load: exits }, deadline())).kind, "silent");
  assert.equal((await first.run.ended()).exitStatus, 3);

  const second = await workers.standby();
  const waits = await workers.file(
    "waits.mjs",
    "console.log('waits'); setInterval(() => {}, 1000); await new Promise(() => {});",
  );
  const stop = new AbortController();
  const loading = loadInto(second.socketPath, { load: waits }, stop.signal);
  await says(second.run, "waits\n");
  stop.abort(new Error("enough"));
  await assert.rejects(loading, { message: "enough" });
  assert.ok(existsSync(`/proc/${second.run.job.pid}`));
});

test("standby: what is no order is hung up on, and an order after it is taken", async () => {
  await using workers = await Workers.make();
  const { socketPath, port } = await workers.standby();
  const stranger = connect(socketPath);
  stranger.write("GET / HTTP/1.1\r\n\r\n");
  await once(stranger, "close");
  const load = await workers.file("app.mjs", SERVES);
  assert.equal((await loadInto(socketPath, { load }, deadline())).kind, "loaded");
  assert.equal(await bodyOf(port), "hello");
});
