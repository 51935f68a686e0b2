import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseCommand } from "../../config/command-line.ts";
import type { Places } from "../../platform/paths.ts";
import { isWarrenError, WarrenError } from "../../protocol/errors.ts";
import { parseArguments } from "../arguments.ts";
import { stop } from "../commands/stop.ts";
import { openOutput } from "../output.ts";
import { findVerb, VERBS } from "../verbs.ts";
import { suggestLater } from "./later/suggest-later.ts";
import { takeMachine } from "./on-flag.ts";
import { type HereOnly, type OnMachine, SAME_EVERYWHERE } from "./on-machine.ts";
import { openDoor } from "./open-door.ts";
import { assertPossible } from "./possible.ts";
import { typedThere } from "./typed-there.ts";

const GUIDE = join(import.meta.dirname, "..", "..", "..", "docs", "remote.md");

/** Every command, and each part of those that are asked there. */
async function commands(): Promise<{ name: string; on: OnMachine | undefined }[]> {
  const all: { name: string; on: OnMachine | undefined }[] = [];
  for (const verb of VERBS) {
    all.push({ name: verb.name, on: verb.on });
    if (verb.on !== "there") continue;
    for (const topic of (await verb.load()).topics ?? [])
      all.push({ name: `${verb.name} ${topic.name}`, on: topic.on });
  }
  return all;
}

test("--on: every command says whether it can be asked of another machine, or why not", async () => {
  for (const { name, on } of await commands()) {
    assert.ok(on !== undefined, `${name} declares nothing: say in its table what it means with --on`);
    if (on !== "there") assert.match(on.why, /^[a-z].*[a-z]$/, name);
  }
});

test("--on: what is refused names something that can be typed instead", async () => {
  for (const { name, on } of await commands()) {
    if (on === "there" || on === undefined || on === SAME_EVERYWHERE) continue;
    const fix = refusalOf(name, on);
    const parsed = parseCommand(fix.replace(/ > .*/, ""));
    assert.equal(parsed.kind, "argv", fix);
    const [, ...words] = (parsed as { argv: string[] }).argv;
    const rest = words[0] === "--on" ? words.slice(2) : words;
    const verb = findVerb(rest[0]!);
    assert.ok(verb, fix);
    if (words[0] === "--on") assert.equal(verb.on, "there", fix);
    assert.equal(parseArguments(verb.name, await verb.load(), rest.slice(1)).kind, "input", fix);
  }
});

function refusalOf(name: string, on: HereOnly): string {
  try {
    assertPossible(on, { name, args: [], machine: "laptop" });
  } catch (error) {
    assert.ok(isWarrenError(error, "REMOTE_NOT_POSSIBLE"), name);
    return error.fix!;
  }
  throw new Error(`${name} was let through`);
}

test("--on: the guide's table has the verbs that can be asked there, and no other", () => {
  const [, section = ""] = readFileSync(GUIDE, "utf8").split("## From another machine");
  const rows = section
    .split("\n## ")[0]!
    .split("\n")
    .filter((line) => /^\| [a-z ]+ \|.*`/.test(line));
  const named = new Set(rows.flatMap((row) => [...row.matchAll(/`([a-z]+)`/g)].map(([, verb]) => verb!)));
  const there = VERBS.filter(({ on, hidden }) => on === "there" && !hidden).map(({ name }) => name);
  assert.deepEqual([...named].sort(), there.sort());
});

test("the output of another machine's command is a terminal where ours is, also where it is passed on in parts", () => {
  const own = { ...openOutput({ ...process, env: {}, onGone() {} }), isTerminal: true };
  const { output } = openDoor("laptop", { remoteDir: "/nowhere" } as Places, own)!;
  assert.deepEqual([{ ...output }.isTerminal, { ...output }.columnCount], [true, own.columnCount]);
  assert.equal(output.typed?.("warren list"), "warren --on laptop list");
});

test("user@host of a deployment is a host, and names no machine; a worker's name does", async () => {
  const gateway = await findVerb("gateway")!.load();
  const machineIn = (...args: string[]) => {
    const parsed = parseArguments("gateway", gateway, args);
    assert.equal(parsed.kind, "input");
    const { input } = parsed as Extract<typeof parsed, { kind: "input" }>;
    return [takeMachine(gateway, input, undefined), ...input.operands];
  };
  assert.deepEqual(machineIn("deploy", "me@example.org"), [undefined, "deploy", "me@example.org"]);
  assert.deepEqual(machineIn("pause", "api@laptop"), ["laptop", "pause", "api"]);
});

test("what can wait for a machine is shown as it is typed, with its name as a word", async () => {
  const error = new WarrenError("MACHINE_AWAY", "It is away.");
  const asked = { command: stop, name: "stop", args: ["web"], machine: "mac; reboot" };
  const told = await suggestLater(error, asked);
  assert.equal(
    (told as WarrenError).fix,
    "warren --on 'mac; reboot' stop --later web      # has it done when 'mac; reboot' is back",
  );
});

test("what is shown to be typed is about the other machine too", () => {
  const cases = [
    ["warren stop web", "warren --on laptop stop web"],
    ["warren mail check --thread 1      # later", "warren --on laptop mail check --thread 1      # later"],
    ["warren reload", "warren reload      # on laptop"],
    ["kill -9 17", "kill -9 17      # on laptop"],
    ["warren --on desk list", "warren --on desk list"],
    ["warren devices scopes desk view      # on that machine", "warren devices scopes desk view      # on laptop"],
  ] as const;
  for (const [command, wanted] of cases) assert.equal(typedThere("laptop", command), wanted);
  assert.equal(typedThere("my mac", "warren list"), "warren --on 'my mac' list");
  for (const command of ["warren reload", "warren devices scopes desk view      # on that machine"])
    assert.ok(typedThere("mac; $& reboot", command).endsWith("      # on 'mac; $& reboot'"), "nor is it carried out");
});
