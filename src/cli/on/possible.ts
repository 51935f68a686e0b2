import { WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import type { HereOnly, OnMachine } from "./on-machine.ts";

/** A command as it was typed, but for `--on`. */
export interface TypedCommand {
  /** `mail serve` */
  name: string;
  args: readonly string[];
  machine: string;
}

/** @throws REMOTE_NOT_POSSIBLE when it is of this machine alone */
export function assertPossible(on: OnMachine, typed: TypedCommand): void {
  if (on !== "there") throw remoteNotPossible(`warren ${typed.name}`, on, typed);
}

/** @param what a sentence's beginning: `warren up` */
export function remoteNotPossible(what: string, { why, instead }: HereOnly, { name, args, machine }: TypedCommand) {
  const words = ["warren", name, ...args.map(quoteWord)].join(" ");
  const on = `warren --on ${quoteWord(machine)}`;
  // What is run there has the files of that machine, and says here what it says.
  const there = instead ?? `run --dir DIR --follow -- ${words}`;
  return new WarrenError("REMOTE_NOT_POSSIBLE", `${what} ${why}, and cannot be asked of another machine.`, {
    fix: instead === "" ? words : `${on} ${there}`,
  });
}
