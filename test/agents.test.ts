import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Session } from "../src/protocol/units.ts";
import { variant } from "./harness/build-copy.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { KillPoints } from "./harness/kill-points.ts";
import { ended, killProcess } from "./harness/processes.ts";
import { withSeed } from "./harness/random.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { WatchingAgent } from "./harness/watching-agent.ts";

/** Agents as sessions, through the command line and the wire: what was said is said once, whatever dies in between. */
const TIMEOUT_MS = 120_000;
const KILLS = process.env.WARREN_PROOF ? 60 : 8;
const SCRIPTED = join(import.meta.dirname, "..", "examples", "agents", "scripted.ts");

/** A home with a place for what scripted agents write down. */
function agentHome(): TemporaryHome {
  const house = temporaryHome({ env: { SCRIPTED_AGENT_LOG: "prompts.log" } });
  return house;
}

async function newAgent(house: TemporaryHome, ...flags: string[]): Promise<Session> {
  const command = [process.execPath, SCRIPTED, ...flags].join(" ");
  const { status, stdout, stderr } = await house.warren(["new", "--agent", command, "--json"]);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Session;
}

const linesOf = (path: string): string[] => (existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : []);

/** What the agent was asked, in order, by its own account. */
const promptsOf = (house: TemporaryHome): string[] =>
  linesOf(join(house.dir, "prompts.log")).map((line) => (JSON.parse(line) as { text: string }).text);

test("agents: a prompt is answered, files are changed and commands run", { timeout: TIMEOUT_MS }, async () => {
  await using house = agentHome();
  const fox = await newAgent(house);
  assert.deepEqual([fox.kind, fox.state, fox.agent?.name], ["agent", "idle", "scripted"]);
  writeFileSync(join(house.dir, "notes.txt"), "one bug\n");
  const script =
    "say Looking.\nplan [x] look; [~] mend\nedit notes.txt s/bug/fix/\nrun echo $((40+2)) > sum.txt\nsay Done.";
  const { status, stdout, stderr } = await house.warren(["prompt", fox.name, "--wait", script]);
  assert.equal(status, 0, stderr);
  assert.equal(
    stdout,
    "Looking.\nplan:\n  [x] look\n  [~] mend\n* Edit notes.txt: done\n* echo $((40+2)) > sum.txt: done\nDone.\n",
  );
  assert.equal(readFileSync(join(house.dir, "notes.txt"), "utf8"), "one fix\n");
  assert.equal(readFileSync(join(house.dir, "sum.txt"), "utf8"), "42\n");
  assert.deepEqual(promptsOf(house), [script]);

  assert.equal((await house.warren(["prompt", fox.name, "--wait", "fail broken"])).status, 1);
  assert.match(
    (await house.warren(["history", fox.name])).stdout,
    /^Looking\.$[\s\S]*^Done\.$[\s\S]*\[error\].*broken/m,
  );
  assert.match((await house.warren(["logs", fox.name, "--tail", "1"])).stdout, /error/);
  const { stdout: listed } = await house.warren(["sessions"]);
  assert.match(listed, new RegExp(`^${fox.name} +agent +idle `, "m"));
});

test("agents: verbs for terminals say what an agent is, and the other way round", { timeout: TIMEOUT_MS }, async () => {
  await using house = agentHome();
  const fox = await newAgent(house);
  const sent = await house.warren(["send", fox.name, "hello"]);
  assert.match(sent.stderr, /is an agent[\s\S]*warren prompt/);
  const owl = JSON.parse((await house.warren(["new", "-d", "--json", "--", "cat"])).stdout) as Session;
  const prompted = await house.warren(["prompt", owl.name, "hello"]);
  assert.match(prompted.stderr, /is a session: it takes keys[\s\S]*warren send/);
  const none = await house.warren(["approve", fox.name]);
  assert.match(none.stderr, /asks nothing/);
});

test(
  "agents: a question is answered once; all who look on see by whom, and who comes late is told",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = agentHome();
    const fox = await newAgent(house);
    using ann = await WatchingAgent.watch(house.places, fox.id);
    using bob = await WatchingAgent.watch(house.places, fox.id);
    await ann.prompt('ask "deploy?" allow|always|deny\nsay deployed');
    await Promise.all([ann.untilAsked(), bob.untilAsked()]);
    const [question] = bob.of("permission");
    const { stdout } = await house.warren(["sessions"]);
    assert.match(stdout, /needs you .*deploy\?/);
    const waited = await house.warren(["wait", fox.name, "--for", "needs-you", "--timeout", "20s"]);
    assert.equal(waited.status, 0);

    const approved = await house.warren(["approve", fox.name], { env: { USER: "eve" } });
    assert.equal(approved.status, 0, approved.stderr);
    await Promise.all([ann.untilTurns(1), bob.untilTurns(1)]);
    for (const one of [ann, bob]) {
      assert.deepEqual(
        one.of("permission").map(({ state, option_id, by }) => [state, option_id, by]),
        [["answered", "allow", "eve"]],
      );
      assert.deepEqual(one.said(), ["deployed"]);
      await one.assertSame();
    }
    await assert.rejects(bob.answer("deny", "bob", question!.id), { code: "PERMISSION_RESOLVED", message: /by eve/ });
    await assert.rejects(bob.answer("deny", "bob"), { code: "NO_QUESTION" });
  },
);

test("agents: cancel ends the turn, its question and what waits", { timeout: TIMEOUT_MS }, async () => {
  await using house = agentHome();
  const fox = await newAgent(house);
  using ann = await WatchingAgent.watch(house.places, fox.id);
  await ann.prompt('ask "deploy?" allow|deny\nsay deployed');
  await ann.untilAsked();
  const queued = await ann.prompt("say later");
  assert.equal(queued.receipt.state, "queued");
  const { stdout } = await house.warren(["cancel", fox.name]);
  assert.match(stdout, /is stopping; 1 prompt forgotten/);
  await ann.untilTurns(1);
  assert.deepEqual(
    [ann.of("turn")[0]?.stop_reason, ann.of("permission")[0]?.state, ann.said()],
    ["cancelled", "cancelled", []],
  );
  await ann.assertSame();
});

test(
  "agents: the server is killed in a turn, in a question, between prompt and answer: everything is there once",
  { timeout: TIMEOUT_MS },
  async () => {
    await withSeed(async (random) => {
      await using house = agentHome();
      const fox = await newAgent(house);
      using ann = await WatchingAgent.watch(house.places, fox.id);
      const kills = new KillPoints(house);
      const asked: string[] = [];
      for (let count = 1; count <= KILLS; count++) {
        const script = [
          `say begin ${count}`,
          `run echo ${count} >> ran.txt; sleep 0.1; echo ran ${count}`,
          `wait ${random.between(1, 40)}ms`,
          ...(random.oneIn(2) ? [`ask "go on ${count}?" allow|deny`] : []),
          `say end ${count}`,
        ].join("\n");
        asked.push(script);
        const isAsking = script.includes("ask ");
        const prompted = ann.prompt(script);
        if (isAsking && random.oneIn(2))
          await ann.until(() => ann.of("permission").length >= countOf(asked), "a question");
        await new Promise((wake) => setTimeout(wake, random.between(0, 250)));
        await kills.kill();
        await prompted;
        if (isAsking) {
          await ann.until(() => ann.of("permission").length >= countOf(asked), "a question");
          const answered = ann.answer("allow", "ann");
          if (random.oneIn(2)) await kills.kill();
          await answered;
        }
        await ann.untilTurns(count);
      }
      assert.deepEqual(promptsOf(house), asked, "each prompt once, in order");
      assert.deepEqual(
        linesOf(join(house.dir, "ran.txt")),
        asked.map((_, at) => String(at + 1)),
        "each command once",
      );
      assert.deepEqual(
        ann.of("turn").map(({ stop_reason }) => stop_reason),
        asked.map(() => "end_turn"),
      );
      assert.deepEqual(
        ann.said(),
        asked.flatMap((_, at) => [`begin ${at + 1}`, `end ${at + 1}`]),
      );
      await ann.assertSame();
      await assertFoldedAnew(house, ann);
    });
  },
);

const countOf = (scripts: readonly string[]): number => scripts.filter((script) => script.includes("ask ")).length;

/** The conversation does not depend on where it was checkpointed: without the checkpoint, the journal gives the same. */
async function assertFoldedAnew(house: TemporaryHome, watching: WatchingAgent): Promise<void> {
  const { items, seq } = await watching.conversation();
  const server = await house.server();
  killProcess(server);
  await ended(server);
  rmSync(join(house.places.sessionsDir, watching.id, "conversation.json"), { force: true });
  const anew = await watching.conversation();
  assert.deepEqual([anew.seq, anew.items], [seq, items]);
}

test("agents: reload during three questions and a stream", { timeout: TIMEOUT_MS }, async () => {
  await using house = agentHome();
  const agents = await Promise.all([1, 2, 3, 4].map(() => newAgent(house)));
  const watching = await Promise.all(agents.map(({ id }) => WatchingAgent.watch(house.places, id)));
  const [one, two, three, streaming] = watching as [WatchingAgent, WatchingAgent, WatchingAgent, WatchingAgent];
  const asking = [one, two, three];
  await Promise.all(asking.map((agent, at) => agent.prompt(`ask "number ${at}?" allow|deny\nsay yes ${at}`)));
  await Promise.all(asking.map((agent) => agent.untilAsked()));
  const words = Array.from({ length: 60 }, (_, at) => [`say part ${at};`, "wait 10ms"]).flat();
  // However slow the machine is, the turn is still running after the reloads.
  const gate = "run until [ -e go-on ]; do sleep 0.05; done";
  await streaming.prompt([...words.slice(0, 60), gate, ...words.slice(60)].join("\n"));
  await streaming.until(() => streaming.said().join("").includes("part 5;"), "the stream");
  for (let count = 0; count < 2; count++) {
    const { status, stderr } = await house.warren(["reload"]);
    assert.equal(status, 0, stderr);
  }
  assert.equal(streaming.of("turn")[0]?.state, "working", "it streams still");
  writeFileSync(join(house.dir, "go-on"), "");
  const { stdout } = await house.warren(["sessions"]);
  assert.equal(stdout.match(/needs you/g)?.length, 3);
  await Promise.all(asking.map((agent) => agent.answer("allow", "ann")));
  await Promise.all(watching.map((agent) => agent.untilTurns(1)));
  assert.deepEqual(
    asking.map((agent) => agent.said()),
    [["yes 0"], ["yes 1"], ["yes 2"]],
  );
  assert.equal(streaming.said().join(""), Array.from({ length: 60 }, (_, at) => `part ${at};`).join(""));
  for (const agent of watching) {
    await agent.assertSame();
    agent[Symbol.dispose]();
  }
});

test(
  "agents: one that dies in a turn has ended, its question and commands with it",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = agentHome();
    const fox = await newAgent(house);
    using ann = await WatchingAgent.watch(house.places, fox.id);
    await ann.prompt("say before\nrun echo $$ > pid.txt; exec sleep 100000");
    const pid = await waitUntil(() => linesOf(join(house.dir, "pid.txt"))[0] || undefined, { what: "the command" });
    process.kill(fox.pid, "SIGKILL");
    await ann.until(() => ann.state === "ended", "its end");
    assert.equal(ann.of("turn")[0]?.stop_reason, "agent_ended");
    await waitUntil(() => !existsSync(`/proc/${pid}`), { what: "the command's end" });
    await house.client().request("session.wait", { session: fox.id, conditions: [{ kind: "exit" }] });
    const [gone] = JSON.parse((await house.warren(["sessions", "--all", "--json"])).stdout) as Session[];
    assert.deepEqual([gone?.status, gone?.outcome?.kind], ["stopped", "signalled"]);
    assert.match((await house.warren(["history", fox.name])).stdout, /^before$/m);
  },
);

test("agents: resume goes on with the very conversation", { timeout: TIMEOUT_MS }, async () => {
  await using house = agentHome();
  const fox = await newAgent(house);
  assert.equal((await house.warren(["prompt", fox.name, "--wait", "say first"])).status, 0);
  assert.equal((await house.warren(["stop", fox.name])).status, 0);
  const resumed = await house.warren(["resume", fox.name, "--json"]);
  assert.equal(resumed.status, 0, resumed.stderr);
  const back = JSON.parse(resumed.stdout) as Session;
  assert.deepEqual(
    [back.id, back.name, back.agent?.session_id, back.state],
    [fox.id, fox.name, fox.agent?.session_id, "idle"],
  );
  assert.notEqual(back.pid, fox.pid);
  assert.equal((await house.warren(["prompt", fox.name, "--wait", "say second"])).status, 0);
  using ann = await WatchingAgent.watch(house.places, fox.id);
  assert.deepEqual(ann.said(), ["first", "second"]);
  assert.deepEqual(promptsOf(house), ["say first", "say second"]);
  await assertFoldedAnew(house, ann);
});

test("agents: the keeper is killed: resumed, the conversation goes on", { timeout: TIMEOUT_MS }, async () => {
  await using house = agentHome();
  const fox = await newAgent(house);
  assert.equal((await house.warren(["prompt", fox.name, "--wait", "say first"])).status, 0);
  const keeper = await house.keeper();
  killProcess(keeper);
  await ended(keeper);
  await waitUntil(
    async () => /"status": ?"stopped"/.test((await house.warren(["sessions", "--all", "--json"])).stdout),
    { what: "the loss to be known" },
  );
  await waitUntil(() => !existsSync(`/proc/${fox.pid}`), { what: "the agent's end" });
  const resumed = await house.warren(["resume", "--all", "--json"]);
  assert.equal(resumed.status, 0, resumed.stderr);
  assert.equal((await house.warren(["prompt", fox.name, "--wait", "say second"])).status, 0);
  using ann = await WatchingAgent.watch(house.places, fox.id);
  assert.deepEqual(ann.said(), ["first", "second"]);
  await assertFoldedAnew(house, ann);
});

test("agents: moved to another server while it asks and a command runs", { timeout: TIMEOUT_MS }, async () => {
  await using house = agentHome();
  const fox = await newAgent(house);
  const owl = await newAgent(house);
  using ann = await WatchingAgent.watch(house.places, fox.id);
  using bob = await WatchingAgent.watch(house.places, owl.id);
  await ann.prompt('ask "deploy?" allow|deny\nsay deployed');
  await bob.prompt("run until [ -e go ]; do sleep 0.05; done; echo once >> ran.txt\nsay done");
  await ann.untilAsked();
  await bob.until(() => bob.of("tool_call").some(({ status }) => status === "in_progress"), "the command");
  const newer = variant({ hash: "newer02", newerByMs: 1_000 });
  const started = await house.warren(["new", "-d", "--json", "--server-name", "second", "--", "cat"], { from: newer });
  assert.equal(started.status, 0, started.stderr);
  for (const { name } of [fox, owl]) {
    const { status, stderr } = await house.warren(["move", name, "second"]);
    assert.equal(status, 0, stderr);
  }
  const { stdout } = await house.warren(["sessions", "--json"]);
  const sessions = JSON.parse(stdout) as Session[];
  const moved = sessions.filter(({ kind }) => kind === "agent");
  assert.deepEqual(
    moved.map(({ server }) => server),
    ["second", "second"],
  );
  writeFileSync(join(house.dir, "go"), "");
  assert.equal((await house.warren(["approve", fox.name])).status, 0);
  await Promise.all([ann.untilTurns(1), bob.untilTurns(1)]);
  assert.deepEqual([ann.said(), bob.said()], [["deployed"], ["done"]]);
  assert.deepEqual(linesOf(join(house.dir, "ran.txt")), ["once"]);
  await Promise.all([ann.assertSame(), bob.assertSame()]);
});

test(
  "agents: one that cannot be spoken to is no session; one that wants a login is",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = agentHome();
    const created = (command: string) => house.warren(["new", "-d", "--agent", command]);
    const refused = await created(`${process.execPath} ${SCRIPTED} --fault no-session`);
    assert.equal(refused.status, 125);
    assert.match(refused.stderr, /no session today/);
    const silent = await created("sh -c 'echo oh no >&2; exit 3'");
    assert.match(silent.stderr, /has ended[\s\S]*oh no/);
    const speaking = await created("sh -c 'echo Welcome; exit 0'");
    assert.match(speaking.stderr, /does not speak the Agent Client Protocol/);
    assert.deepEqual(JSON.parse((await house.warren(["sessions", "--all", "--json"])).stdout), []);

    const owl = await newAgent(house, "--fault", "login");
    assert.deepEqual([owl.state, owl.attention?.includes("magic-word")], ["needs_you", true]);
    await assert.rejects(house.client().request("session.prompt", { session: owl.id, text: "say hello" }), {
      code: "AGENT_NEEDS_LOGIN",
    });
    const { session } = await house.client().request("session.login", { session: owl.id });
    assert.deepEqual([session.state, session.attention], ["idle", undefined]);
    assert.equal((await house.warren(["prompt", owl.name, "--wait", "say hello"])).stdout, "hello\n");
  },
);

test("agents: attached through pipes, lines are prompts and commands", { timeout: TIMEOUT_MS }, async () => {
  await using house = agentHome();
  const fox = await newAgent(house);
  const { status, stdout } = await house.warren(["attach", fox.name], {
    input: "say one\n/mode code\n/nonsense\nsay two\n",
    env: { USER: "ann" },
  });
  assert.equal(status, 0);
  assert.match(stdout, /> say one {3}\(ann\)\none\n[\s\S]*\ntwo\n/);
  const { session } = await house.client().request("session.get", { session: fox.id });
  assert.equal(session.agent?.mode, "code");
});
