import type { WorkerFailure } from "../../protocol/gateway-units.ts";
import { useOfWorker } from "./usage.ts";
import type { WorkerView } from "./workers.ts";

/** Panel 2 of a worker, as plain lines: where it answers, what it does now, what is wrong. */
export function workerFacts({ worker, mode, lastSave, perSecond }: WorkerView): string[] {
  const { url, route, type, version, previous, reason, failure, restart_count = 0 } = worker;
  const lines = [url ?? route, [type, mode, ...(version ? [`v ${version}`] : [])].join(" · ")];
  lines.push(...trafficLines(worker, perSecond));
  const use = useOfWorker(worker);
  if (use) lines.push(`${use.cpu} cpu · ${use.memory}`);
  if (worker.waiting) lines.push(`${worker.waiting} waiting`);
  if (failure) lines.push(...failureLines(failure));
  else if (reason !== undefined) lines.push(reason);
  if (restart_count > 0) lines.push(`failed ${restart_count} times in a row`);
  if (previous !== undefined) lines.push(`R goes back to ${previous}`);
  if (lastSave?.worker === worker.name && lastSave.version === version)
    lines.push(`last save: built ${ms(lastSave.built_ms)}, served ${ms(lastSave.switched_ms)}`);
  return lines;
}

const ms = (value: number): string => `${Math.round(value)} ms`;

/** `12 req/s · 3 in flight`, `1204 in all, 2 failed · p99 8 ms` */
function trafficLines(
  { requests, failed, in_flight = 0, p99_ms }: WorkerView["worker"],
  perSecond: number | undefined,
): string[] {
  if (requests === undefined) return [];
  const rate = perSecond === undefined ? "-" : rounded(perSecond);
  const all = `${requests} in all${failed ? `, ${failed} failed` : ""}`;
  return [`${rate} req/s · ${in_flight} in flight`, p99_ms ? `${all} · p99 ${rounded(p99_ms)} ms` : all];
}

const rounded = (value: number): string => String(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));

const PHASES: Record<WorkerFailure["phase"], string> = {
  build: "cannot be built",
  start: "does not come up",
  probation: "was taken back",
  run: "does not stay up",
};

/** The message, and each place with its frame; then what was written last. */
export const failureLines = ({ version, phase, message, places, output }: WorkerFailure): string[] => [
  `${version} ${PHASES[phase] ?? phase}:`,
  message,
  ...places.flatMap(({ file, line, column, message: said, frame }) => [
    `${file}:${line}:${column}${said === message ? "" : ` ${said}`}`,
    ...frame,
  ]),
  ...(places.length === 0 ? output : []),
];
