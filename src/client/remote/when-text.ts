/** A time as people say it, by the clock and the calendar of where they are: `at 12:03`, and on another day `on 2026-11-20 at 12:03`. */
export function whenText(ms: number, nowMs: number): string {
  const [date, time] = [dayOf(ms), new Date(ms).toTimeString().slice(0, 5)];
  return date === dayOf(nowMs) ? `at ${time}` : `on ${date} at ${time}`;
}

function dayOf(ms: number): string {
  const date = new Date(ms);
  const two = (count: number): string => String(count).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
