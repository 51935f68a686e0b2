import { stat } from "node:fs/promises";
import { request } from "node:http";
import { request as requestTls } from "node:https";
import type { Clock } from "../platform/clock.ts";
import { pause } from "../platform/pause.ts";
import { listeningPorts } from "../platform/process.ts";
import type { Condition } from "../protocol/units.ts";
import { LinePattern } from "../runs/line-pattern.ts";
import { logPaths, type logPathsOfRun } from "../runs/logs/files.ts";
import { followPieces } from "../runs/logs/follow.ts";
import { findMembers } from "../runs/tree.ts";
import type { LiveRun } from "./live-run.ts";

/**
 * Waits until a condition holds of a live run: for `wait`, `depends_on` and readiness alike. What the system tells (an end, a line of output) is
 * waited for; ports, URLs and silence are looked at, more and more rarely.
 */
export interface ProbeContext {
  logsDir: string;
  clock: Clock;
}

const FIRST_LOOK_MS = 10;
const LAST_LOOK_MS = 250;
const HTTP_TIMEOUT_MS = 2_000;

/** Resolves true when it holds, false when `signal` aborts or the run ends first. */
export async function holds(
  run: LiveRun,
  condition: Condition,
  signal: AbortSignal,
  context: ProbeContext,
): Promise<boolean> {
  const over = AbortSignal.any([signal, run.over]);
  switch (condition.kind) {
    case "exit":
      return endedBefore(run, signal);
    case "port":
      return look(over, context.clock, async () => listensOn(run, condition.port));
    case "http":
      return look(over, context.clock, () => answersWell(condition.url));
    case "log":
      return sawLine(run, new LinePattern(condition), over, signal, context);
    case "idle":
      return look(over, context.clock, () => isSilent(run, condition.idle_ms, context));
  }
}

/** By the run's signal: what waits for a promise stays with it until it settles, given up or not. */
function endedBefore({ over }: LiveRun, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const onOver = (): void => resolve(true);
  const onAbort = (): void => resolve(false);
  if (over.aborted) onOver();
  else if (signal.aborted) onAbort();
  over.addEventListener("abort", onOver);
  signal.addEventListener("abort", onAbort);
  return promise.finally(() => {
    over.removeEventListener("abort", onOver);
    signal.removeEventListener("abort", onAbort);
  });
}

async function look(over: AbortSignal, clock: Clock, isTrue: () => Promise<boolean>): Promise<boolean> {
  for (let pauseMs = FIRST_LOOK_MS; !over.aborted; pauseMs = Math.min(LAST_LOOK_MS, pauseMs * 1.5)) {
    if (await isTrue()) return true;
    await pause(clock, pauseMs, over).catch(() => {}); // aborted: the loop ends
  }
  return false;
}

function listensOn(run: LiveRun, port: number | undefined): boolean {
  if (!run.marks) return false;
  const ports = listeningPorts(findMembers(run.marks).map(({ pid }) => pid));
  return ports.some((open) => open.protocol.startsWith("tcp") && (port === undefined || open.port === port));
}

/** 2xx and 3xx: an error page is an answer, but not a ready one. */
function answersWell(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const send = url.startsWith("https:") ? requestTls : request;
    try {
      const call = send(url, { agent: false }, (response) => {
        response.resume();
        resolve((response.statusCode ?? 500) < 400);
      });
      const limit = setTimeout(() => call.destroy(), HTTP_TIMEOUT_MS); // a stream of events has no end
      call.on("close", () => clearTimeout(limit));
      call.on("error", () => resolve(false));
      call.end();
    } catch {
      resolve(false);
    }
  });
}

/** Reads the output from its beginning: a line that came before the question counts. */
async function sawLine(
  run: LiveRun,
  pattern: LinePattern,
  over: AbortSignal,
  signal: AbortSignal,
  { logsDir }: ProbeContext,
): Promise<boolean> {
  const pieces = followPieces({ paths: logPaths(logsDir, run.id), ended: run.over, signal });
  try {
    for await (const items of pieces) {
      if (await pattern.matchesOne(items.flatMap((item) => (item.kind === "line" ? [item.bytes] : [])))) return true;
      if (signal.aborted) return false;
    }
  } catch (error) {
    if (!over.aborted) throw error;
  }
  return false;
}

async function isSilent(run: LiveRun, idleMs: number, { logsDir, clock }: ProbeContext): Promise<boolean> {
  return (await silenceMs(logPaths(logsDir, run.id), run.record.startedAtMs, clock)) >= idleMs;
}

/** Milliseconds since the run's last output, or since its start. */
export async function silenceMs(
  { stdoutPath, stderrPath }: ReturnType<typeof logPathsOfRun>,
  startedAtMs: number,
  clock: Clock,
): Promise<number> {
  const changed = await Promise.all(
    [stdoutPath, stderrPath].map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return clock.wallMs() - Math.max(startedAtMs, ...changed);
}
