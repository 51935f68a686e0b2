import { anySpec, stepOnce } from "./chaos.ts";
import { Random } from "./random.ts";
import { settle } from "./settle.ts";
import { World } from "./world.ts";

/** One schedule: a seed for the worker's configuration, and one for each step. Steps are independent, so any may be left out. */
export interface Schedule {
  seed: number;
  steps: readonly number[];
}

export const STEPS_PER_SCHEDULE = 100;

export function scheduleOf(seed: number, stepCount = STEPS_PER_SCHEDULE): Schedule {
  const random = new Random(seed);
  return { seed, steps: Array.from({ length: stepCount }, () => random.seed()) };
}

/** Runs a schedule. Returns what went wrong first, or undefined. */
export function run({ seed, steps }: Schedule, trace?: (line: string) => void): string | undefined {
  const random = new Random(seed ^ 0x5bd1e995);
  const world = new World(anySpec(random), random);
  world.trace = trace;
  for (const step of steps) {
    world.random = new Random(step);
    stepOnce(world);
    if (world.broken.length > 0) return world.broken[0];
  }
  world.random = new Random(seed ^ 0x27d4eb2f);
  trace?.(`${world.nowMs} no more faults`);
  const unsettled = settle(world);
  return world.broken[0] ?? (unsettled && `not settled: ${unsettled}`);
}

/** The fewest steps that go wrong in the same way, as far as leaving out finds them. */
export function shrink(schedule: Schedule): Schedule {
  const kindOf = (broken: string | undefined): string | undefined => broken?.replaceAll(/\d+/g, "#");
  const wanted = kindOf(run(schedule));
  let { steps } = schedule;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < steps.length; ) {
      const fewer = [...steps.slice(0, from), ...steps.slice(from + size)];
      if (kindOf(run({ seed: schedule.seed, steps: fewer })) === wanted) steps = fewer;
      else from += size;
    }
  }
  return { seed: schedule.seed, steps };
}

export interface Broken {
  seed: number;
  broken: string;
  shrunk: Schedule;
}

/** Runs schedules from `firstSeed` on; stops at the first that goes wrong. */
export function runMany(firstSeed: number, count: number): Broken | undefined {
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const schedule = scheduleOf(seed);
    const broken = run(schedule);
    if (broken !== undefined) return { seed, broken, shrunk: shrink(schedule) };
  }
  return undefined;
}
