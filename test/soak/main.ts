import { hasPassed, reportOf } from "./report.ts";
import { soak } from "./soak.ts";

/**
 * `npm run test:soak`: the long run. `WARREN_SOAK_MINUTES` (60; 2 at least) says how long, `WARREN_SEED` which choices. Exit status 0: passed; 1: something was lost, doubled, failed or grows;
 * 2: it was asked for wrongly; 130: ended by Ctrl-C, with all that it had started.
 */
const MINUTES = 60;
const MINUTES_MIN = 2;

async function main({ WARREN_SOAK_MINUTES, WARREN_SEED }: NodeJS.ProcessEnv): Promise<number> {
  const minutes = Number(WARREN_SOAK_MINUTES ?? MINUTES);
  if (!(minutes >= MINUTES_MIN)) {
    console.error(
      `error: WARREN_SOAK_MINUTES is ${JSON.stringify(WARREN_SOAK_MINUTES)}; it is a number from ${MINUTES_MIN} on`,
    );
    console.error("  WARREN_SOAK_MINUTES=10 npm run test:soak");
    return 2;
  }
  const seed = WARREN_SEED ? Number(WARREN_SEED) : Math.floor(Math.random() * 2 ** 31);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      if (!stop.signal.aborted) console.error("\nending all that was started …");
      stop.abort();
    });
  console.log(`everything at once for ${minutes} min, WARREN_SEED=${seed}; Ctrl-C ends it`);
  const outcome = await soak({ minutes, seed, stopped: stop.signal, say: (line) => console.log(line) });
  if (stop.signal.aborted) return 130;
  console.log(reportOf(outcome));
  return hasPassed(outcome) ? 0 : 1;
}

// What somebody throws into the air is said, and fails the run; what was started is ended first.
let isUnwell = false;
for (const event of ["uncaughtException", "unhandledRejection"] as const)
  process.on(event, (error) => {
    isUnwell = true;
    console.error(`${event}:`, error);
  });
const status = await main(process.env);
process.exit(status === 0 && isUnwell ? 1 : status);
