/**
 * Durations, ages and sizes as people write and read them. Used by configuration, flags and every face, the browser included; no imports.
 */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Largest unit first: the order in which a text must name them. */
const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ["d", DAY_MS],
  ["h", HOUR_MS],
  ["m", MINUTE_MS],
  ["s", SECOND_MS],
  ["ms", 1],
];

const BYTE_UNITS = ["B", "KB", "MB", "GB", "TB", "PB"] as const;
const BYTES_PER_UNIT = 1024;

/**
 * `30s`, `1.5m`, `2h30m`, `500ms`, `1d`; a bare number is seconds. In whole milliseconds; undefined when it is not a duration: negative,
 * an unknown unit, a unit twice or out of order, or past what a number holds exactly.
 */
export function parseDuration(text: string | number): number | undefined {
  const trimmed = String(text).trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return wholeMs(Number(trimmed) * SECOND_MS);
  if (!/^(\d+(\.\d+)?(d|h|ms|m|s))+$/.test(trimmed)) return undefined;
  let totalMs = 0;
  let lastRank = -1;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(d|h|ms|m|s)/g)) {
    const rank = UNITS.findIndex(([name]) => name === unit);
    if (rank <= lastRank) return undefined;
    lastRank = rank;
    totalMs += Number(amount) * UNITS[rank]![1];
  }
  return wholeMs(totalMs);
}

/** `350ms` below a second, `4.2s` below a minute, `2m15s` below an hour, else `1h5m`. */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.floor(ms));
  if (whole < SECOND_MS) return `${whole}ms`;
  // Tenths are cut, not rounded: 59.96 s is not yet "60.0s".
  if (whole < MINUTE_MS) return `${(Math.floor(whole / 100) / 10).toFixed(1)}s`;
  if (whole < HOUR_MS) return `${Math.floor(whole / MINUTE_MS)}m${Math.floor((whole % MINUTE_MS) / SECOND_MS)}s`;
  return `${Math.floor(whole / HOUR_MS)}h${Math.floor((whole % HOUR_MS) / MINUTE_MS)}m`;
}

/** How long ago, in the largest whole unit: `just now`, `1 min ago`, `5 mins ago`, `3 hours ago`, `2 days ago`. */
export function formatRelative(agoMs: number): string {
  if (agoMs < MINUTE_MS) return "just now";
  if (agoMs < HOUR_MS) return ago(Math.floor(agoMs / MINUTE_MS), "min");
  if (agoMs < DAY_MS) return ago(Math.floor(agoMs / HOUR_MS), "hour");
  return ago(Math.floor(agoMs / DAY_MS), "day");
}

/** `512 B`, `1.4 KB`, `12 MB`: powers of 1024, one decimal below ten. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  // 1023.5 would be shown as 1024 of this unit.
  while (value >= BYTES_PER_UNIT - 0.5 && unit < BYTE_UNITS.length - 1) {
    value /= BYTES_PER_UNIT;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? value.toFixed(1).replace(/\.0$/, "") : value.toFixed(0);
  return `${digits} ${BYTE_UNITS[unit]}`;
}

/** `4096`, `64MB`, `1.5 GiB`, `200k`: powers of 1024, case ignored. Undefined when it is not a size. */
export function parseBytes(text: string | number): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?$/i.exec(String(text).trim());
  if (match === null) return undefined;
  const power = ["", "k", "m", "g", "t", "p"].indexOf(match[2]!.toLowerCase());
  const bytes = Math.round(Number(match[1]) * BYTES_PER_UNIT ** power);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function wholeMs(ms: number): number | undefined {
  const whole = Math.round(ms);
  return Number.isSafeInteger(whole) ? whole : undefined;
}

function ago(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}
