import { cutText } from "../../protocol/cut-text.ts";
import type { Fields } from "./json-rpc.ts";

/**
 * What an agent says may be as large as a line; a conversation keeps the beginning of it. A string or list that is cut makes the object around it
 * `clipped: true`, with the `length` that it had; the whole of it stays in the journal.
 */

/** UTF-16 units kept of one value: a text, a tool's output, a diff. */
export const TEXT_CHARS_MAX = 256 * 1024;
/** Deeper values are cut: JSON from outside may be nested deeper than any stack. */
const DEPTH_MAX = 32;
/** What a value costs besides its strings, so that a million numbers are cut as well. */
const VALUE_CHARS = 8;
/** Strings that are never cut: types, ids, states. */
const WORD_CHARS = 64;
/** Fields that an object has in any case. */
const FIELDS_KEPT = 32;

const TITLE_CHARS_MAX = 1_000;

export const clipTitle = (title: string): string =>
  title.length > TITLE_CHARS_MAX ? `${cutText(title, TITLE_CHARS_MAX)}…` : title;

/** The same value, cut to `budget` (default: TEXT_CHARS_MAX) in all. */
export function clip<T>(value: T, budget: number = TEXT_CHARS_MAX): T {
  return clipValue(value, { left: budget }, 0) as T;
}

/** What a value weighs in memory, in UTF-16 units. */
export function weigh(value: unknown): number {
  if (typeof value === "string") return VALUE_CHARS + value.length;
  if (typeof value !== "object" || value === null) return VALUE_CHARS;
  return Object.values(value).reduce<number>((sum, part) => sum + weigh(part), VALUE_CHARS);
}

interface Budget {
  left: number;
}

function clipValue(value: unknown, budget: Budget, depth: number): unknown {
  budget.left -= VALUE_CHARS;
  if (typeof value === "string") return clipString(value, budget);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEPTH_MAX) return { clipped: true, length: 0 };
  return Array.isArray(value) ? clipList(value, budget, depth) : clipObject(value as Fields, budget, depth);
}

function clipString(text: string, budget: Budget): string {
  const kept = text.length <= WORD_CHARS ? text : cutText(text, Math.max(0, budget.left));
  budget.left -= kept.length;
  return kept;
}

function clipList(list: readonly unknown[], budget: Budget, depth: number): unknown[] {
  const kept: unknown[] = [];
  for (const entry of list) {
    if (budget.left <= 0) break;
    kept.push(clipValue(entry, budget, depth + 1));
  }
  return kept;
}

function clipObject(object: Fields, budget: Budget, depth: number): Fields {
  const kept: Fields = {};
  let cutLength = 0;
  for (const [index, [name, field]] of Object.entries(object).entries()) {
    if (budget.left <= 0 && index >= FIELDS_KEPT) {
      cutLength += 1;
      break;
    }
    if (name === "__proto__") continue; // would be the object's prototype, not its field
    const value = clipValue(field, budget, depth + 1);
    kept[name] = value;
    if (lengthOf(value) < lengthOf(field)) cutLength += lengthOf(field);
  }
  return cutLength > 0 ? { ...kept, clipped: true, length: cutLength } : kept;
}

const lengthOf = (value: unknown): number => (typeof value === "string" || Array.isArray(value) ? value.length : 0);
