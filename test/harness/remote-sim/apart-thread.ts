import { parentPort, workerData } from "node:worker_threads";
import type { Share } from "./apart.ts";
import { runMany } from "./schedule.ts";

/** One thread's share of the schedules. */
const { firstSeed, count, options } = workerData as Share;
parentPort!.postMessage(await runMany(firstSeed, count, options));
