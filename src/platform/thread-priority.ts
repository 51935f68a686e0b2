import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";

/**
 * Lets every other thread that wants the processor go before this one. On Linux a thread has a nice value of its own (setpriority(2), "C library/kernel
 * differences"); elsewhere nothing is done.
 */
export function yieldToOthers(): void {
  if (process.platform !== "linux") return;
  try {
    const threadId = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    setPriority(threadId, NICE);
  } catch {
    // without /proc, or not allowed: it is as fair as any other
  }
}

const NICE = 10;
