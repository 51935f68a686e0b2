import { WarrenError } from "../protocol/errors.ts";
import { suggest } from "../protocol/suggest.ts";

/** What is wrong with a command line; exit status 2. */
export const usageError = (message: string, fix?: string): WarrenError =>
  new WarrenError("USAGE", message, fix === undefined ? {} : { fix });

/** What other tools call it. Suggestions and no second names: a thing has one word. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "capture-pane": "history",
  delete: "remove",
  del: "remove",
  describe: "why",
  exec: "run",
  info: "why",
  kill: "stop",
  "kill-server": "shutdown",
  "kill-session": "stop",
  ls: "list",
  "list-sessions": "sessions",
  log: "logs",
  monit: "tui",
  "new-session": "new",
  ps: "list",
  purge: "cleanup",
  resurrect: "boot enable",
  rm: "remove",
  save: "boot enable",
  "send-keys": "send",
  show: "why",
  spawn: "add",
  startup: "boot enable",
  tail: "logs -f",
  top: "tui",
};

/** What others call a flag of a verb. */
const FLAGS_ELSEWHERE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  logs: { "--lines": "--tail" },
  new: { "-s": "--name", "-n": "--name" },
};

/** `args`: what stood behind it, which stands behind the right one as well. */
export function unknownCommand(word: string, known: Iterable<string>, args: readonly string[] = []): WarrenError {
  const elsewhere = Object.hasOwn(ELSEWHERE, word) ? ELSEWHERE[word] : undefined;
  const near = elsewhere ?? suggest(word, known);
  // Flags of another tool mean something else here, or nothing: they are left out with what they stand before.
  const isPlain = args.every((arg) => /^[\w./:@=-]+$/.test(arg) && !/^-[a-z]$/.test(arg));
  const line = ["warren", near, ...(elsewhere && isPlain ? args : [])];
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
  const near = FLAGS_ELSEWHERE[verb]?.[flag] ?? suggest(flag, known);
  return usageError(
    `unknown flag of ${verb}: ${flag}.${near ? ` Did you mean ${near}?` : ""}`,
    verb === "warren" ? "warren help" : `warren help ${verb}`,
  );
}

export function unknownChoice(what: string, value: string, choices: readonly string[]): WarrenError {
  const near = suggest(value, choices);
  return usageError(`${what} is one of ${choices.join(", ")}, not ${value}.${near ? ` Did you mean ${near}?` : ""}`);
}
