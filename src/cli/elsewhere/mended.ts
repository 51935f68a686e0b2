import { parseCommand } from "../../config/command-line.ts";
import { WarrenError, withFix } from "../../protocol/errors.ts";
import { suggest } from "../../protocol/suggest.ts";
import { parseArguments } from "../arguments.ts";
import { usageError } from "../usage-error.ts";
import { findVerb, VERBS } from "../verbs.ts";
import type { Look } from "./program-line.ts";
import { programSaid, saidHere } from "./said-here.ts";

/** Errors of a line that may be another tool's. */
const OF_A_WRONG_LINE = new Set(["USAGE", "JOB_NOT_FOUND", "SESSION_NOT_FOUND", "SERVER_NOT_FOUND"]);

/** The error with what is to be typed instead, where the line is one of another tool; else as it is. */
export async function mended(error: WarrenError, said: readonly string[], look: Look): Promise<WarrenError> {
  // With --on the line is about files and names of another machine.
  if (said.includes("--on")) return error;
  if (!OF_A_WRONG_LINE.has(error.code) || error.detail?.suggestion !== undefined) return error;
  // What it takes is this tool's, and only a value of it is wrong.
  if (error.code === "USAGE" && (await isTaken(said))) return error;
  const line = await typeable(saidHere(said, look));
  if (line === undefined || line === said.join(" ")) return error;
  return withFix(error, `warren ${line}`);
}

/** For a word that is no verb: what it is called here, what it runs, or what it looks like. */
export async function unknownVerb(said: readonly string[], look: Look): Promise<WarrenError> {
  const [word = "", ...args] = said;
  const [best, last] = await wordsElsewhere(said, look);
  if (best !== undefined) return unknownCommand(word, { near: last, fix: `warren ${best}` });
  const near = suggest(
    word,
    VERBS.filter(({ hidden }) => !hidden).map(({ name }) => name),
  );
  const program = near === undefined || args.length > 0 ? programSaid(said, look) : undefined;
  if (program !== undefined) return unknownCommand(word, { fix: `warren ${program}` });
  return unknownCommand(word, { near, fix: near === undefined ? "warren help" : `warren ${near}` });
}

/** Of `help WORD`. */
export function unknownHelp(word: string, look: Look): WarrenError {
  const near =
    saidHere([word], look).at(-1) ??
    suggest(
      word,
      VERBS.map(({ name }) => name),
    );
  const verb = near?.split(" ")[0];
  return unknownCommand(word, { near, fix: verb === undefined ? "warren help" : `warren help ${verb}` });
}

/** The line to type, and the verb alone. */
async function wordsElsewhere(said: readonly string[], look: Look): Promise<[line?: string, verb?: string]> {
  const lines = saidHere(said, look);
  const verb = lines.at(-1);
  if (verb === undefined) return [];
  return [(await typeable(lines)) ?? `help ${verb.split(" ")[0]}`, verb];
}

const unknownCommand = (word: string, { near, fix }: { near?: string | undefined; fix: string }): WarrenError =>
  usageError(`unknown command: ${word}.${near ? ` Did you mean ${near}?` : ""}`, fix);

/** The first that this command line takes. */
async function typeable(lines: readonly string[]): Promise<string | undefined> {
  for (const line of lines) if (await isTypeable(line)) return line;
  return undefined;
}

/** Of several commands in a line the first. */
async function isTypeable(line: string): Promise<boolean> {
  const parsed = parseCommand(line.split(/ && | \$\(/)[0]!);
  const isCut = line.includes(" $("); // its operands are what the shell puts there
  return parsed.kind === "argv" && isTaken([...parsed.argv, ...(isCut ? ["NAME"] : [])]);
}

/** Whether the words, without `warren`, are a command line as far as flags and operands go. */
async function isTaken([name = "", ...args]: readonly string[]): Promise<boolean> {
  const verb = findVerb(name);
  if (!verb) return false;
  const command = await verb.load();
  const topic = command.topics?.find((one) => one.name === args[0]);
  if (command.topics && !topic && args[0] !== undefined && !args[0].startsWith("-")) return false;
  try {
    if (topic) parseArguments(name, await topic.load(), args.slice(1));
    else parseArguments(name, command, args);
    return true;
  } catch (error) {
    if (error instanceof WarrenError) return false;
    throw error;
  }
}
