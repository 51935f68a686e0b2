import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Session } from "../src/protocol/units.ts";
import {
  crashesAtStart,
  type Installation,
  thisInstallation,
  throwsWhenLoaded,
  variant,
} from "./harness/build-copy.ts";
import {
  AGENT_LOG,
  askingAgent,
  type BusyAgent,
  begin,
  checkAgent,
  letGo,
  linesOf,
  promptsOf,
  workingAgent,
} from "./harness/busy-agents.ts";
import { COUNTER_STATUS, checkCount, journalText, startCounters } from "./harness/counting-terminals.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { waitUntil } from "./harness/wait-until.ts";
import type { Running } from "./harness/warren.ts";
import { WatchingTerminal } from "./harness/watching-terminal.ts";

/**
 * Promise 2, all at once: terminals that count, agents in the middle of a turn, agents that wait for an answer, and clients that look on, through one
 * build after another, among them builds that cannot start.
 */
const isProof = process.env.WARREN_PROOF === "1";
const SIZES = isProof
  ? { terminals: 100, working: 20, asking: 5, clients: 10, steps: 150, rounds: 3 }
  : { terminals: 40, working: 8, asking: 3, clients: 6, steps: 60, rounds: 1 };
const TIMEOUT_MS = isProof ? 15 * 60_000 : 120_000;
/** The status with which agents are asked to exit. */
const AGENT_STATUS = 7;

interface World {
  house: TemporaryHome;
  terminals: Session[];
  watching: WatchingTerminal[];
  working: BusyAgent[];
  asking: BusyAgent[];
  /** Processes of people who look on. */
  clients: { of: "terminal" | "agent"; name: string; running: Running }[];
}

test("upgrade: everything at once, to one build after another", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome({ env: AGENT_LOG });
  const world = await assemble(house);
  const before = await livingOf(house);
  for (let round = 0; round < SIZES.rounds; round++) await oneRound(world, round);
  for (const { session, watching } of world.working) assert.deepEqual(watching.of("error"), [], session.name);
  assert.deepEqual(await livingOf(house), before, "the same programs, in the states in which they were");
  await finishAgents(world);
  await finishTerminals(world);
  await finishClients(world);
});

async function assemble(house: TemporaryHome): Promise<World> {
  const terminals = await startCounters(house, SIZES.terminals);
  const working: BusyAgent[] = [];
  for (let at = 0; at < SIZES.working; at++) working.push(await workingAgent(house, `w${at}`, SIZES.steps));
  const asking: BusyAgent[] = [];
  for (let at = 0; at < SIZES.asking; at++) asking.push(await askingAgent(house, `a${at}`));
  const agentCount = Math.floor(SIZES.clients / 3);
  const clients = [
    ...terminals.slice(0, SIZES.clients - agentCount).map((one) => clientOf(house, one, "terminal")),
    ...working.slice(0, agentCount).map(({ session }) => clientOf(house, session, "agent")),
  ];
  for (const { of, running } of clients) await running.shows(of === "terminal" ? /^n=\d+ c=\d+\r$/m : /^ready;/m);
  begin(house);
  // Two in this process as well, which see what was left out.
  const watching = await Promise.all(terminals.slice(-2).map(({ id }) => WatchingTerminal.attach(house.places, id)));
  return { house, terminals, watching, working, asking, clients };
}

const clientOf = (house: TemporaryHome, { name }: Session, of: "terminal" | "agent"): World["clients"][number] => ({
  of,
  name,
  running: house.start(["attach", "--view", name], { deadlineMs: TIMEOUT_MS }),
});

async function oneRound({ house, watching, clients }: World, round: number): Promise<void> {
  const name = (what: string): string => `${what}${round}`;
  const greets = (hash: string) => ({
    hash,
    newerByMs: 1_000,
    edits: [{ find: /message: ?"pong"(?=\})/, replace: `message:"pong of ${hash}"` }],
  });
  await reloadTo(house, thisInstallation());
  await reloadTo(house, variant(greets(name("next"))));
  await refused(house, variant({ hash: name("broken"), newerByMs: 2_000, files: throwsWhenLoaded("not today") }));
  await refused(house, variant({ hash: name("fails"), newerByMs: 2_000, files: crashesAtStart("cannot take over") }));
  await reloadTo(house, variant(greets(name("after"))));
  await reloadTo(house, thisInstallation());
  for (const terminal of watching) {
    await waitUntil(() => !terminal.lost, { what: "a client to be back" });
    assert.equal(terminal.failure, undefined);
  }
  for (const client of clients) assert.equal(client.running.child.exitCode, null, `the client of ${client.name} lives`);
}

/** The code that serves afterwards is that of the build. */
async function reloadTo(house: TemporaryHome, build: Installation): Promise<void> {
  const { hash } = build.build;
  const { status, stdout, stderr } = await house.warren(["reload", "--json"], { from: build });
  assert.equal(status, 0, stderr);
  assert.equal((JSON.parse(stdout) as { hash: string }).hash, hash);
  const pong: string = (await house.client({ mode: "find" }).request("ping", {})).message;
  assert.equal(pong, build === thisInstallation() ? "pong" : `pong of ${hash}`);
}

/** As if it had never been tried: the code that served serves. */
async function refused(house: TemporaryHome, broken: Installation): Promise<void> {
  const client = house.client({ mode: "find" });
  const { message: before } = await client.request("ping", {});
  const { status, stdout, stderr } = await house.warren(["reload", "--json"], { from: broken, quotesLog: true });
  if (status === 0) assert.notEqual((JSON.parse(stdout) as { hash: string }).hash, broken.build.hash);
  else assert.match(stderr, /runs on as before/);
  assert.equal((await client.request("ping", {})).message, before);
}

/** Who lives, and what each is doing. */
async function livingOf(house: TemporaryHome): Promise<string[]> {
  const { sessions } = await house.client().request("session.list", {});
  return sessions
    .map(({ id, name, pid, kind, state, attention }) =>
      [id, name, pid, kind === "agent" ? `${state} ${attention}` : kind].join(" "),
    )
    .sort();
}

async function finishAgents({ house, working, asking }: World): Promise<void> {
  letGo(house);
  // A hundred terminals that print take nearly all of the machine: their steps last for minutes there, one after the other.
  for (const { effects } of working)
    await waitUntil(() => linesOf(join(house.dir, effects.file)).length >= effects.lines.length, {
      what: `${effects.lines.length} lines in ${effects.file}`,
      deadlineMs: TIMEOUT_MS,
    });
  await Promise.all(asking.map(({ watching }, at) => watching.answer("allow", `person ${at}`)));
  for (const agent of [...working, ...asking]) await checkAgent(house, agent);
  const prompts = [...working, ...asking].map(({ script }) => script);
  assert.deepEqual(promptsOf(house).sort(), prompts.sort(), "no agent was called twice");
  for (const { watching } of [...working, ...asking]) {
    await watching.prompt(`exit ${AGENT_STATUS}`);
    const ended = await waitForEnd(house, watching.id);
    assert.deepEqual(ended, { kind: "exited", status: AGENT_STATUS });
    watching[Symbol.dispose]();
  }
}

async function finishTerminals({ house, terminals, watching }: World): Promise<void> {
  const exited = { kind: "exited", status: COUNTER_STATUS };
  for (const { pid } of terminals) process.kill(pid, "SIGUSR1");
  for (const { id } of terminals) assert.deepEqual(await waitForEnd(house, id), exited);
  for (const session of terminals) checkCount(await journalText(house, session), session.name);
  for (const terminal of watching) {
    await waitUntil(() => terminal.outcome !== undefined, { what: "the end at a client" });
    assert.deepEqual([terminal.outcome, terminal.skippedBytes], [exited, 0]);
    checkCount(terminal.output, "a client");
  }
}

/** Each process has ended as its session did, and has printed every line once. */
async function finishClients({ clients, working }: World): Promise<void> {
  for (const { of, name, running } of clients) {
    const { status, stdout, stderr } = await running.ended;
    assert.deepEqual([status, stderr], [of === "terminal" ? COUNTER_STATUS : AGENT_STATUS, ""], name);
    if (of === "terminal") checkCount(stdout, `the client of ${name}`);
    else {
      const { words } = working.find(({ session }) => session.name === name)!;
      const said = [...stdout.matchAll(/(?<=^|;)(?:ready|part \d+ of \w+);/gm)].map(([text]) => text);
      assert.deepEqual(said, words, `the client of ${name}`);
    }
  }
}

async function waitForEnd(house: TemporaryHome, session: string): Promise<Session["outcome"]> {
  const conditions = [{ kind: "exit" as const }];
  const waited = await house.client().request("session.wait", { session, conditions, timeout_ms: 20_000 });
  return waited.session.outcome;
}
