import type { StreamEvent } from "../../protocol/envelope.ts";
import type { Job, Run } from "../../protocol/units.ts";
import { isSessionsScreen } from "./layout.ts";
import { chain, type Effect, type Model, type Scope, type Step, selectedJob } from "./model.ts";
import { anchored, rowCount, rowOf, selectableFrom, showSelected } from "./rows.ts";
import { showRun } from "./runs.ts";
import { orderOf } from "./workers.ts";

/**
 * The list of units: what is in it, in which order, and which one is selected.
 *
 * Invariants
 * 1. The selection follows the unit's identity: nothing that happens elsewhere selects another unit while this one is shown.
 * 2. The order is made once (needs you, running, the rest; by name) and again when the user changes what is shown. In between, a unit that is new,
 *    started or in need goes to the top, or, when that would push the selected unit down, to the place right below it. So nothing above the
 *    cursor ever grows.
 * 3. When the selected unit goes, the next one takes its row; at the end the one before.
 */

export function applySnapshot(model: Model, jobs: readonly Job[], nowMs: number): Step {
  const isFirst = model.connection === "connecting";
  const next: Model = {
    ...model,
    nowMs,
    connection: "live",
    jobs: new Map(jobs.map((job) => [job.id, job])),
  };
  if (isFirst) return settle({ ...next, order: freshOrder(next) }, model);
  const [settled, effects] = settle({ ...next, order: mergedOrder(next) }, model);
  // What happened meanwhile is read again, not guessed; a new selection has asked for its runs already.
  const isSame = settled.selectedId === model.selectedId;
  return [settled, isSame ? [...effects, ...loadRuns(settled)] : effects];
}

export function applyEvent(model: Model, event: StreamEvent, nowMs: number): Step {
  if (event.stream !== "jobs") return [model, []];
  const timed = { ...model, nowMs };
  const job = event.data.job as Job | undefined;
  const jobId = job?.id ?? event.job_id;
  if (event.event === "job_removed" && jobId !== undefined) return removed(timed, jobId);
  const run = event.data.run as Run | undefined;
  const withRuns = run && jobId === model.selectedId ? { ...timed, runs: patchedRuns(timed, event.event, run) } : timed;
  if (job !== undefined) return changed(withRuns, job, event.event);
  const known = jobId === undefined ? undefined : model.jobs.get(jobId);
  if (known && event.event === "ports_updated" && Array.isArray(event.data.ports)) {
    return changed(withRuns, { ...known, ports: event.data.ports as NonNullable<Job["ports"]> }, event.event);
  }
  return settle(withRuns, model);
}

export function select(model: Model, id: string | null): Step {
  if (id === model.selectedId) return [showSelected(model), []];
  const moved: Model = { ...model, selectedId: id };
  const next: Model = {
    ...moved,
    focus: isSessionsScreen(moved) ? "units" : model.focus,
    runs: [],
    selectedRunId: null,
    portIndex: 0,
    armed: null,
    lists: { ...model.lists, ports: { top: 0, column: 0 }, runs: { top: 0, column: 0 } },
  };
  return chain(showSelected(next), (current) => [current, loadRuns(current)], showRun);
}

/** All directories, or only what is here: the user asked, so the order is made anew. */
export const toggleAll = (model: Model): Step => shownIn(model, !model.allDirectories);
export const showAllDirectories = (model: Model): Step => shownIn(model, true);

function shownIn(model: Model, allDirectories: boolean): Step {
  const next = { ...model, allDirectories };
  return settle({ ...next, order: freshOrder(next), workerOrder: orderOf(next.workers, next) }, model);
}

/** By rows from the selected one, over headings; stops at the ends. */
export function moveSelection(model: Model, rows: number): Step {
  return select(model, selectableFrom(model, rowOf(model, model.selectedId) + rows, rows < 0 ? -1 : 1));
}

const loadRuns = (model: Model): Effect[] => {
  const job = selectedJob(model);
  return job ? [{ kind: "load-runs", jobId: job.id }] : [];
};

export const isHere = (job: Job, scope: Scope): boolean =>
  job.workdir === scope.path || (scope.kind === "project" && job.workdir.startsWith(`${scope.path}/`));

/** 0: needs you; 1: live; 2: the rest. */
export function urgencyOf(job: Job): 0 | 1 | 2 {
  if (job.stuck) return 0;
  return job.status === "running" || job.state === "waiting" ? 1 : 2;
}

const nameOf = (job: Job): string => job.name ?? job.command.join(" ");

const isShown = (model: Model, job: Job): boolean => model.allDirectories || isHere(job, model.scope);

function freshOrder(model: Model): string[] {
  return [...model.jobs.values()]
    .filter((job) => isShown(model, job))
    .sort(
      (a, b) =>
        urgencyOf(a) - urgencyOf(b) ||
        nameOf(a).localeCompare(nameOf(b), undefined, { numeric: true }) ||
        a.id.localeCompare(b.id),
    )
    .map((job) => job.id);
}

/** After a reconnect: what was shown stays in place, what is new comes below the cursor. */
function mergedOrder(model: Model): string[] {
  const fresh = freshOrder(model);
  const shown = new Set(fresh);
  let order = model.order.filter((id) => shown.has(id));
  const kept = new Set(order);
  for (const id of fresh.filter((id) => !kept.has(id)).reverse()) order = raised(order, id, model.selectedId);
  return order;
}

/** Invariant 2. */
export function raised(order: readonly string[], id: string, selectedId: string | null): string[] {
  const from = order.indexOf(id);
  const cursor = selectedId === null ? -1 : order.indexOf(selectedId);
  if (id === selectedId && from >= 0) return [...order];
  const rest = order.filter((other) => other !== id);
  // Above the cursor a move to the top changes no row below it; from elsewhere the first free place is below the cursor.
  const to = cursor < 0 || (from >= 0 && from < cursor) ? 0 : cursor + 1;
  rest.splice(to, 0, id);
  return rest;
}

const RAISING: ReadonlySet<string> = new Set(["job_added", "job_started", "run_started"]);

function changed(model: Model, job: Job, event: string): Step {
  const before = model.jobs.get(job.id);
  const next = { ...model, jobs: new Map(model.jobs).set(job.id, job) };
  if (job.id === model.selectedId)
    next.portIndex = Math.max(0, Math.min(model.portIndex, (job.ports?.length ?? 0) - 1));
  if (!isShown(next, job)) return settle(withoutId(next, job.id), model);
  const isNew = !model.order.includes(job.id);
  const startedNow = RAISING.has(event) && before?.run_id !== job.run_id;
  const needsNow = before !== undefined && urgencyOf(job) === 0 && urgencyOf(before) !== 0;
  if (isNew || startedNow || needsNow) next.order = raised(model.order, job.id, model.selectedId);
  return settle(next, model);
}

function removed(model: Model, id: string): Step {
  const jobs = new Map(model.jobs);
  jobs.delete(id);
  return settle(withoutId({ ...model, jobs }, id), model);
}

const withoutId = (model: Model, id: string): Model => ({
  ...model,
  order: model.order.filter((other) => other !== id),
});

/** Invariants 1 and 3; then the panels follow. */
export function settle(model: Model, before: Model): Step {
  if (rowOf(model, model.selectedId) >= 0) return showRun(showSelected(anchored(model, before)));
  const row = rowOf(before, before.selectedId);
  const id = row < 0 ? firstUnit(model) : selectableFrom(model, row, 1);
  // Nobody has asked for a new session: nothing is selected, so that the first unit that comes will be.
  return select(model, rowCount(model) === 1 ? null : id);
}

/** Jobs are heard of first, or at once after. */
function firstUnit(model: Model): string | null {
  const first = model.order[0] ?? model.workerOrder[0];
  if (first !== undefined) return first;
  return model.connection === "connecting" ? null : selectableFrom(model, 1, 1);
}

function patchedRuns(model: Model, event: string, run: Run): readonly Run[] {
  if (event === "run_removed") return model.runs.filter((other) => other.id !== run.id);
  const at = model.runs.findIndex((other) => other.id === run.id);
  if (at < 0) return event === "run_started" || model.runs.length > 0 ? [run, ...model.runs] : model.runs;
  return model.runs.map((other, index) => (index === at ? run : other));
}
