import { WarrenError } from "../protocol/errors.ts";
import { suggest } from "../protocol/suggest.ts";

/** What is wrong with a command line; exit status 2. */
export const usageError = (message: string, fix?: string): WarrenError =>
  new WarrenError("USAGE", message, fix === undefined ? {} : { fix });

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
  return usageError(`${what} is one of ${choices.join(", ")}, not ${value}.${near ? ` Did you mean ${near}?` : ""}`);
}
