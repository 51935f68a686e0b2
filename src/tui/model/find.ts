import { commandText } from "./copy.ts";
import type { Model, Step } from "./model.ts";
import { isSelectable, rowAt, rowCount, rowOf } from "./rows.ts";
import { say } from "./say.ts";
import { score } from "./score.ts";
import { select, showAllDirectories } from "./units.ts";

/**
 * Search in the list: names, titles, commands and directories of sessions and jobs. While one types, the cursor stands on the best match; `n` and `N` go
 * through the matches in the list's order. A text that holds the query matches best; without any such, letters in their order do, when they stand close.
 * Without a capital letter both cases match. One pass over the list a key, nothing is sorted.
 */

/** How many times as long as the query the text may be in which its letters stand scattered. */
const SPREAD_MAX = 3;
/** Above every score of scattered letters. */
const HELD_SCORE = 10_000;
const IN_NAME_SCORE = 1_000;

/** While typing: to the best match, else nowhere. */
export function selectBest(model: Model, query: string): Step {
  const at = bestRow(model, query);
  return at === undefined ? [model, []] : select(model, idAt(model, at));
}

/** Enter: what is not here is looked for in all directories. */
export function findFirst(model: Model, query: string): Step {
  const at = bestRow(model, query);
  if (at !== undefined) return select(model, idAt(model, at));
  if (!model.allDirectories) {
    const [all, effects] = showAllDirectories(model);
    const there = bestRow(all, query);
    if (there === undefined) return say(model, `no unit holds "${query}"`);
    const [selected, more] = select(all, idAt(all, there));
    return [selected, [...effects, ...more]];
  }
  return say(model, `no unit holds "${query}"`);
}

export function findNext(model: Model, query: string, direction: 1 | -1): Step {
  const count = rowCount(model);
  const from = rowOf(model, model.selectedId);
  const isHeld = (bestScore(model, query)?.score ?? 0) >= HELD_SCORE;
  for (let step = 1; step <= count; step++) {
    const at = (((from + direction * step) % count) + count) % count;
    const found = scoreAt(model, at, query);
    if (found >= HELD_SCORE || (!isHeld && found > 0)) return select(model, idAt(model, at));
  }
  return say(model, `no unit holds "${query}"`);
}

const bestRow = (model: Model, query: string): number | undefined => bestScore(model, query)?.at;

/** What is selected wins among equals, then what stands first. */
function bestScore(model: Model, query: string): { at: number; score: number } | undefined {
  if (query.trim() === "") return undefined;
  let best: { at: number; score: number } | undefined;
  for (let at = 0; at < rowCount(model); at++) {
    const found = scoreAt(model, at, query);
    if (found > (best?.score ?? 0)) best = { at, score: found };
  }
  return best;
}

function idAt(model: Model, at: number): string | null {
  const row = rowAt(model, at);
  return isSelectable(row) ? row.id : null;
}

function scoreAt(model: Model, at: number, query: string): number {
  const row = rowAt(model, at);
  if (row?.kind === "session") {
    const session = model.sessions.byId.get(row.id);
    if (!session) return 0;
    const { name, title = "", command, workdir, attention = "" } = session;
    return scoreOf(name, [row.id, title, attention, command.join(" "), workdir], query);
  }
  const view = row?.kind === "worker" ? model.workers.get(row.id) : undefined;
  if (view) return scoreOf(view.worker.name, [view.worker.route, view.project, view.dir], query);
  const job = row?.kind === "job" ? model.jobs.get(row.id) : undefined;
  if (!job) return 0;
  return scoreOf(job.name ?? "", [job.id, commandText(job.command), job.description ?? "", job.workdir], query);
}

function scoreOf(name: string, others: readonly string[], query: string): number {
  if (holds(name, query)) return HELD_SCORE + IN_NAME_SCORE - Math.min(name.length, IN_NAME_SCORE);
  if (others.some((text) => holds(text, query))) return HELD_SCORE;
  return Math.max(...[name, ...others].map((text) => closeScore(text, query)));
}

/** Plain text; without a capital letter it matches both cases. */
export function holds(text: string, query: string): boolean {
  if (query === "") return false;
  return query === query.toLowerCase() ? text.toLowerCase().includes(query) : text.includes(query);
}

function closeScore(text: string, query: string): number {
  if (query !== query.toLowerCase()) return 0;
  const letters = query.replaceAll(" ", "");
  const lower = text.toLowerCase();
  for (let start = lower.indexOf(letters[0] ?? "\n"); start !== -1; start = lower.indexOf(letters[0]!, start + 1)) {
    const found = score(lower.slice(start, start + SPREAD_MAX * letters.length), letters);
    if (found > 0) return found;
  }
  return 0;
}
