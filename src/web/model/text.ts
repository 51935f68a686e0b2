import { cutText } from "../../protocol/cut-text.ts";

/** Words and figures as they are shown in every view. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `12s`, `4m`, `3h`, and of days by the calendar `yesterday`, `5d`; empty when it is not known. */
export function age(sinceMs: number, nowMs: number): string {
  const ms = nowMs - sinceMs;
  if (!Number.isFinite(ms)) return "";
  if (ms < MINUTE_MS) return `${Math.max(0, Math.floor(ms / 1_000))}s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)}m`;
  const days = daysBetween(sinceMs, nowMs);
  if (ms < DAY_MS || days === 0) return `${Math.floor(ms / HOUR_MS)}h`;
  return days === 1 ? "yesterday" : `${days}d`;
}

/** `1.2 s`, `3 m 20 s`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < MINUTE_MS) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const minutes = Math.floor(ms / MINUTE_MS);
  if (minutes < 60) return `${minutes} m ${Math.floor((ms % MINUTE_MS) / 1_000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}

/** `640 kB`, `1.2 MB`. */
export function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  if (count < 1_000_000) return `${Math.round(count / 1_000)} kB`;
  return count < 1_000_000_000 ? `${(count / 1_000_000).toFixed(1)} MB` : `${(count / 1_000_000_000).toFixed(1)} GB`;
}

/** `12:03`. */
export const clock = (ms: number): string => new Date(ms).toTimeString().slice(0, 5);

/** When something was: `12:03`, `yesterday 12:03`, `2026-11-20 12:03`. */
export function when(ms: number, nowMs: number): string {
  const days = daysBetween(ms, nowMs);
  if (days === 0) return clock(ms);
  return `${days === 1 ? "yesterday" : dateOf(ms)} ${clock(ms)}`;
}

/** Midnights between them, where the person is. */
const daysBetween = (ms: number, nowMs: number): number =>
  Math.round((new Date(nowMs).setHours(0, 0, 0, 0) - new Date(ms).setHours(0, 0, 0, 0)) / DAY_MS);

function dateOf(ms: number): string {
  const date = new Date(ms);
  const two = (count: number): string => String(count).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

const PATH_CHARS_MAX = 32;

/** From the left, by whole folders: `…/site/api`. */
export function shortPath(path: string, charsMax = PATH_CHARS_MAX): string {
  const home = /^(?:\/home\/[^/]+|\/Users\/[^/]+|\/root)(?=\/|$)/.exec(path)?.[0];
  const short = home === undefined ? path : `~${path.slice(home.length)}`;
  if (short.length <= charsMax) return short;
  const folders = short.split("/");
  let kept = folders.pop()!;
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    if (kept.length + next.length + 3 > charsMax) break;
    kept = `${next}/${kept}`;
  }
  return `…/${kept}`;
}

const COMMAND_CHARS_MAX = 60;

/** Its program without a path, and cut in the middle. */
export function shortCommand(command: readonly string[], charsMax = COMMAND_CHARS_MAX): string {
  const [program = "", ...rest] = command;
  const text = [program.slice(program.lastIndexOf("/") + 1), ...rest].join(" ").replace(/\s+/g, " ");
  if (text.length <= charsMax) return text;
  const half = Math.floor((charsMax - 1) / 2);
  const end = text.slice(-half).replace(/^[\udc00-\udfff]/, ""); // the second half of a pair
  return `${cutText(text, half)}…${end}`;
}

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** The words of a command line, as a shell would take them, without its variables. @throws Error for a quote without an end */
export function splitCommand(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else if (character === "\\" && quote === '"' && /["\\]/.test(line[at + 1] ?? "")) word += line[++at]!;
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (character === "\\" && at + 1 < line.length) word = (word ?? "") + line[++at]!;
    else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (quote !== undefined) throw new Error(`The quote ${quote} has no end.`);
  if (word !== undefined) words.push(word);
  return words;
}
