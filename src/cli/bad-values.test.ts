import assert from "node:assert/strict";
import { test } from "node:test";
import { resolvePlaces } from "../platform/paths.ts";
import { runCli } from "./cli.ts";
import type { AnyCommand, OperandKind } from "./command.ts";
import type { Context } from "./context.ts";
import { memoryOutput } from "./testing/memory-output.ts";
import { VERBS } from "./verbs.ts";

/** What stands for values that only some texts are. Of the others (names, texts, files) whoever uses them judges. */
const JUDGED_HERE = new Set([
  "CONDITION",
  "COUNT",
  "DURATION",
  "KIND,…",
  "N",
  "NUMBER",
  "PID",
  "PORT",
  "SCOPES",
  "SEQ",
  "SIZE",
  "TYPE,…",
  "WHEN",
]);
/** Known to be wrong only when it is known what the command is about. */
const JUDGED_LATER = new Set(["wait --for", "gateway --port"]);
const WORDS: Partial<Record<OperandKind, string>> = { unit: "web", session: "fox", message: "1", participant: "owl" };

/** Whoever is asked: the value was not looked at before. */
const asked = (): never => {
  throw new Error("asked before the value was looked at");
};

async function typed(argv: readonly string[]): Promise<{ status: number; told: Record<string, string> }> {
  const output = memoryOutput();
  const env = { HOME: "/nonexistent" };
  const context = {
    env,
    said: argv,
    cwd: "/",
    places: resolvePlaces(env),
    build: {},
    output,
    parentPid: 1,
    nowMs: () => 0,
    client: () => ({ request: asked }),
    ownClient: asked,
    ownedClient: asked,
    interrupted: () => new AbortController().signal,
  } as unknown as Context;
  const status = await runCli(argv, () => context, output);
  const last = output.errorText().trim().split("\n").at(-1) ?? "";
  return { status, told: last.startsWith("{") ? JSON.parse(last) : { error: output.errorText() + output.text() } };
}

/** Every verb, and every part of one that has parts, with as many operands as it needs. */
async function* commands(): AsyncGenerator<{ name: string; command: AnyCommand; operands: string[] }> {
  const withOperands = (name: string, command: AnyCommand) => {
    const { kinds, min, choices = [] } = command.operands;
    const wordOf = (at: number): string => {
      const kind = kinds[Math.min(at, kinds.length - 1)]!;
      return kind === "choice" ? choices[0]! : (WORDS[kind] ?? "true");
    };
    return { name, command, operands: Array.from({ length: min }, (_, at) => wordOf(at)) };
  };
  for (const verb of VERBS) {
    const command = await verb.load();
    yield withOperands(verb.name, command);
    for (const topic of command.topics ?? []) yield withOperands(`${verb.name} ${topic.name}`, await topic.load());
  }
}

/** A message for each that is not refused as bad usage is, with the value and what to type. */
async function wrongOf(argv: readonly string[], value: string): Promise<string[]> {
  const { status, told } = await typed(argv);
  const shown = value === "" ? '""' : value;
  const isWell =
    status === 2 && told.code === "USAGE" && told.fix?.startsWith("warren ") && told.error?.includes(shown);
  return isWell ? [] : [`warren ${argv.join(" ")} → ${status} ${JSON.stringify(told)}`];
}

for (const value of ["wat", ""]) {
  test(`every flag refuses ${JSON.stringify(value)} where it takes a number, a size, a duration and the like, before anything is done`, async () => {
    const wrong: string[] = [];
    let count = 0;
    for await (const { name, command, operands } of commands()) {
      for (const [flag, { value: kind = "", choices }] of Object.entries(command.options)) {
        if ((!JUDGED_HERE.has(kind) && !choices) || flag === "later" || JUDGED_LATER.has(`${name} --${flag}`)) continue;
        count += 1;
        const json = command.options.json ? ["--json"] : [];
        const said = [...name.split(" "), `--${flag}=${value}`, ...json, ...operands];
        const { status, told } = await typed(said);
        if (json.length === 0 && status === 2 && told.error?.includes(value) && told.error.includes("warren "))
          continue;
        wrong.push(...(await wrongOf(said, value)));
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(count > 50, `${count} flags were tried`);
  });
}

test("every word that is one of a few is refused where it is none of them", async () => {
  const wrong: string[] = [];
  for await (const { name, command, operands } of commands()) {
    const at = command.operands.kinds.indexOf("choice");
    if (at === -1 || name === "debug") continue; // there it is a server's name
    const said = [...name.split(" "), ...operands.slice(0, at), "wat"];
    const { status, told } = await typed(said);
    if (status !== 2 || !told.error?.includes("wat") || !told.error.includes("\nwarren "))
      wrong.push(`${said} → ${status} ${told.error}`);
  }
  assert.deepEqual(wrong, []);
});
