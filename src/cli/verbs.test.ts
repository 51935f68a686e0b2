import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseCommand } from "../config/command-line.ts";
import { messages } from "../protocol/messages.ts";
import { parseArguments } from "./arguments.ts";
import { complete, type Live } from "./completion/candidates.ts";
import { sampleJob } from "./testing/sample-job.ts";
import { refusalOf, UNIT_VERBS, type UnitKind, type UnitVerb, WORKS } from "./unit-verbs.ts";
import { findVerb, GROUPS, VERBS } from "./verbs.ts";

const LIVE: Live = {
  jobs: async () => [
    sampleJob({ name: "web" }),
    sampleJob({ id: "7ab", name: "test", run_id: "7ab-2", status: "stopped", state: "ended" }),
  ],
  serverNames: () => ["blazing"],
  sessionNames: () => ["fox"],
  workers: async () => [
    { name: "api", kind: "worker", id: "site/api", type: "node", route: "/api", state: "healthy", instances: [] },
  ],
  savedSessionNames: async () => ["hen"],
  projectJobNames: async () => ["web"],
  participantNames: async () => ["fox"],
};

test("every verb has a file of its own, a group and a summary", () => {
  assert.equal(new Set(VERBS.map(({ name }) => name)).size, VERBS.length);
  for (const { name, group, summary } of VERBS) {
    assert.ok(existsSync(join(import.meta.dirname, "commands", `${name.replace(/^__/, "")}.ts`)), name);
    assert.ok(GROUPS.includes(group));
    assert.match(summary, /^[a-z].*[^.]$/, name);
  }
});

for (const verb of VERBS) {
  test(`${verb.name}: usage, examples and flags are complete, and every example can be typed`, async () => {
    const command = await verb.load();
    assert.ok(command.usage[0]!.startsWith(verb.name));
    assert.ok(command.examples.length >= 2);
    for (const { description } of Object.values(command.options)) assert.ok(description.length > 0);
    const shorts = Object.values(command.options).flatMap(({ short }) => short ?? []);
    assert.equal(new Set(shorts).size, shorts.length);
    for (const { command: example } of command.examples) for (const words of warrenLines(example)) await parses(words);
  });
}

test("every verb prints JSON, or says why not; so does every part of a verb", async () => {
  for (const verb of VERBS) {
    const command = await verb.load();
    assert.equal("json" in command.options, verb.noJson === undefined, `${verb.name}: --json or noJson`);
    if (verb.noJson !== undefined) assert.match(verb.noJson, /^[a-z].*[^.]$/);
    for (const { name, summary, load } of command.topics ?? []) {
      const part = await load();
      assert.match(summary, /^[a-z].*[^.]$/, `${verb.name} ${name}`);
      assert.ok(part.examples.length >= 2 && part.usage[0]!.startsWith(`${verb.name} ${name}`), `${verb.name} ${name}`);
      if (!PARTS_WITHOUT_JSON.has(`${verb.name} ${name}`))
        assert.ok("json" in part.options, `${verb.name} ${name} has no --json`);
    }
  }
});

/** They are spoken with by programs, go on until they are ended, or write a file. */
const PARTS_WITHOUT_JSON = new Set(["mail hook", "mail export", "mail serve"]);

test("every verb that goes to another machine names the scope that it needs, and sends nothing that needs more", async () => {
  for (const { name, on, scope } of VERBS) {
    const isThere = on === "there";
    assert.equal(scope !== undefined, isThere, `${name}: scope`);
    if (scope === undefined) continue;
    const text = readFileSync(join(import.meta.dirname, "commands", `${name}.ts`), "utf8");
    for (const [, type = ""] of text.matchAll(/\.request\(\s*"([\w.]+)"/g)) {
      const needed = messages[type as keyof typeof messages].scope;
      const isPart = !["view"].includes(needed) && BY_THEIR_PARTS.has(name);
      assert.ok(
        isPart || SCOPES.indexOf(needed) <= SCOPES.indexOf(scope),
        `${name} sends ${type}, which needs ${needed}`,
      );
    }
  }
});

const SCOPES = ["view", "type", "approve", "admin"];
/** What they show alone needs less than what their parts change. */
const BY_THEIR_PARTS = new Set(["gateway", "runs"]);

test("every verb is completed: its flags, and what its operands name", async () => {
  for (const verb of VERBS.filter(({ hidden }) => !hidden)) {
    const command = await verb.load();
    const flags = await complete([verb.name, "--"], LIVE);
    const offered = flags.kind === "candidates" ? flags.candidates.map(({ text }) => text) : [];
    for (const flag of Object.keys(command.options)) assert.ok(offered.includes(`--${flag}`), `${verb.name} --${flag}`);
    const [kind] = command.operands.kinds;
    if (kind === undefined || kind === "text") continue;
    const operand = await complete([verb.name, ""], LIVE);
    if (operand.kind === "candidates") assert.ok(operand.candidates.length > 0, `${verb.name}: ${kind}`);
  }
});

test("a name is offered for every kind of unit that the verb takes", async () => {
  for (const [name, takes] of Object.entries(UNIT_VERBS)) {
    const completion = await complete([name, ""], LIVE);
    assert.equal(completion.kind, "candidates");
    const offered = (completion as { candidates: { text: string }[] }).candidates.map(({ text }) => text);
    if (takes.worker === WORKS) assert.ok(offered.includes("api"), `${name} api`);
    if (takes.job === WORKS) assert.ok(offered.includes("web") || offered.includes("test"), `${name}: a job`);
    if (takes.session === WORKS) assert.ok(offered.includes("fox") || FOR_ENDED.has(name), `${name} fox`);
  }
});

/** Nothing that lives is offered to them. */
const FOR_ENDED = new Set(["start", "remove", "resume"]);

test("every verb whose operand is a unit is in the table of verbs and kinds, and every fix there can be typed", async () => {
  for (const { name, load } of VERBS) {
    const { operands } = await load();
    const isAboutUnits = operands.kinds[0] === "unit" || operands.kinds[0]?.endsWith("session");
    assert.equal(Object.hasOwn(UNIT_VERBS, name), isAboutUnits === true, name);
  }
  for (const [verb, row] of Object.entries(UNIT_VERBS))
    for (const kind of Object.keys(row) as UnitKind[]) {
      const refusal = refusalOf(verb as UnitVerb, kind, "fox");
      if (!refusal) continue;
      assert.match(refusal.message, new RegExp(`^fox is an? ${kind}: .*\\.$`));
      for (const words of warrenLines(refusal.fix!)) await parses(words);
    }
});

async function parses([name = "overview", ...args]: string[]): Promise<void> {
  if (name.startsWith("-")) return;
  const verb = findVerb(name);
  assert.ok(verb, name);
  assert.equal(parseArguments(name, await verb.load(), args).kind, "input");
}

/** The words behind each `warren` of a line of shell. */
function warrenLines(line: string): string[][] {
  return [...line.matchAll(/(?:^|[(\s])warren(?= |$)((?:'[^']*'|[^|&>)'])*)/g)].map(([, rest = ""]) => {
    const text = rest.trim();
    if (text === "") return [];
    const parsed = parseCommand(`warren ${text}`);
    assert.equal(parsed.kind, "argv", line);
    return (parsed as { argv: string[] }).argv.slice(1);
  });
}
