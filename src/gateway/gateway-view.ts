import { timestamp } from "../platform/clock.ts";
import type { FrontStats } from "../protocol/front-messages.ts";
import type { Gateway, Worker, WorkerFailure, WorkerInstance } from "../protocol/gateway-units.ts";
import type { Measured, UsageMeter } from "./instances/usage.ts";
import { desiredVersion, hasProcesses, type Instance, isSpare, staffOf, type WorkerState } from "./lifecycle/state.ts";
import { instanceStateOf, summaryOf } from "./lifecycle/summary.ts";
import { rollbackTarget, versionRecord } from "./lifecycle/versions.ts";
import type { GatewayProject } from "./project.ts";
import type { ProjectWorker } from "./project-worker.ts";

/** What only others know: the front, and the system. Absent where nobody asked for it. */
export interface Observed {
  stats?: FrontStats | undefined;
  usage?: UsageMeter | undefined;
}

/** A project's gateway as it is told: put together when somebody asks. */
export function viewGateway(project: GatewayProject, observed: Observed): Gateway {
  const { config, mode, fronts, ports, configError } = project;
  const { host, port, url } = addressOf(project);
  const { stats } = observed;
  const front = fronts.server;
  return {
    dir: project.dir,
    project: config.project,
    mode,
    host,
    port,
    url,
    ...(front && fronts.isConnected
      ? {
          front: {
            pid: front.pid,
            generation: front.generation,
            ...(stats ? { connections: stats.connections } : {}),
          },
        }
      : {}),
    ...tlsOf(project, stats),
    workers: byName(project.workers).map((worker) => viewWorker(project, worker, observed)),
    ports: { from: ports.from, to: ports.to, used: ports.used.map((use) => ({ ...use })) },
    ...lastSaveOf(project),
    ...(configError === undefined ? {} : { config_error: configError }),
    ...(config.warnings.length > 0 ? { warnings: [...config.warnings] } : {}),
  };
}

/** In the order in which people look for them. */
export const byName = (workers: readonly ProjectWorker[]): ProjectWorker[] =>
  workers.toSorted((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));

/** What a measurement looks at: spares too, which are a worker's own. */
export const runningOf = ({ workers, runs }: GatewayProject): Measured[] =>
  workers.flatMap(({ state }) =>
    state.instances
      .filter(({ process }) => process === "running")
      .map(({ id, askedAtMs }) => ({ id, startedAtMs: askedAtMs, membersIn: (view) => runs.membersOf(id, view) })),
  );

function addressOf({ config, address }: GatewayProject): { host: string; port: number; scheme: string; url: string } {
  const { host = config.host, port = config.port } = address ?? {};
  const scheme = config.tls === undefined ? "http" : "https";
  return { host, port, scheme, url: `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}` };
}

function tlsOf({ config: { tls } }: GatewayProject, stats: FrontStats | undefined): Pick<Gateway, "tls"> {
  if (tls === undefined) return {};
  const certificates = stats?.tls?.certificates.map(({ cert, hosts, expiresAt, problem }) => ({
    cert,
    hosts: [...hosts],
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
    ...(problem === undefined ? {} : { problem }),
  }));
  return { tls: { plain: tls.plain, ...(certificates && { certificates }) } };
}

function lastSaveOf({ workers }: GatewayProject): Pick<Gateway, "last_save"> {
  const saves = workers.flatMap(({ lastSave }) => lastSave ?? []).sort((a, b) => b.at.localeCompare(a.at));
  return saves[0] ? { last_save: saves[0] } : {};
}

export function viewWorker(project: GatewayProject, worker: ProjectWorker, observed: Observed = {}): Worker {
  const { state, config, name } = worker;
  const { state: summary, reason } = summaryOf(state);
  const version = state.current?.version;
  const back = rollbackTarget(state);
  const failure = failureOf(state);
  return {
    name,
    kind: "worker",
    id: `${project.config.project}/${name}`,
    project: project.config.project,
    workdir: project.dir,
    type: config.type,
    route: config.route,
    url: urlOf(project, config.route),
    state: summary,
    ...(reason === undefined ? {} : { reason }),
    ...(version === undefined ? {} : { version }),
    ...("version" in back ? { previous: back.version } : {}),
    ...(failure ? { failure } : {}),
    restart_count: (state.current ?? state.candidate)?.restarts.failures ?? 0,
    ...processesOf(state, observed),
    instances: instancesOf(project, state, observed),
    ...trafficOf(name, state, observed),
  };
}

/** A route with a host is reached under that name. */
function urlOf(project: GatewayProject, route: string): string {
  const { scheme, url, port } = addressOf(project);
  if (route.startsWith("/")) return `${url}${route}`;
  const at = route.indexOf("/");
  return `${scheme}://${route.slice(0, at)}:${port}${route.slice(at)}`;
}

/** As of a job: one status, one process, when it began, its ports, what it uses. */
function processesOf(state: WorkerState, { usage }: Observed): Partial<Worker> {
  if (!hasProcesses(state.spec)) return { status: state.wanted === "up" ? "running" : "stopped", pid: 0 };
  const running = state.instances.filter(({ process }) => process === "running");
  const own = running.filter((instance) => !isSpare(instance));
  const first = oldest(staffOf(state, state.current)) ?? oldest(own);
  const used = running.flatMap(({ id }) => usage?.of(id) ?? []);
  return {
    status: own.length > 0 ? "running" : "stopped",
    pid: first?.pid ?? 0,
    ...(first ? { started_at: timestamp(first.askedAtMs) } : {}),
    ports: own.flatMap(({ port, pid }) =>
      port === null || pid === null ? [] : [{ port, protocol: "tcp" as const, pid, address: "127.0.0.1" }],
    ),
    ...(used.length > 0
      ? {
          cpu_percent: Math.round(used.reduce((sum, { cpuPercent }) => sum + cpuPercent, 0) * 10) / 10,
          memory_bytes: used.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
        }
      : {}),
  };
}

const oldest = (instances: readonly Instance[]): Instance | undefined =>
  instances.filter(({ process }) => process === "running").sort((a, b) => a.askedAtMs - b.askedAtMs)[0];

/** What speaks against the version that should serve; else what its instances ended with, while they are started again. */
function failureOf(state: WorkerState): WorkerFailure | undefined {
  const version = desiredVersion(state);
  const bad = versionRecord(state, version)?.bad;
  if (version !== null && bad) {
    const { phase, reason, atMs, failure, output } = bad;
    const said = failure?.output.length ? failure.output : output;
    return {
      version,
      phase,
      message: reason,
      at: timestamp(atMs),
      places: failure?.places.map((place) => ({ ...place })) ?? [],
      output: [...said],
    };
  }
  const release = state.current ?? state.candidate;
  if (!release || release.restarts.failures === 0 || release.restarts.reason === null) return undefined;
  const { reason, lastMs, output } = release.restarts;
  return {
    version: release.version,
    phase: "run",
    message: reason,
    at: timestamp(lastMs),
    places: [],
    output: [...output],
  };
}

function trafficOf(name: string, state: WorkerState, { stats }: Observed): Partial<Worker> {
  if (!stats) return {};
  const seen = stats.workers[name];
  const waiting = stats.waiting[name];
  return {
    ...(seen ? { requests: seen.requests, failed: seen.failed, p50_ms: seen.p50Ms, p99_ms: seen.p99Ms } : {}),
    ...(waiting ? { waiting } : {}),
    in_flight: state.instances.reduce((sum, { id }) => sum + (stats.inFlight[id] ?? 0), 0),
  };
}

function instancesOf(project: GatewayProject, state: WorkerState, { stats }: Observed): WorkerInstance[] {
  return state.instances
    .filter((instance) => !isSpare(instance))
    .map((instance) => {
      const { id, version, port, pid, reason, healthSinceMs, process, askedAtMs } = instance;
      const { stdoutPath, stderrPath } = project.runs.logsOf(id);
      const inFlight = stats?.inFlight[id];
      return {
        id,
        version: version ?? "",
        state: instanceStateOf(state, instance),
        ...(port === null ? {} : { port }),
        ...(pid === null ? {} : { pid }),
        ...(process === "running" ? { started_at: timestamp(askedAtMs) } : {}),
        ...(healthSinceMs > 0 ? { healthy_since: timestamp(healthSinceMs) } : {}),
        ...(inFlight === undefined ? {} : { in_flight: inFlight }),
        ...(reason === null ? {} : { reason }),
        stdout_path: stdoutPath,
        stderr_path: stderrPath,
      };
    });
}
