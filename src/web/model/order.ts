import type { Row } from "./rows.ts";
import type { SettingValues } from "./settings.ts";

/** The list as the person wants it; those that need somebody come first in each. `project` is how it comes. */
export function ordered(rows: readonly Row[], order: SettingValues["order"]): readonly Row[] {
  if (order === "project") return rows;
  const compare = order === "name" ? byName : byTime;
  return [...rows].sort((a, b) => Number(b.needsYou) - Number(a.needsYou) || compare(a, b) || text(a.key, b.key));
}

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byName = (a: Row, b: Row): number => text(a.name, b.name);
const byTime = (a: Row, b: Row): number => (b.sinceMs || 0) - (a.sinceMs || 0);
