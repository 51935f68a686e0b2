import type { Clock } from "./clock.ts";

/** Resolves after `delayMs`; rejects with the signal's reason when it is aborted first. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal?.aborted) return Promise.reject(signal.reason);
  const onAbort = () => {
    cancel();
    reject(signal?.reason);
  };
  const cancel = clock.timer(delayMs, () => {
    signal?.removeEventListener("abort", onAbort);
    resolve();
  });
  signal?.addEventListener("abort", onAbort, { once: true });
  return promise;
}
