import type {
  DebugClient,
  DebugFault,
  DebugFrame,
  DebugLease,
  DebugLogEntry,
  DebugMemory,
  DebugState,
} from "../../protocol/debug.ts";
import { formatBytes, formatDuration } from "../../protocol/durations.ts";
import type { Output } from "../output.ts";
import { shortAge } from "../render/ages.ts";
import { serverTitle } from "../render/server-title.ts";
import { facts, table } from "../render/table.ts";
import { printable } from "../render/text-width.ts";

/** What `warren debug` prints of each answer. */

export function stateLines(output: Output, state: DebugState): string[] {
  const { icon, server, version, git_hash, pid, generation, uptime_ms, phase, waits_for, last_error } = state;
  return facts(output, [
    ["Server", `${serverTitle(output, { icon, name: server })}${state.primary ? ", primary" : ""}`],
    ["Build", `v${version} ${git_hash}`],
    ["Process", `pid ${pid}, generation ${generation}, up ${formatDuration(uptime_ms)}`],
    ["Phase", `${phase} since ${state.phase_since}`],
    ["Waits for", waits_for.join(", ") || "nothing"],
    ["Clients", `${state.client_count}, ${state.subscriber_count} of them subscribed`],
    ["Changes", `${state.changing_count} in hand`],
    ["Jobs", state.jobs === null ? "another server has them" : counts(state.jobs)],
    ["Sessions", counts(state.sessions)],
    [
      "Streams",
      Object.entries(state.streams)
        .map(([name, seq]) => `${name} ${seq}`)
        .join(", ") || "none",
    ],
    ["Faults", state.faults_allowed ? state.faults.map(faultText).join("; ") || "none set" : "not allowed"],
    ["Last error", last_error ? `${printable(last_error.message)} (${last_error.at})` : "none"],
  ]);
}

export function clientLines(output: Output, clients: readonly DebugClient[], nowMs: number): string[] {
  return table(
    output,
    ["ID", "AGE", "CLIENT", "ATTACHED", "STREAMS", "IN HAND", "QUEUED", "LINES", "FRAMES", "SKIPPED"],
    [
      ...clients.map((client) => [
        String(client.id),
        shortAge(nowMs - Date.parse(client.since)),
        client.client === undefined ? "-" : printable(`${client.client} ${client.version ?? ""}`.trim()),
        client.attached ? `${client.attached.session} as ${client.attached.role}` : "-",
        client.streams.join(",") || "-",
        String(client.in_hand_count),
        formatBytes(client.queued_bytes),
        `${client.lines_in} in, ${client.lines_out} out`,
        client.attached ? `${client.frames_out}, ${client.screens_out} screens` : "-",
        client.attached ? formatBytes(client.skipped_bytes) : "-",
      ]),
    ],
  );
}

export function leaseLines(output: Output, leases: readonly DebugLease[]): string[] {
  return table(
    output,
    ["SESSION", "CHANNEL", "KIND", "PID", "EPOCH", "OUTPUT", "TOLD", "SCREEN", "INPUT", "JOURNAL", "NOTE"],
    [
      ...leases.map((lease) => [
        lease.name ?? lease.id,
        String(lease.channel),
        lease.kind,
        String(lease.pid),
        String(lease.epoch),
        String(lease.output_bytes),
        behind(lease.told_bytes, lease.output_bytes),
        lease.screen_bytes === null ? "late" : behind(lease.screen_bytes, lease.output_bytes),
        String(lease.input_bytes),
        `${lease.segment}:${lease.segment_bytes}`,
        lease.ended ? "ended" : (lease.stalled ?? ""),
      ]),
    ],
  );
}

export function memoryLines(output: Output, memory: DebugMemory): string[] {
  const lines = facts(output, [
    ["Resident", formatBytes(memory.rss_bytes)],
    ["Heap", `${formatBytes(memory.heap_used_bytes)} of ${formatBytes(memory.heap_total_bytes)}`],
    ["External", `${formatBytes(memory.external_bytes)}, ${formatBytes(memory.array_buffer_bytes)} of it buffers`],
    ["Queued", `${formatBytes(memory.queued_bytes)} for clients`],
    ...memory.threads.map((thread): [string, string] => [
      `Thread ${thread.id}`,
      `heap ${formatBytes(thread.heap_used_bytes)} of ${formatBytes(thread.heap_total_bytes)}, external ${formatBytes(thread.external_bytes)}`,
    ]),
  ]);
  if (memory.screens.length === 0) return lines;
  const rows = memory.screens.map(({ session, cols, rows: lineCount, output_bytes }) => [
    session,
    `${cols}x${lineCount}`,
    formatBytes(output_bytes),
  ]);
  return [...lines, "", ...table(output, ["SESSION", "SCREEN", "OUTPUT"], rows)];
}

export const faultLines = (faults: readonly DebugFault[]): string[] =>
  faults.length === 0 ? ["No faults are set"] : faults.map(faultText);

/** `12:00:01.234  42  event   job_started  stream=jobs seq=7` */
export const logLine = ({ at, seq, kind, event, fields }: DebugLogEntry): string =>
  `${at.slice(11, 23)}  ${String(seq).padStart(5)}  ${kind.padEnd(6)}  ${event}${fields ? `  ${pairs(fields)}` : ""}`;

export function frameLine({ at, client, direction, kind: _, type, bytes, shape, ...rest }: DebugFrame): string {
  const inside = shape ? `  {${pairs(shape, ": ")}}` : "";
  const facts = Object.keys(rest).length > 0 ? `  ${pairs(rest)}` : "";
  return `${at.slice(11, 23)}  ${String(client).padStart(3)} ${direction === "in" ? "→" : "←"} ${type}  ${bytes} B${facts}${inside}`;
}

const faultText = ({ fault: { name, ...rest }, hit_count }: DebugFault): string =>
  `${name}${Object.keys(rest).length > 0 ? ` ${pairs(rest)}` : ""} (struck ${hit_count} ${hit_count === 1 ? "time" : "times"})`;

const pairs = (fields: object, mark = "="): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}${mark}${printable(typeof value === "string" ? value : JSON.stringify(value))}`)
    .join(mark === "=" ? " " : ", ");

const counts = (byState: Record<string, number>): string =>
  Object.entries(byState)
    .map(([state, count]) => `${count} ${state}`)
    .join(", ") || "none";

const behind = (at: number | undefined, end: number): string =>
  at === undefined ? "-" : at >= end ? "all" : `${end - at} behind`;
