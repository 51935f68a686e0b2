import { parseArgs } from "node:util";
import { runMany } from "../../src/gateway/lifecycle/testing/simulation.ts";

/**
 * The lifecycle's decisions over many more schedules than the tests have time for:
 *
 *     node bench/gateway/lifecycle-simulation.ts --schedules 1000000 [--from 1]
 *
 * Some 3,500 a second on one core. Ends with 1 at the first schedule that goes wrong; `WARREN_SEED=<seed> node --test src/gateway/lifecycle/simulation.test.ts`
 * shows it.
 */
const SCHEDULES_A_TURN = 10_000;

const { values } = parseArgs({
  options: { schedules: { type: "string", default: "1000000" }, from: { type: "string", default: "1" } },
});
const firstSeed = Number(values.from);
const endSeed = firstSeed + Number(values.schedules);
const startedMs = performance.now();

for (let seed = firstSeed; seed < endSeed; seed += SCHEDULES_A_TURN) {
  const found = runMany(seed, Math.min(SCHEDULES_A_TURN, endSeed - seed));
  if (found) {
    console.error(`seed ${found.seed}: ${found.broken}\nthe fewest steps: ${JSON.stringify(found.shrunk)}`);
    process.exit(1);
  }
}
const seconds = (performance.now() - startedMs) / 1000;
console.log(`${endSeed - firstSeed} schedules in ${seconds.toFixed(1)} s: no invariant broken, each came to rest`);
