import { WarrenError } from "../../protocol/errors.ts";
import type { MachineDoor } from "./machine-door.ts";

/** The verbs that ask a server for everything, so that they mean the same on another machine. */
export const ON_MACHINES: ReadonlySet<string> = new Set([
  "approve",
  "attach",
  "cancel",
  "deny",
  "devices",
  "events",
  "history",
  "list",
  "login",
  "logs",
  "mode",
  "ping",
  "ports",
  "prompt",
  "remove",
  "rename",
  "restart",
  "resume",
  "runs",
  "send",
  "sessions",
  "signal",
  "start",
  "stats",
  "status",
  "stop",
  "wait",
  "why",
]);

/** @param what a sentence's beginning: `warren up` */
export const remoteNotPossible = (what: string, why: string, fix: string): WarrenError =>
  new WarrenError("REMOTE_NOT_POSSIBLE", `${what} ${why}.`, { fix });

export function assertPossible(verb: string, machine: string, args: readonly string[]): void {
  if (ON_MACHINES.has(verb)) return;
  throw remoteNotPossible(
    `warren ${verb}`,
    "works with the files of the machine that it runs on, and cannot be asked of another one",
    `ssh ${machine} warren ${[verb, ...args].join(" ")}`,
  );
}

/** `--follow` reads the files of a log from its first byte on. */
export function assertHere(machine: MachineDoor | undefined, units: readonly string[], verb: string): void {
  if (!machine) return;
  const [name = "NAME"] = units;
  throw remoteNotPossible(
    `warren ${verb} --follow`,
    "is for jobs of this machine",
    `warren --on ${machine.name} ${verb} ${name} && warren --on ${machine.name} logs -f ${name}`,
  );
}
