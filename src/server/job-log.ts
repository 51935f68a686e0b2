import type { Jobs } from "../jobs/jobs.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import type { Job, LogPiece, Run } from "../protocol/units.ts";
import { logPathsOfRun, type RunLogPaths, STREAMS } from "../runs/logs/files.ts";
import { followRun } from "../runs/logs/follow.ts";
import type { LogItem } from "../runs/logs/log-item.ts";
import { openRunLog } from "../runs/logs/log-source.ts";
import { selectLines } from "../runs/logs/select.ts";
import * as errors from "./errors.ts";

/**
 * A part of a run's log, for whoever has no file system in common with this server: from a position or a restriction on, at most a page, with the place
 * where the next part begins. With `wait_ms` an empty part waits for more, or for the run's end.
 */
type Payload = PayloadOf<"job.log">;

/** Of lines, newlines included: as JSON it is at most six times as much, below what a client takes as a line. */
const PAGE_BYTES = 128 * 1024;
const WAIT_MS_MAX = 60_000;

export async function jobLog(jobs: Jobs, payload: Payload, signal: AbortSignal): Promise<DataOf<"job.log">> {
  const { job, run } = runOf(jobs, payload);
  const paths = logPathsOfRun(run);
  const isRunning = isRunningNow(job, run.id);
  const part = await readPart(paths, payload, isRunning);
  const isEmpty = part.items.length === 0;
  if (!isEmpty || !isRunning || !payload.wait_ms) return answer(job, run.id, isRunning, part);
  const waitMs = Math.min(payload.wait_ms, WAIT_MS_MAX);
  await more({ jobs, job, paths, from: part.next, waitMs, signal });
  const now = jobs.get({ job_id: job.id }).job;
  const isStillRunning = isRunningNow(now, run.id);
  const { tail_lines: _, since_ms: __, ...goesOn } = payload; // they were for where to begin
  return answer(now, run.id, isStillRunning, await readPart(paths, { ...goesOn, from: part.next }, isStillRunning));
}

interface Part {
  items: LogPiece[];
  next: { stdout: number; stderr: number };
  isMore: boolean;
}

const isRunningNow = (job: Job, runId: string): boolean => job.status === "running" && job.run_id === runId;

const answer = (job: Job, run_id: string, is_running: boolean, { items, next, isMore }: Part) => ({
  job,
  run_id,
  is_running,
  items,
  next,
  is_more: isMore,
});

function runOf(
  jobs: Jobs,
  { job_id, workdir, run_id }: Payload,
): { job: Job; run: Pick<Run, "id" | "stdout_path" | "stderr_path"> } {
  const ref = { job_id, ...(workdir === undefined ? {} : { workdir }) };
  if (run_id === undefined) {
    const { job } = jobs.get(ref);
    if (job.run_id === undefined) throw errors.noRunYet(job.name ?? job.id);
    return { job, run: { ...job, id: job.run_id } };
  }
  const { job, runs } = jobs.runs(ref);
  const run = runs.find(({ id }) => id === run_id || id === `${job.id}-${run_id}`);
  if (!run) throw errors.runNotFound(run_id, job.name ?? job.id);
  return { job, run };
}

async function readPart(paths: RunLogPaths, wanted: Payload, isRunning: boolean): Promise<Part> {
  const { streams = STREAMS, from, since_ms, tail_lines, max_bytes, keep = "first" } = wanted;
  await using log = await openRunLog(paths);
  const selection = selectLines(log, {
    streams,
    ...(from === undefined ? {} : { from }),
    ...(since_ms === undefined ? {} : { sinceMs: since_ms }),
    ...(tail_lines === undefined ? {} : { tailLines: tail_lines }),
    maxBytes: { bytes: Math.min(max_bytes ?? PAGE_BYTES, PAGE_BYTES), keep },
    holdUnterminated: isRunning,
  });
  const items: LogPiece[] = [];
  let isMore = false;
  for await (const item of selection) {
    // Of a page's end, the next page tells; what the caller has limited is said.
    if (item.kind === "omitted" && item.reason === "limit" && keep === "first") isMore = true;
    else items.push(pieceOf(item));
  }
  return { items, next: selection.consumed(), isMore };
}

function pieceOf(item: LogItem): LogPiece {
  if (item.kind === "omitted") {
    const { stream, reason, bytes, lines } = item;
    return { kind: "omitted", reason, bytes, ...(stream ? { stream } : {}), ...(lines === undefined ? {} : { lines }) };
  }
  const { stream, offsetBytes, bytes, complete, continues, timeMs } = item;
  const text = bytes.toString("utf8");
  const isText = Buffer.from(text).equals(bytes);
  return {
    kind: "line",
    stream,
    offset: offsetBytes,
    ...(isText ? { line: text } : { base64: bytes.toString("base64") }),
    ...(complete ? {} : { complete }),
    ...(continues ? { continues } : {}),
    ...(timeMs === undefined ? {} : { time_ms: timeMs }),
  };
}

/** Resolves when there is more, the run has ended, or the time is over. */
async function more({
  jobs,
  job,
  paths,
  from,
  waitMs,
  signal,
}: {
  jobs: Jobs;
  job: Job;
  paths: RunLogPaths;
  from: Part["next"];
  waitMs: number;
  signal: AbortSignal;
}): Promise<void> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal, AbortSignal.timeout(waitMs)]);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  jobs.wait({ job_id: job.id, conditions: [{ kind: "exit" }] }, until).then(
    ({ result }) => {
      if (result !== "stuck") resolve(); // one that says nothing for long goes on all the same
    },
    () => resolve(),
  );
  try {
    for await (const _ of followRun({ paths, start: { kind: "positions", positions: from }, ended, signal: until }))
      break;
  } finally {
    over.abort();
  }
}
