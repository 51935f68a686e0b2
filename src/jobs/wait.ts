import type { Clock } from "../platform/clock.ts";
import { pause } from "../platform/pause.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import type { Condition, Job } from "../protocol/units.ts";
import { LinePattern } from "../runs/line-pattern.ts";
import type { LiveRun } from "./live-run.ts";
import { holds } from "./probes.ts";
import type { Runner } from "./runner.ts";

/**
 * The message `wait`: one or all of its conditions, or the end of the run, or a time limit. A job that is to be started again by its policy is
 * waited for through its next run.
 */
export interface WaitOptions {
  jobId: string;
  request: PayloadOf<"wait">;
  runner: Runner;
  logsDir: string;
  clock: Clock;
  /** A policy or a dependency will start it. */
  isWanted: () => boolean;
  isStuck: (run: LiveRun) => Promise<boolean>;
  view: () => Job;
  signal: AbortSignal;
}

const NEXT_RUN_LOOK_MS = 50;
const STUCK_LOOK_MS = 5_000;

export async function waitFor(options: WaitOptions): Promise<DataOf<"wait">> {
  const { request, signal, view, clock } = options;
  for (const condition of request.conditions) if (condition.kind === "log") new LinePattern(condition);
  const limit = new AbortController();
  let result: DataOf<"wait">["result"] | undefined;
  const give = (why: "timeout" | "stuck"): void => {
    result ??= why;
    limit.abort();
  };
  const cancelTimeout =
    request.timeout_ms === undefined ? () => {} : clock.timer(request.timeout_ms, () => give("timeout"));
  const until = AbortSignal.any([signal, limit.signal]);
  const cancelStuck = watchStuck(options, until, () => give("stuck"));
  try {
    const met = await waitThroughRuns(options, until);
    const isMet = request.mode === "all" ? met.length === request.conditions.length : met.length > 0;
    return { job: view(), met, result: isMet ? "met" : (result ?? "ended") };
  } finally {
    cancelTimeout();
    cancelStuck();
    limit.abort();
  }
}

async function waitThroughRuns(options: WaitOptions, until: AbortSignal): Promise<Condition[]> {
  const { runner, jobId, request, isWanted, clock } = options;
  const met = new Set<Condition>();
  for (;;) {
    const run = runner.ofJob(jobId);
    if (run && (await run.started)) {
      for (const condition of await metBy(run, options, until, met)) met.add(condition);
    } else if (!run && !isWanted()) {
      for (const condition of request.conditions) if (condition.kind === "exit") met.add(condition);
      return [...met];
    }
    const enough = request.mode === "all" ? met.size === request.conditions.length : met.size > 0;
    if (enough || until.aborted) return [...met];
    if (runner.ofJob(jobId) === run) await pause(clock, NEXT_RUN_LOOK_MS, until).catch(() => {});
  }
}

/** What of the conditions held of this run: the first (any), or all until its end. */
async function metBy(
  run: LiveRun,
  options: WaitOptions,
  until: AbortSignal,
  known: ReadonlySet<Condition>,
): Promise<Condition[]> {
  const { request } = options;
  const enough = new AbortController();
  const signal = AbortSignal.any([until, enough.signal]);
  const met: Condition[] = [];
  const probes = request.conditions
    .filter((condition) => !known.has(condition))
    .map(async (condition) => {
      if (!(await holds(run, condition, signal, options))) return;
      met.push(condition);
      if (request.mode !== "all") enough.abort();
    });
  await Promise.all(probes);
  return met;
}

/** A run that waits for what will not come ends a wait for its end (exit status 121); other conditions have their own limit. */
function watchStuck(
  { runner, jobId, request, isStuck, clock }: WaitOptions,
  until: AbortSignal,
  onStuck: () => void,
): () => void {
  if (!request.conditions.some(({ kind }) => kind === "exit")) return () => {};
  let cancel = (): void => {};
  const look = async (): Promise<void> => {
    const run = runner.ofJob(jobId);
    if (run && (await isStuck(run))) return onStuck();
    if (!until.aborted) cancel = clock.timer(STUCK_LOOK_MS, () => void look());
  };
  cancel = clock.timer(STUCK_LOOK_MS, () => void look());
  return () => cancel();
}
