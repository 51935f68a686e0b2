import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Client } from "../src/client/client.ts";
import { findSession } from "../src/local/find-session.ts";
import { dialUnix } from "../src/local/unix-wire.ts";
import type { ConversationItem } from "../src/protocol/conversation.ts";
import { isWarrenError } from "../src/protocol/errors.ts";
import type { Session } from "../src/protocol/units.ts";
import { variant } from "./harness/build-copy.ts";
import { AGENT_LOG, newAgent, promptsOf } from "./harness/busy-agents.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { KillPoints } from "./harness/kill-points.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { WatchingAgent } from "./harness/watching-agent.ts";

/** Agents and the people who speak with them, while servers come and go: nobody is told of it, and nothing is done twice. */
const TIMEOUT_MS = 120_000;
const isProof = process.env.WARREN_PROOF === "1";
const MOVES = isProof ? 60 : 8;
const RELOADS = isProof ? 30 : 4;

const agentHome = (): TemporaryHome => temporaryHome({ env: AGENT_LOG });

/** One that goes where its session goes, as the command line's does. */
function clientOf(house: TemporaryHome, id: string): Client & Disposable {
  const client = new Client({
    dial: async (events) => dialUnix((await findSession(house.places, id)).entry.socket, events),
    name: "test",
    version: "0",
    randomId: () => crypto.randomUUID(),
    redialCountMax: 100,
    followsSession: true,
  });
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

/** Resolves when `over` has settled; until then `act` is done again and again, and counted. */
async function doMeanwhile(over: Promise<unknown>, act: (count: number) => Promise<unknown>): Promise<number> {
  let isOver = false;
  const ended = over.finally(() => {
    isOver = true;
  });
  let count = 0;
  for (; !isOver; count++) await act(count);
  await ended;
  return count;
}

test(
  "clients: prompts, modes and cancels meet a moving agent, and nobody notices",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = agentHome();
    const fox = await newAgent(house);
    const newer = variant({ hash: "newer03", newerByMs: 1_000 });
    const started = await house.warren(["new", "-d", "--json", "--server-name", "second", "--", "cat"], {
      from: newer,
    });
    assert.equal(started.status, 0, started.stderr);
    using ann = clientOf(house, fox.id);
    using bob = clientOf(house, fox.id);
    const moves = (async () => {
      for (let count = 0; count < MOVES; count++) {
        const to = count % 2 === 0 ? "second" : fox.server;
        const { status, stderr } = await house.warren(["move", fox.name, to]);
        assert.equal(status, 0, stderr);
      }
    })();
    const session = fox.id;
    const [prompts] = await Promise.all([
      doMeanwhile(moves, async (count) => {
        await ann.request("session.prompt", { session, text: `say ${count}` });
        await ann.request("session.wait", { session, conditions: [{ kind: "idle" }] });
      }),
      doMeanwhile(moves, async (count) => {
        await bob.request("session.mode", { session, mode: count % 2 === 0 ? "ask" : "code" });
      }),
    ]);
    assert.ok(prompts > MOVES, `${prompts} prompts`);
    assert.deepEqual(
      promptsOf(house),
      Array.from({ length: prompts }, (_, count) => `say ${count}`),
    );
  },
);

test("clients: prompts meet reloads, and each is said once, in order", { timeout: TIMEOUT_MS }, async () => {
  await using house = agentHome();
  const fox = await newAgent(house);
  using ann = await WatchingAgent.watch(house.places, fox.id);
  const reloads = (async () => {
    for (let count = 0; count < RELOADS; count++) assert.equal((await house.warren(["reload"])).status, 0);
  })();
  const prompts = await doMeanwhile(reloads, async (count) => {
    const { status, stdout, stderr } = await house.warren(["prompt", fox.name, "--wait", `say ${count}`]);
    assert.deepEqual([status, stdout, stderr], [0, `${count}\n`, ""]);
  });
  assert.deepEqual(
    promptsOf(house),
    Array.from({ length: prompts }, (_, count) => `say ${count}`),
  );
  await ann.untilTurns(prompts);
  await ann.assertSame();
});

test("clients: two answer during a reload: one wins, the other hears who", { timeout: TIMEOUT_MS }, async () => {
  await using house = agentHome();
  const fox = await newAgent(house);
  using ann = await WatchingAgent.watch(house.places, fox.id);
  using bob = await WatchingAgent.watch(house.places, fox.id);
  for (let count = 1; count <= RELOADS; count++) {
    await ann.prompt(`ask "deploy ${count}?" allow|deny\nrun echo ${count} >> deployed.txt`);
    const asked = () => bob.of("permission").find(({ state }) => state === "pending");
    await bob.until(() => asked() !== undefined, "the question");
    const { id } = asked()!;
    const reloading = house.warren(["reload"]);
    const answers = await Promise.allSettled([ann.answer("allow", "ann", id), bob.answer("deny", "bob", id)]);
    assert.equal((await reloading).status, 0);
    await ann.untilTurns(count);
    const { by, option_id } = ann.of("permission").find((item) => item.id === id)!;
    const winner = by === "ann" ? 0 : 1;
    const [won, lost] = [answers[winner]!, answers[1 - winner]!];
    assert.ok(won.status === "fulfilled");
    assert.deepEqual([won.value.option_id, option_id], [by === "ann" ? "allow" : "deny", won.value.option_id]);
    assert.ok(lost.status === "rejected" && isWarrenError(lost.reason, "PERMISSION_RESOLVED"));
    assert.match(lost.reason.message, new RegExp(`by ${by}`));
  }
  await Promise.all([ann.assertSame(), bob.assertSame()]);
});

test(
  "clients: prompts that wait for their turn outlive servers, in order and once",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = agentHome();
    const fox = await newAgent(house);
    using ann = await WatchingAgent.watch(house.places, fox.id);
    const texts = ["until go\nsay go", ...Array.from({ length: 8 }, (_, at) => `say ${at}`)];
    const kills = new KillPoints(house);
    for (const [at, text] of texts.entries()) {
      const prompted = ann.prompt(text);
      if (at % 3 === 1) await kills.kill();
      assert.equal((await prompted).receipt.state, at === 0 ? "sent" : "queued");
    }
    await kills.kill();
    writeFileSync(join(house.dir, "go"), "");
    await ann.until(() => ann.said().includes("1"), "the queue to be worked off");
    await kills.kill();
    await ann.untilTurns(texts.length);
    assert.deepEqual(promptsOf(house), texts);
    assert.deepEqual(ann.said(), ["go", "0", "1", "2", "3", "4", "5", "6", "7"]);
    await ann.assertSame();
  },
);

test(
  "clients: logs -f and attach go on through a reload; who looks on is counted",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = agentHome();
    const fox = await newAgent(house);
    const following = [
      house.start(["logs", "-f", fox.name]),
      house.start(["attach", "--view", fox.name]),
      house.start(["logs", "-f", "--json", fox.name]),
    ];
    const client = house.client();
    const countIs = (count: number) =>
      waitUntil(async () => (await client.request("session.get", { session: fox.id })).session.client_count === count, {
        what: `${count} clients`,
      });
    await countIs(3);
    const parts = Array.from({ length: 40 }, (_, at) => `part ${at};`);
    const script = parts.flatMap((part) => [`say ${part}`, "wait 20ms"]).join("\n");
    assert.equal((await house.warren(["prompt", fox.name, script])).status, 0);
    for (const { shows } of following.slice(0, 2)) await shows(/;part 3;/);
    assert.equal((await house.warren(["reload"])).status, 0);
    for (const { shows } of following.slice(0, 2)) await shows(/part 38;part 39;/);
    for (const { output } of following.slice(0, 2)) assert.ok(output().includes(parts.join("")), output());
    await countIs(3);
    following[0]!.child.kill("SIGINT");
    assert.equal((await following[0]!.ended).status, 130);
    await countIs(2);
    assert.equal((await house.warren(["stop", fox.name])).status, 0);
    const [, attached, json] = await Promise.all(following.map(({ ended }) => ended));
    assert.equal(json!.status, 0);
    assert.match(attached!.stdout, /has ended\]/);
    const seqs = json!.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { seq?: number })
      .flatMap(({ seq }) => seq ?? []);
    assert.deepEqual(
      seqs,
      seqs.map((_, at) => seqs[0]! + at),
      "each change once",
    );
  },
);

test("clients: /reload in a conversation reloads its server", { timeout: TIMEOUT_MS }, async () => {
  await using house = agentHome();
  const fox = await newAgent(house);
  const before = await house.server();
  const { status, stdout } = await house.warren(["attach", fox.name], { input: "say one\n/reload\nsay two\n" });
  assert.equal(status, 0);
  assert.match(stdout, /reloaded: .* Jobs and sessions go on/);
  assert.match(stdout, /^one$[\s\S]*^two$/m);
  assert.notEqual((await house.server()).pid, before.pid);
  assert.deepEqual(promptsOf(house), ["say one", "say two"]);
});

test("clients: modes are listed and set, a login is offered and done", { timeout: TIMEOUT_MS }, async () => {
  await using house = agentHome();
  const fox = await newAgent(house);
  assert.equal((await house.warren(["mode", fox.name])).stdout, "  ask    Ask first\n* code   Code\n");
  assert.match((await house.warren(["mode", fox.name, "ask"])).stdout, /is in mode ask/);
  const { mode, modes } = JSON.parse((await house.warren(["mode", fox.name, "--json"])).stdout);
  assert.deepEqual([mode, modes.map(({ id }: { id: string }) => id)], ["ask", ["ask", "code"]]);
  const unknown = await house.warren(["mode", fox.name, "cod"]);
  assert.equal(unknown.status, 125);
  assert.match(unknown.stderr, /no mode "cod"; it has ask, code\. Did you mean code\?/);

  const owl = await newAgent(house, "--fault", "login");
  const refused = await house.warren(["prompt", owl.name, "say hello"]);
  assert.match(refused.stderr, new RegExp(`magic-word[\\s\\S]*warren login ${owl.name}`));
  const wrong = await house.warren(["login", owl.name, "magic-wand"]);
  assert.match(wrong.stderr, /magic-wand[\s\S]*magic-word/);
  const { session } = JSON.parse((await house.warren(["login", owl.name, "--json"])).stdout) as { session: Session };
  assert.equal(session.state, "idle");
  assert.match((await house.warren(["login", owl.name, "magic-word"])).stdout, /is logged in/);
  assert.equal((await house.warren(["prompt", owl.name, "--wait", "say hello"])).stdout, "hello\n");

  const cat = JSON.parse((await house.warren(["new", "-d", "--json", "--", "cat"])).stdout) as Session;
  for (const verb of ["mode", "login"]) {
    const { status, stderr } = await house.warren([verb, cat.name]);
    assert.deepEqual([status, /is a session: it takes keys/.test(stderr)], [125, true], stderr);
  }
});

test("clients: history of an agent, its end, since a time, as items", { timeout: TIMEOUT_MS }, async () => {
  await using house = agentHome();
  const fox = await newAgent(house);
  for (const text of ["say one", "say two", "say three"])
    assert.equal((await house.warren(["prompt", fox.name, "--wait", text])).status, 0);
  const history = async (...flags: string[]) => (await house.warren(["history", fox.name, ...flags])).stdout;
  const items = (await history("--json"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as ConversationItem);
  const second = items.find((item) => item.kind === "user_message" && item.content[0]?.text === "say two")!;
  assert.equal(await history("-n", "1"), "three\n");
  const since = await history("--since", second.at);
  assert.ok(/^> say two .*\ntwo\n> say three .*\nthree\n$/.test(since), since);
  assert.equal((await house.warren(["logs", fox.name, "--since", second.at])).stdout, since);
  assert.equal(await history("--since", "2100-01-01"), "");
  assert.equal((await house.warren(["history", fox.name, "--since", "soon"])).status, 2);
});

test(
  "clients: an agent that writes nonsense, floods and dies is heard to its end through reloads",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = agentHome();
    const fox = await newAgent(house);
    using ann = await WatchingAgent.watch(house.places, fox.id);
    await ann.prompt("garbage a b c\nunknown-method\nunknown-update\nline 10MB\nwait 50ms\nflood 10MB\nsay still here");
    assert.equal((await house.warren(["reload"])).status, 0);
    await ann.untilTurns(1);
    assert.ok(ann.of("garbage")[0]?.text.includes("a b c"));
    const said = ann.said().join("");
    assert.ok(said.includes("unknown method: -32601"));
    const { items } = await ann.conversation();
    assert.ok(JSON.stringify(items).length < 4 * 1024 * 1024, "a conversation is no dump");
    await ann.prompt("say before\ncrash");
    await ann.until(() => ann.state === "ended", "its end");
    assert.equal(ann.of("turn").at(-1)?.stop_reason, "agent_ended");
    const { session } = await house
      .client()
      .request("session.wait", { session: fox.id, conditions: [{ kind: "exit" }], timeout_ms: 10_000 });
    assert.equal(session.outcome?.kind, "signalled");
  },
);
