import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { RunOptions, runMany } from "./schedule.ts";

/** The plain ones of them: they cross to another thread. */
export type ApartOptions = Pick<RunOptions, "cipher">;

/** What a thread is given, and what it says in the end. */
export interface Share {
  firstSeed: number;
  count: number;
  options: ApartOptions;
}

export type Said = { kind: "reached"; seed: number } | { kind: "over"; found: Found };

export type Found = Awaited<ReturnType<typeof runMany>>;

/** How far a thread is; they count from 0, in the order of their seeds. */
export interface Reached {
  thread: number;
  firstSeed: number;
  seed: number;
}

/**
 * As `runMany`, on a thread for each core: a schedule replaces its thread's timers, and a test runner follows each promise, which takes as long again.
 * @param onReached told now and then
 */
export async function runManyApart(
  firstSeed: number,
  count: number,
  options: ApartOptions & { onReached?: (reached: Reached) => void } = {},
): Promise<Found> {
  const { onReached, ...plain } = options;
  const threadCount = Math.min(availableParallelism(), count);
  const each = Math.ceil(count / threadCount);
  const found = await Promise.all(
    Array.from({ length: threadCount }, (_, index) => {
      const first = firstSeed + index * each;
      const share = { firstSeed: first, count: Math.min(each, firstSeed + count - first), options: plain };
      return runShare(share, (seed) => onReached?.({ thread: index, firstSeed: first, seed }));
    }),
  );
  return found.find((one) => one !== undefined);
}

function runShare(share: Share, onReached: (seed: number) => void): Promise<Found> {
  const { promise, resolve, reject } = Promise.withResolvers<Found>();
  const worker = new Worker(new URL("apart-thread.ts", import.meta.url), { workerData: share });
  worker.on("message", (said: Said) => {
    if (said.kind === "reached") onReached(said.seed);
    else resolve(said.found);
  });
  worker.once("error", reject);
  worker.once("exit", (code) => reject(new Error(`the schedules from ${share.firstSeed} on ended with ${code}`)));
  return promise;
}
