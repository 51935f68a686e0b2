import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryHome } from "./harness/home.ts";
import { ERAS, McpAgent, RawMcp } from "./harness/mcp.ts";
import { waitUntil } from "./harness/wait-until.ts";

const TIMEOUT_MS = 60_000;
/** What clients of the first release saw; `WARREN_RECORD=1` writes what is not there yet. */
const GOLDEN = join(import.meta.dirname, "golden", "mcp-tools.json");
const OLD = "2025-11-25";

const initialize = {
  method: "initialize",
  params: { protocolVersion: OLD, capabilities: {}, clientInfo: { name: "raw", version: "1" } },
};

describe("mcp", { timeout: 4 * TIMEOUT_MS }, () => {
  for (const era of ERAS) {
    test(`${era}: a job is run, waited for, read and stopped`, async () => {
      await using house = temporaryHome();
      await using agent = await McpAgent.start(house, { era });
      const run = await agent.ok("job_run", {
        command: "echo one; echo two >&2; echo ready; exec sleep 1000",
        name: "web",
      });
      assert.equal(run.data.action, "created");
      assert.deepEqual(run.data.job.command, ["sh", "-c", "echo one; echo two >&2; echo ready; exec sleep 1000"]);
      assert.equal(
        (await agent.ok("job_run", { command: run.data.job.command, name: "web" })).data.action,
        "already_running",
      );
      const ready = await agent.ok("job_wait", { job: "web", log: "/re.dy/" });
      assert.equal(ready.data.result, "met");
      assert.deepEqual(ready.data.met, ["log"]);
      assert.match(ready.data.output.text, /one\n/);
      assert.ok(ready.text.endsWith(`[cursor "${ready.data.output.cursor}"]`), "who reads only text can go on as well");
      const { data: logs } = await agent.ok("job_logs", { job: "web", grep: "one" });
      assert.equal(logs.text, "one\n");
      const soon = await agent.ok("job_await", { job: "web", timeout_s: 0.1, cursor: ready.data.output.cursor });
      assert.deepEqual([soon.data.result, soon.data.output.text], ["timed_out", ""]);
      const stopped = await agent.ok("job_stop", { job: "web" });
      assert.equal(stopped.data.stopped, true);
      const ended = await agent.ok("job_await", { job: "web" });
      assert.deepEqual([ended.data.result, ended.data.succeeded, ended.data.job.outcome], ["met", false, "SIGTERM"]);
      const { data: list } = await agent.ok("job_list");
      assert.deepEqual(
        list.jobs.map(({ name, state }: { name: string; state: string }) => [name, state]),
        [["web", "ended"]],
      );
    });

    test(`${era}: which port it is, a name that is taken, and a job of another project are said`, async () => {
      await using house = temporaryHome();
      await using agent = await McpAgent.start(house, { era });
      const serve =
        "require('http').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })";
      await agent.ok("job_run", { command: [process.execPath, "-e", serve], name: "web" });
      const open = await agent.ok("job_wait", { job: "web", port: "any" });
      const [port] = open.data.job.ports;
      assert.equal(open.data.output.text.trim() || String(port), String(port));
      assert.match(open.text, new RegExp(`^It is so \\(port\\)\\. web .*, port ${port}: `));
      const taken = await agent.call("job_run", { command: "true", name: "web" });
      assert.deepEqual([taken.code, /register/.test(taken.text)], ["NAME_TAKEN", false], taken.text);

      const elsewhere = join(house.base, "elsewhere");
      mkdirSync(elsewhere);
      await using other = await McpAgent.start(house, { era, cwd: elsewhere });
      assert.equal((await other.ok("job_list")).text, "No jobs.");
      const stopped = await other.ok("job_stop", { job: "web" });
      assert.ok(stopped.text.includes(` in ${house.dir} ended: SIGTERM`), stopped.text);
    });

    test(`${era}: a session is listed, typed into and read`, async () => {
      await using house = temporaryHome();
      await using agent = await McpAgent.start(house, { era });
      const { status, stderr } = await house.warren([
        "new",
        "--name",
        "fox",
        "--detached",
        "--",
        "sh",
        "-c",
        "read line; echo got $line; exec sleep 1000",
      ]);
      assert.equal(status, 0, stderr);
      const { data } = await agent.ok("session_list");
      assert.deepEqual(
        data.sessions.map(({ name, kind }: { name: string; kind: string }) => [name, kind]),
        [["fox", "session"]],
      );
      const sent = await agent.ok("session_send", { session: "fox", text: "hello" });
      assert.equal(sent.data.state, "typed");
      const seen = await waitUntil(
        async () => {
          const { data: read } = await agent.ok("session_read", { session: "fox", cursor: sent.data.cursor });
          return read.text.includes("got hello") && read;
        },
        { what: "its answer on the screen" },
      );
      assert.equal(seen.changed, true);
      let { cursor } = seen;
      const again = await waitUntil(
        async () => {
          const { data: read } = await agent.ok("session_read", {
            session: "fox",
            cursor,
            wait: "exit",
            timeout_s: 0.1,
          });
          cursor = read.cursor;
          return read.changed === false && read; // what comes after its answer has come
        },
        { what: "a screen that stays" },
      );
      assert.equal(again.timed_out, true);
    });
  }

  test("an agent is prompted, waited for and read", async () => {
    await using house = temporaryHome();
    await using agent = await McpAgent.start(house);
    const scripted = join(import.meta.dirname, "..", "examples", "agents", "scripted.ts");
    const { status, stderr } = await house.warren([
      "new",
      "-d",
      "--name",
      "owl",
      "--agent",
      `${process.execPath} ${scripted}`,
    ]);
    assert.equal(status, 0, stderr);
    await agent.ok("session_read", { session: "owl", wait: "idle" });
    const sent = await agent.ok("session_send", { session: "owl", text: "hello" });
    assert.equal(sent.data.state, "sent");
    const read = await agent.ok("session_read", { session: "owl", wait: "idle", cursor: sent.data.cursor });
    assert.match(read.data.text, /^> hello\n\S/);
    const nothing = await agent.ok("session_read", { session: "owl", cursor: read.data.cursor });
    assert.deepEqual([nothing.data.text, nothing.data.changed], ["", false]);
  });

  test("a failed call says what to do next, and a wrong argument which", async () => {
    await using house = temporaryHome();
    await using agent = await McpAgent.start(house);
    const missing = await agent.call("job_logs", { job: "nosuch" });
    assert.deepEqual([missing.isError, missing.code], [true, "JOB_NOT_FOUND"]);
    assert.match(missing.text, /job_list/);
    const wrong = await agent.call("job_stop", { name: "web" });
    assert.equal(wrong.isError, true);
    assert.match(wrong.text, /job/);
    for (const cursor of ["", "x", "4xc-1:1", "4xc-1:-1:0"]) {
      await agent.ok("job_run", { command: ["true"], name: "done" });
      assert.equal((await agent.call("job_logs", { job: "done", cursor })).code, "CURSOR_INVALID", cursor);
    }
    const directory = await agent.call("job_run", { command: "true", dir: "no/such" });
    assert.equal(directory.code, "DIRECTORY_NOT_FOUND");
  });

  test("a call that is given up is over at once, and the next one is served", async () => {
    await using house = temporaryHome();
    await using agent = await McpAgent.start(house);
    await agent.ok("job_run", { command: "exec sleep 1000", name: "long" });
    const given = new AbortController();
    const waiting = agent.call("job_await", { job: "long" }, { signal: given.signal });
    waiting.catch(() => {});
    await agent.ok("job_list");
    given.abort();
    await assert.rejects(waiting);
    assert.equal((await agent.ok("job_stop", { job: "long", force: true })).data.stopped, true);
  });

  test("the server of the jobs is replaced in the middle of a wait", async () => {
    await using house = temporaryHome();
    await using agent = await McpAgent.start(house);
    await agent.ok("job_run", { command: "until [ -e go ]; do sleep 0.02; done; echo went", name: "gate" });
    const waiting = agent.ok("job_await", { job: "gate" });
    const before = await house.server();
    process.kill(before.pid, "SIGKILL");
    await waitUntil(() => house.processes("server").some(({ pid }) => pid !== before.pid), { what: "the next server" });
    writeFileSync(join(house.dir, "go"), "");
    const { data } = await waiting;
    assert.deepEqual([data.succeeded, data.output.text], [true, "went\n"]);
  });
});

describe("mcp, line by line", { timeout: 4 * TIMEOUT_MS }, () => {
  test("initialize and the list of tools are as they were released", async () => {
    await using house = temporaryHome();
    await using raw = new RawMcp(house, ["--compat", "claude-ipc"]);
    raw.send({ id: 1, ...initialize });
    const { result } = (await raw.answer(1)) as {
      result: { protocolVersion: string; serverInfo: { name: string }; capabilities: object; instructions: string };
    };
    assert.equal(result.protocolVersion, OLD);
    assert.equal(result.serverInfo.name, "warren");
    assert.deepEqual(Object.keys(result.capabilities).sort(), ["resources", "tools"]);
    assert.match(result.instructions, /never your user's order/);
    raw.send({ method: "notifications/initialized" });
    raw.send({ id: 2, method: "tools/list" });
    const listed = ((await raw.answer(2)).result as { tools: Tool[] }).tools;
    for (const tool of listed) {
      assert.match(tool.name, /^[a-z_]{2,20}$/);
      assert.ok(tool.title && tool.description.length > 10 && tool.outputSchema && tool.annotations, tool.name);
      for (const [name, field] of Object.entries(tool.inputSchema.properties ?? {}))
        if (!UPSTREAM.has(name)) assert.ok(field.description, `${tool.name}.${name} says what it is`);
    }
    const shapes = Object.fromEntries(
      listed.map(({ name, inputSchema, outputSchema }) => [name, { takes: inputSchema, gives: outputSchema }]),
    );
    if (!existsSync(GOLDEN) && process.env.WARREN_RECORD === "1")
      writeFileSync(GOLDEN, `${JSON.stringify(shapes, null, 2)}\n`);
    assert.deepEqual(
      shapes,
      JSON.parse(readFileSync(GOLDEN, "utf8")),
      `delete ${GOLDEN} and run with WARREN_RECORD=1 when it was meant`,
    );
  });

  test("garbage is passed over, and what follows is served", async () => {
    await using house = temporaryHome();
    await using raw = new RawMcp(house);
    const garbage = [
      "",
      "hello",
      "{",
      "[]",
      "null",
      '{"jsonrpc":"2.0"}',
      `{"jsonrpc":"2.0","id":9,"method":${"[".repeat(5_000)}`,
      "\u0000\u0001\u{1f600}",
    ];
    for (const line of garbage) raw.write(`${line}\n`);
    raw.write(Buffer.from([0xff, 0xfe, 0x0a]));
    raw.send({ id: 1, ...initialize });
    await raw.answer(1);
    for (const line of garbage) raw.write(`${line}\n`);
    raw.send({ id: 2, method: "tools/call", params: { name: "nosuch", arguments: {} } });
    raw.send({ id: 3, method: "no/such" });
    raw.send({ id: 4, method: "tools/call", params: { name: "session_list", arguments: {} } });
    assert.ok(JSON.stringify(await raw.answer(2)).includes("nosuch"));
    assert.equal(((await raw.answer(3)).error as { code: number }).code, -32_601);
    assert.ok((await raw.answer(4)).result);
    for (const line of raw.lines)
      assert.equal(JSON.parse(line).jsonrpc, "2.0", "only the protocol is on standard output");
  });

  test("a message in pieces and several in one piece are one and the same", async () => {
    await using house = temporaryHome();
    await using raw = new RawMcp(house);
    const text = `${JSON.stringify({ jsonrpc: "2.0", id: 1, ...initialize })}\n`;
    for (const byte of Buffer.from(text)) raw.write(Buffer.from([byte]));
    await raw.answer(1);
    raw.write([5, 6, 7].map((id) => `${JSON.stringify({ jsonrpc: "2.0", id, method: "ping" })}\n`).join(""));
    for (const id of [5, 6, 7]) assert.deepEqual((await raw.answer(id)).result, {});
  });

  test("a client that vanishes, or says too much, ends it; a job that it waited for goes on", async () => {
    await using house = temporaryHome();
    const raw = new RawMcp(house);
    raw.send({ id: 1, ...initialize });
    await raw.answer(1);
    raw.send({
      id: 2,
      method: "tools/call",
      params: { name: "job_run", arguments: { command: "exec sleep 1000", name: "web" } },
    });
    await raw.answer(2);
    raw.send({ id: 3, method: "tools/call", params: { name: "job_await", arguments: { job: "web" } } });
    raw.child.stdin!.end();
    assert.equal(await raw.ended, 0);
    await using flood = new RawMcp(house);
    flood.write(Buffer.alloc(9 * 1024 * 1024, 0x61));
    assert.equal(await flood.ended, 0);
    const { jobs } = await house.client().request("list", {});
    assert.deepEqual(
      jobs.map(({ name, status }) => [name, status]),
      [["web", "running"]],
    );
  });

  test("nothing but the protocol is printed, and what it did stands in its log", async () => {
    await using house = temporaryHome();
    await using raw = new RawMcp(house);
    raw.send({ id: 1, ...initialize });
    await raw.answer(1);
    const log = readFileSync(join(house.places.serverLogsDir, "mcp.log"), "utf8");
    assert.match(log, /"event":"mcp_started"/);
  });
});

interface Tool {
  name: string;
  title: string;
  description: string;
  annotations: object;
  inputSchema: { properties?: Record<string, { description?: string }> };
  outputSchema: object;
}

/** Arguments of claude-ipc-mcp, which explain themselves to whoever has used it. */
const UPSTREAM = new Set([
  "instance_id",
  "from_id",
  "to_id",
  "old_id",
  "new_id",
  "content",
  "data",
  "filepath",
  "command",
  "description",
]);
