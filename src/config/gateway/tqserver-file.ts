import { join } from "node:path";
import type { FrontLimits } from "../../protocol/front-messages.ts";
import { type CheckedSource, checkFile } from "./config-source.ts";
import type { Notes } from "./notes.ts";
import { TQSERVER_FIELDS, type TqServerFile } from "./tqserver-fields.ts";

/** TQServer's config/server.yaml: what it says holds where the section `gateway` of warren.yaml says nothing. */

const PLACES = ["config/server.yaml", "config/server.yml"];

/** What stands in it, in our words. */
export interface TqServerSettings {
  source?: CheckedSource<TqServerFile>;
  port?: number;
  workers?: string;
  ports?: { from?: number; to?: number };
  hasPublicMetrics?: boolean;
  limits: Partial<FrontLimits>;
  healthTimeoutMs?: number;
  startTimeoutMs?: number;
  stopGraceMs?: number;
}

/** The settings of a project without such a file are empty. */
export async function readTqServerFile(dir: string, notes: Notes, watched: Set<string>): Promise<TqServerSettings> {
  for (const name of ["config", ...PLACES]) watched.add(join(dir, name));
  for (const name of PLACES) {
    const source = await checkFile(join(dir, name), TQSERVER_FIELDS);
    if (source === undefined) continue;
    noteUnused(source.value ?? {}, source.file, notes);
    return { source, ...settingsOf(source.value ?? {}) };
  }
  return { limits: {} };
}

function settingsOf({ server = {}, workers = {}, metrics = {} }: TqServerFile): Omit<TqServerSettings, "source"> {
  const { port_range_start: from, port_range_end: to, health_check_wait_timeout_ms: startTimeoutMs } = workers;
  const { health_check_timeout_ms: healthTimeoutMs, shutdown_grace_period_ms: stopGraceMs } = workers;
  const hasRange = from !== undefined || to !== undefined;
  return {
    ...(server.port !== undefined && { port: server.port }),
    ...(workers.directory !== undefined && { workers: workers.directory }),
    ...(hasRange && { ports: { ...(from !== undefined && { from }), ...(to !== undefined && { to }) } }),
    ...(metrics.enabled !== undefined && { hasPublicMetrics: metrics.enabled }),
    ...(startTimeoutMs && { startTimeoutMs }),
    ...(healthTimeoutMs && { healthTimeoutMs }),
    ...(stopGraceMs && { stopGraceMs }),
    limits: limitsOf(server),
  };
}

/** Its limits are those of a whole message; ours are of a side that says nothing for so long, so that streams and large files go through. 0: ours. */
function limitsOf(server: NonNullable<TqServerFile["server"]>): Partial<FrontLimits> {
  const { read_timeout_seconds: read, write_timeout_seconds: write, idle_timeout_seconds: idle } = server;
  return {
    ...(read && { headMs: read * 1_000, bodyIdleMs: read * 1_000 }),
    ...(write && { answerMs: write * 1_000 }),
    ...(idle && { idleMs: idle * 1_000 }),
  };
}

/** The only debounce that we have. */
const DEBOUNCE_MS = 50;

function noteUnused(
  { server, workers, file_watcher, metrics, socks5, https_inspection }: TqServerFile,
  path: string,
  notes: Notes,
): void {
  const note = (key: string, value: unknown, reason: string): void => {
    if (value !== undefined) notes.ignored(path, key, reason);
  };
  note("server.log_file", server?.log_file, "our own log is in the home");
  note("workers.startup_delay_ms", workers?.startup_delay_ms, "an instance is ready when it answers");
  note("workers.restart_delay_ms", workers?.restart_delay_ms, "a restart waits for nothing but readiness");
  if (file_watcher?.debounce_ms !== DEBOUNCE_MS)
    note("file_watcher.debounce_ms", file_watcher?.debounce_ms, `it is ${DEBOUNCE_MS} ms`);
  if (metrics?.path !== "/metrics") note("metrics.path", metrics?.path, "it is /metrics");
  note("socks5", socks5, "the log of outgoing calls is not implemented");
  note("socks5.https_inspection", socks5?.https_inspection, "it is not implemented");
  note("https_inspection", https_inspection, "it is not implemented");
}
