import { isWarrenError, WarrenError, withFix } from "../protocol/errors.ts";
import { EXIT } from "../protocol/outcome.ts";
import { suggest } from "../protocol/suggest.ts";
import { exitStatusOfCode } from "./exit-status.ts";

/** What is wrong with a command line; exit status 2. */
export const usageError = (message: string, fix?: string): WarrenError =>
  new WarrenError("USAGE", message, fix === undefined ? {} : { fix });

/** The error, and where nothing else is said what to type: how the verb is used. */
export function withHelp(error: unknown, verb: string): unknown {
  if (!isWarrenError(error) || error.fix !== undefined || exitStatusOfCode(error.code) !== EXIT.usage) return error;
  return withFix(error, `warren help ${verb}`);
}

/** A value as it is named in a sentence, where an empty one would not be seen. */
export const shown = (value: string): string => (value.trim() === "" ? JSON.stringify(value) : value);

export const argumentsAtMost = (count: number): string =>
  count === 0 ? "no arguments" : `at most ${count} argument${count === 1 ? "" : "s"}`;

/** A word behind a verb that has parts. */
export function unknownTopic(verb: string, word: string, known: Iterable<string>): WarrenError {
  const near = suggest(word, known);
  return usageError(
    `unknown command: ${verb} ${word}.${near ? ` Did you mean ${verb} ${near}?` : ""}`,
    near ? `warren ${verb} ${near}` : `warren help ${verb}`,
  );
}

export function unknownFlag(flag: string, verb: string, known: Iterable<string>): WarrenError {
  const near = suggest(flag, known);
  return usageError(
    `unknown flag of ${verb}: ${flag}.${near ? ` Did you mean ${near}?` : ""}`,
    verb === "warren" ? "warren help" : `warren help ${verb}`,
  );
}

export function unknownChoice(what: string, value: string, choices: readonly string[]): WarrenError {
  const near = suggest(value, choices);
  return usageError(
    `${what} is one of ${choices.join(", ")}, not ${shown(value)}.${near ? ` Did you mean ${near}?` : ""}`,
  );
}
