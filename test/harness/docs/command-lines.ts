import { parseArguments } from "../../../src/cli/arguments.ts";
import type { AnyCommand } from "../../../src/cli/command.ts";
import { takeOn } from "../../../src/cli/on/on-flag.ts";
import { findVerb } from "../../../src/cli/verbs.ts";
import { isWarrenError, messageOf } from "../../../src/protocol/errors.ts";
import { inlineCode, partsOf } from "./markdown.ts";
import { simpleCommands, warrenWords } from "./shell-words.ts";

/** Command lines of documents, held against the command table: a document cannot name a verb, a part or a flag that is not there. */

export interface Shown {
  line: string;
  /** Behind `warren`. */
  words: string[];
  /** To be typed as it stands; else it is named in a sentence, perhaps without what it needs. */
  isWhole: boolean;
}

export function shownCommands(text: string): Shown[] {
  const { blocks, prose } = partsOf(text);
  const typed = blocks.flatMap(typedLines).flatMap((line) => shownIn(line, true));
  const named = inlineCode(prose).flatMap((line) => shownIn(line, false));
  return [...typed, ...named];
}

/** With a prompt, what stands behind it; without one in the whole block, each line that begins with a command of ours. */
function typedLines(block: readonly string[]): string[] {
  const prompted = block.filter((line) => line.startsWith("$ "));
  return prompted.length > 0 ? prompted.map((line) => line.slice(2)) : block.filter((line) => !/^[│╭╰]/.test(line));
}

const shownIn = (line: string, isWhole: boolean): Shown[] =>
  simpleCommands(line)
    .map(warrenWords)
    .filter((words) => words !== undefined)
    .map((words) => ({ line, words, isWhole }));

/** What is wrong with it, in a sentence; undefined when it can be typed. */
export async function faultOf({ words, isWhole }: Shown): Promise<string | undefined> {
  try {
    const { rest } = takeOn(words);
    const [word, ...args] = rest;
    if (word === undefined || /^(--version|--help|-[vVh]|--json|--watch|-w|…)$/.test(word)) return undefined;
    const verb = findVerb(word);
    if (!verb) return `no verb ${word}`;
    const command = await verb.load();
    const part = command.topics?.find(({ name }) => name === args[0]);
    if (command.topics && args[0] !== undefined && !part && !/^(-|[A-Z]|…)/.test(args[0]))
      return `no ${word} ${args[0]}`;
    return part
      ? faultOfArguments(`${word} ${part.name}`, await part.load(), args.slice(1), isWhole)
      : faultOfArguments(word, command, args, isWhole);
  } catch (error) {
    return isWhole || !lacksSomething(error) ? messageOf(error) : undefined;
  }
}

function faultOfArguments(
  name: string,
  command: AnyCommand,
  args: readonly string[],
  isWhole: boolean,
): string | undefined {
  try {
    const parsed = parseArguments(name, command, args.map(withoutMarks));
    const [first] = parsed.kind === "input" ? parsed.input.operands : [];
    const { kinds, choices } = command.operands;
    if (kinds[0] === "choice" && first !== undefined && choices && !choices.includes(first) && !/^[A-Z…]/.test(first))
      return `${name} has no ${first}`;
    return undefined;
  } catch (error) {
    return isWhole || !lacksSomething(error) ? messageOf(error) : undefined;
  }
}

const lacksSomething = (error: unknown): boolean => isWarrenError(error, "USAGE") && / needs /.test(error.message);

/** `[--all]` of a synopsis is the flag. */
const withoutMarks = (word: string): string => word.replaceAll(/^\[|\]$/g, "");
