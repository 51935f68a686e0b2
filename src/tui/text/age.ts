/** How long something has lasted, for a narrow column: `now`, `20s`, `12m`, `3h`, `2d`. Seconds in steps of ten, the rate at which they are redrawn. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Between two looks at the clock. */
export const AGE_STEP_MS = 10 * SECOND_MS;

export function formatAge(ageMs: number): string {
  if (ageMs < AGE_STEP_MS) return "now";
  if (ageMs < MINUTE_MS) return `${Math.floor(ageMs / AGE_STEP_MS) * 10}s`;
  if (ageMs < HOUR_MS) return `${Math.floor(ageMs / MINUTE_MS)}m`;
  if (ageMs < DAY_MS) return `${Math.floor(ageMs / HOUR_MS)}h`;
  return `${Math.floor(ageMs / DAY_MS)}d`;
}
