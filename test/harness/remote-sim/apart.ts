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

export type Found = Awaited<ReturnType<typeof runMany>>;

/** As `runMany`, on a thread for each core: a schedule replaces its thread's timers, and a test runner follows each promise, which takes as long again. */
export async function runManyApart(firstSeed: number, count: number, options: ApartOptions = {}): Promise<Found> {
  const threadCount = Math.min(availableParallelism(), count);
  const each = Math.ceil(count / threadCount);
  const found = await Promise.all(
    Array.from({ length: threadCount }, (_, index) => {
      const first = firstSeed + index * each;
      return runShare({ firstSeed: first, count: Math.min(each, firstSeed + count - first), options });
    }),
  );
  return found.find((one) => one !== undefined);
}

function runShare(share: Share): Promise<Found> {
  const { promise, resolve, reject } = Promise.withResolvers<Found>();
  const worker = new Worker(new URL("apart-thread.ts", import.meta.url), { workerData: share });
  worker.once("message", resolve);
  worker.once("error", reject);
  worker.once("exit", (code) => reject(new Error(`the schedules from ${share.firstSeed} on ended with ${code}`)));
  return promise;
}
