import { parseArgs } from "node:util";
import { parseCommand } from "../../config/command-line.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { IDIOMS, type Idiom, START_FLAGS, TOOLS } from "./idioms.ts";
import { commandMade, type Look, programLine } from "./program-line.ts";

/**
 * What a command line says that is written as other tools have it: lines to type here instead, the best first, each behind `warren`. Not every one of them can be typed,
 * since flags that nobody knows are kept in the first; the caller tries. Looks at files, and asks no server.
 */
export function saidHere(said: readonly string[], look: Look): string[] {
  const [word = "", ...args] = TOOLS.has(said[0] ?? "") ? said.slice(1) : said;
  if (word === "start") return startLines(args, look);
  const part = `${word} ${args[0]}`;
  if (Object.hasOwn(IDIOMS, part)) return idiomLines(part, IDIOMS[part]!, args.slice(1));
  return Object.hasOwn(IDIOMS, word) ? idiomLines(word, IDIOMS[word]!, args) : [];
}

/** An unknown word that is a program, or a file that one runs. */
export const programSaid = (said: readonly string[], look: Look): string | undefined => programLine(said, look);

function idiomLines(word: string, idiom: Idiom, args: readonly string[]): string[] {
  const { verb = word, isAlone, takesCommand, lines = {} } = idiom;
  const { parts, command, isOtherwise } = readArguments(idiom, args);
  const all = parts.filter(({ kind }) => kind === "operand").map(({ text }) => text);
  const line = Object.hasOwn(lines, all.join(" ")) ? lines[all.join(" ")] : undefined;
  if (line !== undefined) return [line];
  if (verb === word && !isOtherwise) return [];
  const behind = isAlone ? [] : takesCommand ? [...commandOf(all), ...command] : command;
  const lineOfKinds = (...kinds: Part["kind"][]): string =>
    lineOf(
      verb,
      parts.filter(({ kind }) => kinds.includes(kind)),
      behind,
    );
  const operand = isAlone || takesCommand ? [] : (["operand"] as const);
  return [lineOfKinds(...operand, "flag", "unknown"), lineOfKinds(...operand, "flag"), lineOfKinds(...operand), verb];
}

/** A command as one word is a line of shell, elsewhere too. */
function commandOf(words: readonly string[]): readonly string[] {
  if (words.length !== 1) return words;
  const parsed = parseCommand(words[0]!);
  return parsed.kind === "argv" ? parsed.argv : words;
}

function startLines(args: readonly string[], look: Look): string[] {
  const { parts, command } = readArguments({ flags: START_FLAGS }, args);
  const operands = parts.filter(({ kind }) => kind === "operand").map(({ text }) => text);
  const made = commandMade([...operands, ...command], look);
  if (!made) return [];
  if ("line" in made) return [made.line];
  const flags = parts.filter(({ kind }) => kind === "flag");
  const isNamed = flags.some(({ text }) => text.startsWith("--name "));
  if (!isNamed && made.name !== undefined) flags.push({ kind: "flag", text: `--name ${made.name}` });
  return [lineOf("add", flags, made.command)];
}

/** A word as it stands, or flags as they are written: known are those that the idiom has a word for. */
type Part = { kind: "operand" | "flag" | "unknown"; text: string };

interface Said {
  parts: Part[];
  /** Behind `--`. */
  command: string[];
  /** Something in it is that tool's, and has another form here or none. */
  isOtherwise: boolean;
}

function readArguments({ flags = {}, words = {} }: Idiom, args: readonly string[]): Said {
  const specs = new Map(Object.entries(flags).map(([flag, here]) => [flag.split(" ")[0]!, here]));
  const { tokens } = parseArgs({ args: [...args], options: optionsOf(flags), strict: false, tokens: true });
  const said: Said = { parts: [], command: [], isOtherwise: false };
  for (const token of tokens) {
    if (token.kind === "option-terminator") {
      said.command = args.slice(token.index + 1);
      break;
    }
    if (token.kind === "positional") {
      const here = Object.hasOwn(words, token.value) ? words[token.value] : undefined;
      said.parts.push(here === undefined ? { kind: "operand", text: token.value } : { kind: "flag", text: here });
      continue;
    }
    const { rawName, value = "" } = token;
    const here = specs.get(rawName);
    said.isOtherwise ||= here !== undefined;
    if (here === undefined)
      said.parts.push({ kind: "unknown", text: value === "" ? rawName : `${rawName}=${quoteWord(value)}` });
    else if (here === "V") said.parts.unshift({ kind: "operand", text: sessionOf(value) });
    else if (here !== "") said.parts.push({ kind: "flag", text: here.replace(/V$/, () => quoteWord(value)) });
  }
  return said;
}

/** tmux names a window and a pane behind the session: `work:1.0`. */
const sessionOf = (target: string): string => target.split(":")[0]!;

type Options = Record<string, { type: "boolean" | "string"; short?: string }>;

function optionsOf(flags: Readonly<Record<string, string>>): Options {
  const options: Options = {};
  for (const flag of Object.keys(flags)) {
    const [name = "", value] = flag.split(" ");
    const type = value === undefined ? "boolean" : "string";
    if (name.startsWith("--")) options[name.slice(2)] = { type };
    else options[`short-${name.slice(1)}`] = { type, short: name.slice(1) };
  }
  return options;
}

const lineOf = (verb: string, parts: readonly Part[], command: readonly string[]): string =>
  [
    verb,
    ...parts.map(({ kind, text }) => (kind === "operand" ? quoteWord(text) : text)),
    ...(command.length > 0 ? ["--", ...command.map(quoteWord)] : []),
  ].join(" ");
