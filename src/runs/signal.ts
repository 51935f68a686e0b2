import { signalName, signalNumber } from "../platform/process.ts";
import { WarrenError } from "../protocol/errors.ts";
import { signalGroup, signalMember } from "./deliver.ts";
import { findMembers, isSame, type RunMarks } from "./tree.ts";

export interface SignalOptions {
  /** To the first process alone instead of its group. */
  leader?: boolean;
}

export interface SignalSent {
  /** The job's pid; with `leader` false also the group's number. */
  pid: number;
  signal: number;
  name: string;
}

/**
 * Sends one signal to the run's group, or to its first process, and waits for nothing. Members that left the group get none: ending the whole tree is
 * `stopTree`'s task. On a system without setsid(1) each member gets it.
 *
 * @throws UNKNOWN_SIGNAL, RUN_NOT_RUNNING, SIGNAL_NOT_PERMITTED.
 */
export function signalRun(marks: RunMarks, signal: string | number, options: SignalOptions = {}): SignalSent {
  const number = signalNumber(signal);
  const name = signalName(number);
  const { pid } = marks.job;
  const members = findMembers(marks);
  const leader = members.find((member) => isSame(member, marks.job));
  const leadsGroup = members.some((member) => member.pgid === pid);
  const targets = options.leader ? members.filter((member) => member === leader) : members;
  const deliveries =
    options.leader || !leadsGroup
      ? targets.map((member) => signalMember(member, number))
      : [signalGroup(marks, members, number)];
  if (deliveries.includes("sent")) return { pid, signal: number, name };
  if (deliveries.includes("denied")) throw signalNotPermitted(pid, name);
  throw runNotRunning(pid, name, options.leader === true && members.length > 0);
}

const runNotRunning = (pid: number, name: string, hasOthers: boolean) =>
  new WarrenError(
    "RUN_NOT_RUNNING",
    hasOthers
      ? `${name} was not sent: process ${pid} has ended, only others that it started go on.`
      : `${name} was not sent: process ${pid} has ended.`,
    { fix: "warren list --all", detail: { pid } },
  );

const signalNotPermitted = (pid: number, name: string) =>
  new WarrenError("SIGNAL_NOT_PERMITTED", `${name} was not sent: process ${pid} belongs to another user.`, {
    fix: `sudo kill -s ${name.replace(/^SIG/, "")} -- -${pid}`,
    detail: { pid },
  });
