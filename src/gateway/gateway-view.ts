import { timestamp } from "../platform/clock.ts";
import type { FrontStats } from "../protocol/front-messages.ts";
import type { Gateway, Worker, WorkerInstance } from "../protocol/gateway-units.ts";
import { isSpare, type WorkerState } from "./lifecycle/state.ts";
import { instanceStateOf, summaryOf } from "./lifecycle/summary.ts";
import { rollbackTarget } from "./lifecycle/versions.ts";
import type { GatewayProject } from "./project.ts";
import type { ProjectWorker } from "./project-worker.ts";

/** A project's gateway as it is told: put together when somebody asks. */
export function viewGateway(project: GatewayProject, stats: FrontStats | undefined): Gateway {
  const { config, address, mode, fronts, ports, configError } = project;
  const { host = config.host, port = config.port } = address ?? {};
  const front = fronts.server;
  return {
    dir: project.dir,
    project: config.project,
    mode,
    host,
    port,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    ...(front && fronts.isConnected
      ? {
          front: {
            pid: front.pid,
            generation: front.generation,
            ...(stats ? { connections: stats.connections } : {}),
          },
        }
      : {}),
    workers: project.workers.map((worker) => viewWorker(project, worker, stats)),
    ports: { from: ports.from, to: ports.to, used: ports.used.map((use) => ({ ...use })) },
    ...lastSaveOf(project),
    ...(configError === undefined ? {} : { config_error: configError }),
    ...(config.warnings.length > 0 ? { warnings: [...config.warnings] } : {}),
  };
}

function lastSaveOf({ workers }: GatewayProject): Pick<Gateway, "last_save"> {
  const saves = workers.flatMap(({ lastSave }) => lastSave ?? []).sort((a, b) => b.at.localeCompare(a.at));
  return saves[0] ? { last_save: saves[0] } : {};
}

export function viewWorker(
  project: GatewayProject,
  { state, config, name }: ProjectWorker,
  stats?: FrontStats,
): Worker {
  const { state: summary, reason } = summaryOf(state);
  const version = state.current?.version;
  const back = rollbackTarget(state);
  const seen = stats?.workers[name];
  const waiting = stats?.waiting[name];
  return {
    name,
    kind: "worker",
    type: config.type,
    route: config.route,
    state: summary,
    ...(reason === undefined ? {} : { reason }),
    ...(version === undefined ? {} : { version }),
    ...("version" in back ? { previous: back.version } : {}),
    instances: instancesOf(project, state, stats),
    ...(seen ? { requests: seen.requests, failed: seen.failed } : {}),
    ...(waiting ? { waiting } : {}),
  };
}

function instancesOf(project: GatewayProject, state: WorkerState, stats: FrontStats | undefined): WorkerInstance[] {
  return state.instances
    .filter((instance) => !isSpare(instance))
    .map((instance) => {
      const { id, version, port, pid, reason, healthSinceMs } = instance;
      const { stdoutPath, stderrPath } = project.runs.logsOf(id);
      const inFlight = stats?.inFlight[id];
      return {
        id,
        version: version ?? "",
        state: instanceStateOf(state, instance),
        ...(port === null ? {} : { port }),
        ...(pid === null ? {} : { pid }),
        ...(healthSinceMs > 0 ? { healthy_since: timestamp(healthSinceMs) } : {}),
        ...(inFlight === undefined ? {} : { in_flight: inFlight }),
        ...(reason === null ? {} : { reason }),
        stdout_path: stdoutPath,
        stderr_path: stderrPath,
      };
    });
}
