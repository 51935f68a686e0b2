import type { Random } from "./random.ts";

/** Processes of the model world: what a version does once it runs. */

export type Behaviour =
  | "good"
  | "slow"
  | "crashes_at_start"
  | "never_healthy"
  | "answers_500"
  | "crashes_soon"
  | "daemonises"
  | "squats"
  | "leaks"
  | "resets"
  | "build_fails"
  | "build_hangs";

export const isGood = (behaviour: Behaviour): boolean => behaviour === "good" || behaviour === "slow";

const BEHAVIOURS: readonly (readonly [Behaviour, number])[] = [
  ["good", 55],
  ["slow", 6],
  ["crashes_at_start", 5],
  ["never_healthy", 4],
  ["answers_500", 4],
  ["crashes_soon", 6],
  ["daemonises", 3],
  ["squats", 3],
  ["leaks", 3],
  ["resets", 3],
  ["build_fails", 5],
  ["build_hangs", 3],
];

export const anyBehaviour = (random: Random): Behaviour => random.weighted(BEHAVIOURS);

export interface ModelProcess {
  id: string;
  /** Null: a spare that has loaded nothing. */
  version: string | null;
  behaviour: Behaviour;
  port: number;
  pid: number;
  /** Its first process is there. */
  isRunning: boolean;
  /** Others of its tree that are there. */
  leftCount: number;
  /** When it begins to answer. */
  answersAtMs: number;
  isHung: boolean;
  ignoresTerm: boolean;
  /** A good answer of its came back to a server. */
  isProven: boolean;
  /** A server was told its end. */
  isEndTold: boolean;
}

export const exists = (process: ModelProcess): boolean => process.isRunning || process.leftCount > 0;

/** From its start, or from when a spare was told to load, to its first answer. */
export function bootMs(behaviour: Behaviour, isSpare: boolean, random: Random): number {
  if (behaviour === "never_healthy") return Number.POSITIVE_INFINITY;
  if (behaviour === "slow") return random.between(2_000, 8_000);
  return isSpare ? random.between(5, 50) : random.between(20, 300);
}
