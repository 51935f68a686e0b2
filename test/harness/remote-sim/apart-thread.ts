import { parentPort, workerData } from "node:worker_threads";
import type { Said, Share } from "./apart.ts";
import { runMany } from "./schedule.ts";

/** After so many it says how far it is. */
const TOLD_COUNT = 50;

/** One thread's share of the schedules. */
const { firstSeed, count, options } = workerData as Share;
const say = (said: Said): void => parentPort!.postMessage(said);
Error.stackTraceLimit = 0; // most errors of a schedule are expected; whoever runs its seed alone sees where one was made
const onRun = (seed: number): void => {
  if ((seed - firstSeed + 1) % TOLD_COUNT === 0) say({ kind: "reached", seed });
};
say({ kind: "over", found: await runMany(firstSeed, count, { ...options, onRun }) });
