import { closeSync, readdirSync, readFileSync } from "node:fs";
import { systemCode } from "../protocol/errors.ts";

/**
 * Closes what this process inherited without meaning to, so that it does not pass it on to everything that it starts: a job would keep a stranger's
 * lock, pipe or port for its whole life. Node marks its own descriptors close-on-exec, and inherited ones only up to the first gap above 15; so every
 * descriptor above 2 without the mark came from outside. Call it once, first thing in a long-lived process, with those that were handed over in `keep`.
 *
 * Linux only: elsewhere nothing tells the marks, and nothing is closed.
 *
 * @returns the descriptors that were closed.
 */
export function closeInheritedDescriptors(keep: readonly number[] = []): number[] {
  if (process.platform !== "linux") return [];
  const closed: number[] = [];
  for (const name of readdirSync("/proc/self/fdinfo")) {
    const fd = Number(name);
    if (fd <= 2 || keep.includes(fd) || closesOnExec(fd)) continue;
    try {
      closeSync(fd);
      closed.push(fd);
    } catch (error) {
      if (systemCode(error) !== "EBADF") throw error;
    }
  }
  return closed;
}

const O_CLOEXEC = 0o2000000;

/** True also for the directory's own descriptor, which is gone by the time it is looked at. */
function closesOnExec(fd: number): boolean {
  let info: string;
  try {
    info = readFileSync(`/proc/self/fdinfo/${fd}`, "latin1");
  } catch {
    return true;
  }
  const flags = /^flags:\s+([0-7]+)$/m.exec(info)?.[1];
  return flags === undefined || (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0;
}
