import { WarrenError } from "../protocol/errors.ts";
import { suggest } from "../protocol/suggest.ts";

/** What is wrong with a command line; exit status 2. */
export const usageError = (message: string, fix?: string): WarrenError =>
  new WarrenError("USAGE", message, fix === undefined ? {} : { fix });

/** What other tools call it. Suggestions and no second names: a thing has one word. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  delete: "remove",
  del: "remove",
  describe: "why",
  exec: "run",
  info: "why",
  kill: "stop",
  "kill-server": "shutdown",
  "kill-session": "stop",
  ls: "list",
  "list-sessions": "list",
  log: "logs",
  monit: "tui",
  "new-session": "new",
  ps: "list",
  purge: "cleanup",
  rm: "remove",
  show: "why",
  spawn: "add",
  tail: "logs -f",
  top: "tui",
};

/** `args`: what stood behind it, which stands behind the right one as well. */
export function unknownCommand(word: string, known: Iterable<string>, args: readonly string[] = []): WarrenError {
  const elsewhere = Object.hasOwn(ELSEWHERE, word) ? ELSEWHERE[word] : undefined;
  const near = elsewhere ?? suggest(word, known);
  const line = ["warren", near, ...(elsewhere && args.every((arg) => /^[\w./:@=-]+$/.test(arg)) ? args : [])];
  return usageError(
    `unknown command: ${word}.${near ? ` Did you mean ${near}?` : ""}`,
    near ? line.join(" ") : "warren help",
  );
}

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
