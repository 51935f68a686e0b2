import type { FrontTable, FrontWorker, WorkerHealth } from "../../protocol/front-messages.ts";

/** What `/health` answers: as the server told it last; of a worker that it has not told about, what the table shows. */
export interface HealthDocument {
  /** `unhealthy` is answered with 503, the others with 200. */
  status: "healthy" | "degraded" | "unhealthy";
  project: string;
  mode: FrontTable["mode"];
  workers: Record<string, { state: string; reason?: string; instances: WorkerHealth["instances"] }>;
}

/** A person wants it so: it counts for nothing. */
const WANTED = new Set(["stopped"]);
/** Serves no request, or none as it should. */
const DOWN = new Set(["unhealthy", "failed", "crash_looping"]);

/**
 * `healthy`: every worker that is wanted is. `unhealthy`: there are some, and each of them is down. Otherwise `degraded`: whoever balances between several of us
 * goes on to ask, since part of the site works or soon will.
 */
export function healthDocument(table: FrontTable, told: readonly WorkerHealth[]): HealthDocument {
  const byName = new Map(told.map((health) => [health.worker, health]));
  const workers: HealthDocument["workers"] = {};
  for (const worker of table.workers) {
    const { state, reason, instances } = byName.get(worker.name) ?? seenHere(worker);
    workers[worker.name] = { state, ...(reason === undefined ? {} : { reason }), instances };
  }
  const wanted = Object.values(workers).filter(({ state }) => !WANTED.has(state));
  const status = wanted.every(({ state }) => state === "healthy")
    ? "healthy"
    : wanted.every(({ state }) => DOWN.has(state))
      ? "unhealthy"
      : "degraded";
  return { status, project: table.project, mode: table.mode, workers };
}

const STATES: Readonly<Record<FrontWorker["state"], string>> = {
  serving: "healthy",
  held: "starting",
  failed: "failed",
  gone: "unhealthy",
};

function seenHere({ name, state, reason, instances }: FrontWorker): WorkerHealth {
  return {
    worker: name,
    state: STATES[state],
    ...(reason === undefined ? {} : { reason }),
    instances: instances.map(({ id, version }) => ({ id, version, state: "healthy" })),
  };
}
