import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Session } from "../../src/protocol/units.ts";
import type { TemporaryHome } from "./home.ts";
import { WatchingAgent } from "./watching-agent.ts";

/**
 * Scripted agents in a turn whose every effect can be counted: a line of a file for each tool call, a line of the agent's own log for each prompt. The
 * turn begins in earnest when `begin` says so and is not over before `letGo`, so that it is in hand whatever happens meanwhile.
 */
const SCRIPTED = join(import.meta.dirname, "..", "..", "examples", "agents", "scripted.ts");

/** The environment of a home in which agents write down what they were asked. */
export const AGENT_LOG = { SCRIPTED_AGENT_LOG: "prompts.log" };

export interface BusyAgent {
  session: Session;
  watching: WatchingAgent;
  script: string;
  /** What it has said when its turn is over. */
  words: string[];
  /** A file of the project, and its lines when the turn is over. */
  effects: { file: string; lines: string[] };
}

export async function newAgent(house: TemporaryHome, ...flags: string[]): Promise<Session> {
  const command = [process.execPath, SCRIPTED, ...flags].join(" ");
  const { status, stdout, stderr } = await house.warren(["new", "--agent", command, "--json"]);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Session;
}

/** In a turn of so many steps, each a sentence and a tool call. */
export async function workingAgent(house: TemporaryHome, name: string, steps: number): Promise<BusyAgent> {
  const file = `ran-${name}.txt`;
  const numbers = Array.from({ length: steps }, (_, at) => at + 1);
  const script = [
    "say ready;",
    "until begin",
    ...numbers.flatMap((n) => [`say part ${n} of ${name};`, `run echo ${n} >> ${file}`, "wait 80ms"]),
    "until go",
  ].join("\n");
  const busy = await prompted(house, script);
  await busy.watching.until(() => busy.watching.said().length > 0, "its first word");
  const lines = numbers.map(String);
  return { ...busy, words: ["ready;", ...numbers.map((n) => `part ${n} of ${name};`)], effects: { file, lines } };
}

/** Waiting for an answer, upon which it does one thing. */
export async function askingAgent(house: TemporaryHome, name: string): Promise<BusyAgent> {
  const file = `asked-${name}.txt`;
  const script = `ask "deploy ${name}?" allow|deny\nrun echo allowed >> ${file}\nsay deployed ${name}`;
  const busy = await prompted(house, script);
  await busy.watching.untilAsked();
  return { ...busy, words: [`deployed ${name}`], effects: { file, lines: ["allowed"] } };
}

/** Lets the working ones do their steps. */
export const begin = (house: TemporaryHome): void => writeFileSync(join(house.dir, "begin"), "");

/** Lets the working ones finish their turns. */
export const letGo = (house: TemporaryHome): void => writeFileSync(join(house.dir, "go"), "");

/** Its turn is over, as usual; what it said and did, it said and did once; who looked on saw all of it. */
export async function checkAgent(
  house: TemporaryHome,
  { session, watching, words, effects }: BusyAgent,
): Promise<void> {
  await watching.untilTurns(1);
  const { name } = session;
  assert.deepEqual(
    watching.of("turn").map(({ stop_reason }) => stop_reason),
    ["end_turn"],
    name,
  );
  assert.equal(watching.said().join(""), words.join(""), name);
  assert.deepEqual(linesOf(join(house.dir, effects.file)), effects.lines, `${name}: each tool call once`);
  assert.deepEqual(
    watching.of("tool_call").filter(({ status }) => status !== "completed"),
    [],
    `${name}: each tool call has an end`,
  );
  assert.equal(watching.gapCount, 0, `${name}: nothing had to be read anew`);
  await watching.assertSame();
}

/** What the agents of a home were asked, by their own account. */
export const promptsOf = (house: TemporaryHome): string[] =>
  linesOf(join(house.dir, AGENT_LOG.SCRIPTED_AGENT_LOG)).map((line) => (JSON.parse(line) as { text: string }).text);

export const linesOf = (path: string): string[] =>
  existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];

async function prompted(
  house: TemporaryHome,
  script: string,
): Promise<Pick<BusyAgent, "session" | "watching" | "script">> {
  const session = await newAgent(house);
  const watching = await WatchingAgent.watch(house.places, session.id);
  await watching.prompt(script);
  return { session, watching, script };
}
