import { runManyApart } from "../../test/harness/remote-sim/apart.ts";
import type { Case } from "../cases/case.ts";
import { ScheduleProgress } from "./schedule-progress.ts";

/** Counts of schedules: a smoke run, a run, and all of them, which takes hours. `WARREN_SCHEDULES` is another count, `WARREN_FIRST_SEED` where it begins. */
const QUICK_COUNT = 200;
const COUNT = 5_000;
const FULL_COUNT = 1_000_000;
/** In one go: what comes after one that went wrong is run again from there. */
const TURN_COUNT = 10_000;

/**
 * Many more schedules of remote than the tests have time for (test/remote-simulation.test.ts): devices, hubs and machines on virtual time, live and by sealed
 * records, with the stand-in for cryptography:
 *
 *     WARREN_SCHEDULES=1000000 npm run bench -- remote --only simulation
 */
export const simulation: Case = {
  name: "simulation",
  async run({ quick, full, say }) {
    const wanted = Number(process.env.WARREN_SCHEDULES ?? 0);
    const count = wanted || (quick ? QUICK_COUNT : full ? FULL_COUNT : COUNT);
    const first = Number(process.env.WARREN_FIRST_SEED ?? 1);
    const end = first + count;
    const startMs = performance.now();
    let wrongCount = 0;
    using progress = new ScheduleProgress(first, say);
    for (let seed = first; seed < end; ) {
      const turn = Math.min(TURN_COUNT, end - seed);
      const found = await runManyApart(seed, turn, { onReached: (reached) => progress.reached(reached) });
      if (found) {
        wrongCount += 1;
        say(`${found.broken}: WARREN_SEED=${found.seed} node --test test/remote-simulation.test.ts shows it`);
      }
      seed = found ? found.seed + 1 : seed + turn;
      progress.begins(seed);
      say(`${seed - first} schedules, ${wrongCount} of them went wrong`);
    }
    const seconds = (performance.now() - startMs) / 1_000;
    const of = (sample: number) => [{ subject: "warren", samples: [sample] }];
    return {
      title: "Simulation",
      rows: [
        { what: "schedules", unit: "", measured: of(count) },
        {
          what: "of them something lost, doubled, reordered, stuck, or done by who was revoked",
          unit: "",
          target: { atMost: 0, of: "max" },
          measured: of(wrongCount),
        },
        { what: "schedules in a second", unit: "", measured: of(Math.round(count / seconds)) },
      ],
    };
  },
};
