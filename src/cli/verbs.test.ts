import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseCommand } from "../config/command-line.ts";
import { parseArguments } from "./arguments.ts";
import { findVerb, GROUPS, VERBS } from "./verbs.ts";

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
