import * as z from "zod";
import type { Call } from "./tool.ts";
import type { World } from "./world.ts";

/**
 * Waiting inside a call: hosts give up calls after a minute or less, so none of ours waits longer than 45 s. It says every 5 s that it goes on, and its
 * answer has what it takes to go on waiting with the next call.
 */
const WAIT_SECONDS_MAX = 45;
const PROGRESS_EVERY_MS = 5_000;

export const TimeoutSeconds = z
  .number()
  .min(0)
  .optional()
  .describe(
    `How long to wait at most, in seconds; default and limit ${WAIT_SECONDS_MAX}. Call again to go on waiting.`,
  );

export const windowMs = (timeoutSeconds: number | undefined): number =>
  Math.round(Math.min(timeoutSeconds ?? WAIT_SECONDS_MAX, WAIT_SECONDS_MAX) * 1_000);

/** Carries out `wait`, with progress until it settles. */
export async function waiting<T>(
  { clock }: Pick<World, "clock">,
  call: Call,
  { totalMs, message }: { totalMs: number; message: string },
  wait: () => Promise<T>,
): Promise<T> {
  const startMs = clock.monotonicMs();
  let cancel = (): void => {};
  const again = (): void => {
    cancel = clock.timer(PROGRESS_EVERY_MS, () => {
      call.progress(clock.monotonicMs() - startMs, totalMs, message);
      again();
    });
  };
  again();
  try {
    return await wait();
  } finally {
    cancel();
  }
}
