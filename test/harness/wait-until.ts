/** For what the system tells nobody of (the end of a process that is not our child, a file of another process): looks until it holds. */
export interface Deadline {
  /** What is waited for, for the message. */
  what: string;
  deadlineMs?: number;
  everyMs?: number;
}

const DEADLINE_MS = 20_000;
const EVERY_MS = 5;

/** The first answer that is neither undefined nor false. Rejects past the deadline with `what`, and with what `look` throws. */
export async function waitUntil<T>(
  look: () => T | Promise<T>,
  { what, deadlineMs = DEADLINE_MS, everyMs = EVERY_MS }: Deadline,
): Promise<Exclude<T, undefined | false>> {
  const untilMs = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (performance.now() > untilMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((wake) => setTimeout(wake, everyMs));
  }
}
