import { quoteWord } from "../../protocol/quote-word.ts";
import { findVerb } from "../verbs.ts";

/**
 * A command that is shown to be typed, as it means the same here when it is about another machine: `warren stop web` is `warren --on laptop stop web`. What
 * can be typed only there is said to be.
 */
export function typedThere(machine: string, command: string): string {
  const [, word = "", rest = ""] = /^warren (\S+)(.*)$/s.exec(command) ?? [];
  const where = quoteWord(machine);
  const isSaid = / # .*\bon /.test(command);
  if (word === "--on" || isSaid) return command.replace(/ # on that machine$/, () => ` # on ${where}`);
  if (findVerb(word)?.on === "there") return `warren --on ${where} ${word}${rest}`;
  return `${command}      # on ${where}`;
}
