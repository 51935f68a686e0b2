import { hasEnded, type ProcessInfo, readProcess } from "../platform/process.ts";
import { systemCode } from "../protocol/errors.ts";
import { isSame, type RunMarks } from "./tree.ts";

/** Sends signals, each after a last look whether the pid is still the process that was meant. Node has no pidfd; what is left is microseconds. */

export type Delivery = "sent" | "gone" | "denied";

export function signalMember(member: ProcessInfo, signal: number): Delivery {
  const now = readProcess(member.pid);
  if (!isSame(member, now) || hasEnded(now!)) return "gone";
  return kill(member.pid, signal);
}

/**
 * To the job's group in one call, which a fork cannot outrun. "gone" when the job never led a group (no setsid on this system) or no member is in it.
 */
export function signalGroup(marks: RunMarks, members: readonly ProcessInfo[], signal: number): Delivery {
  const isOurs = members.some((member) => {
    if (member.pgid !== marks.job.pid) return false;
    const now = readProcess(member.pid);
    return isSame(member, now) && now!.pgid === marks.job.pid;
  });
  return isOurs ? kill(-marks.job.pid, signal) : "gone";
}

/** To all of them, the group first and at once. */
export function signalAll(marks: RunMarks, members: readonly ProcessInfo[], signal: number): void {
  const toGroup = signalGroup(marks, members, signal);
  for (const member of members) {
    if (toGroup !== "sent" || member.pgid !== marks.job.pid) signalMember(member, signal);
  }
}

function kill(pid: number, signal: number): Delivery {
  try {
    process.kill(pid, signal);
    return "sent";
  } catch (error) {
    if (systemCode(error) === "ESRCH") return "gone";
    if (systemCode(error) === "EPERM") return "denied";
    throw error;
  }
}
