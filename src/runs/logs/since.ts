import { parseDuration } from "../../protocol/durations.ts";
import { WarrenError } from "../../protocol/errors.ts";

/**
 * The wall time, in ms, that `--since` means: a duration before now (`10m`, `2h`, `1d`), an RFC 3339 time (a date alone is its local midnight; without a zone
 * it is local time), or `HH:MM[:SS]`, the last time the local clock showed it.
 * @throws SINCE_INVALID
 */
export function parseSince(text: string, nowMs: number): number {
  const trimmed = text.trim();
  const clockTime = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(trimmed);
  if (clockTime !== null) return lastTimeAt(clockTime, nowMs);
  const durationMs = parseDuration(trimmed);
  if (durationMs !== undefined) return nowMs - durationMs;
  const timeMs = parseTimestamp(trimmed);
  if (timeMs !== undefined) return timeMs;
  throw new WarrenError(
    "SINCE_INVALID",
    `"${text}" is not a time: give a duration (10m), a clock time (14:30) or an RFC 3339 time.`,
    { fix: "--since 10m" },
  );
}

function lastTimeAt([, hours, minutes, seconds]: RegExpExecArray, nowMs: number): number {
  const time = new Date(nowMs);
  time.setHours(Number(hours), Number(minutes), Number(seconds ?? 0), 0);
  if (time.getTime() > nowMs) time.setDate(time.getDate() - 1);
  return time.getTime();
}

/** RFC 3339 §5.6, with the zone optional, "T" or a blank between, and a date alone. */
function parseTimestamp(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/i.exec(text);
  if (match === null) return undefined;
  const [, date, time = "00:00", zone = ""] = match;
  const timeMs = Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
