import type {
  BuildFailure,
  FrontRoute,
  FrontStats,
  FrontTable,
  FrontWorker,
  WorkerHealth,
} from "../../protocol/front-messages.ts";
import type { Change } from "../observe/changes.ts";
import { type HealthDocument, healthDocument } from "../observe/health.ts";
import { FRONT } from "../observe/metrics.ts";
import type { Observer } from "../observe/observer.ts";
import type { SeenExchange } from "../observe/recent.ts";
import { placeOf } from "../pages/route-list.ts";
import { wordsOf } from "./words.ts";

/** Everything that a dashboard page shows, at one moment. */
export interface DashboardView {
  project: string;
  mode: FrontTable["mode"];
  status: "healthy" | "degraded" | "unhealthy";
  nowMs: number;
  connections: number;
  requests: number;
  perSecond: number;
  workers: WorkerView[];
  routes: FrontRoute[];
  sessions: FrontTable["sessions"];
  /** The last first. */
  changes: Change[];
  failures: SeenExchange[];
  exchanges: SeenExchange[];
}

export interface WorkerView {
  name: string;
  kind: FrontWorker["kind"];
  state: string;
  reason: string | undefined;
  /** `example.org/api`; a host that is not named is left out. */
  routes: string[];
  version: string | undefined;
  instances: InstanceView[];
  inFlight: number;
  waiting: number;
  requests: number;
  failed: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  failure: BuildFailure | undefined;
}

export interface InstanceView {
  id: string;
  version: string;
  state: string;
  /** Where it listens; undefined once it gets nothing new. */
  address: string | undefined;
  inFlight: number;
}

export interface ViewSources {
  table: FrontTable;
  health: readonly WorkerHealth[];
  observer: Pick<Observer, "counts" | "recent" | "changes">;
  nowMs: number;
}

export function viewOf({ table, health, observer, nowMs }: ViewSources): DashboardView {
  const { recent, changes } = observer;
  const counts = observer.counts();
  const document = healthDocument(table, health);
  const places = placesByWorker(table.routes);
  const facts = { counts, places, recent, workers: document.workers };
  const workers = table.workers.map((worker) => workerView(worker, facts)).sort(byNeed);
  return {
    project: table.project,
    mode: table.mode,
    status: document.status,
    nowMs,
    connections: counts.connections,
    requests: counts.requests,
    perSecond: workers.reduce((sum, { perSecond }) => sum + perSecond, recent.of(FRONT).perSecond),
    workers,
    routes: table.routes,
    sessions: table.sessions,
    changes: changes.newestFirst(),
    failures: recent.failures(),
    exchanges: recent.exchanges(),
  };
}

interface WorkerFacts {
  counts: Omit<FrontStats, "metrics">;
  places: ReadonlyMap<string, string[]>;
  recent: Observer["recent"];
  workers: HealthDocument["workers"];
}

function workerView(worker: FrontWorker, { counts, places, recent, workers }: WorkerFacts): WorkerView {
  const { name, kind, instances, failure } = worker;
  const known = workers[name]!;
  const counted = counts.workers[name];
  return {
    name,
    kind,
    state: known.state,
    reason: known.reason ?? worker.reason,
    routes: places.get(name) ?? [],
    version: instances[0]?.version ?? known.instances[0]?.version,
    instances: instancesOf(worker, known.instances, counts.inFlight),
    inFlight: instances.reduce((sum, { id }) => sum + (counts.inFlight[id] ?? 0), 0),
    waiting: counts.waiting[name] ?? 0,
    requests: counted?.requests ?? 0,
    failed: counted?.failed ?? 0,
    ...recent.of(name),
    failure,
  };
}

/** Who needs somebody first, then by name. */
function byNeed(one: WorkerView, other: WorkerView): number {
  const needOf = ({ state }: WorkerView): number => ["bad", "attention"].indexOf(wordsOf(state).tone);
  const rankOf = (worker: WorkerView): number => (needOf(worker) < 0 ? 2 : needOf(worker));
  return rankOf(one) - rankOf(other) || (one.name < other.name ? -1 : 1);
}

function placesByWorker(routes: readonly FrontRoute[]): Map<string, string[]> {
  const places = new Map<string, string[]>();
  for (const route of routes) {
    if (route.kind !== "worker") continue;
    const known = places.get(route.worker);
    if (known === undefined) places.set(route.worker, [placeOf(route)]);
    else known.push(placeOf(route));
  }
  return places;
}

function instancesOf(
  { instances }: FrontWorker,
  told: WorkerHealth["instances"],
  inFlight: Readonly<Record<string, number>>,
): InstanceView[] {
  const serving = instances.map(({ id, version, host, port }) => ({ id, version, address: `${host}:${port}` }));
  const others = told.filter(({ id }) => !instances.some((one) => one.id === id));
  return [...serving, ...others.map(({ id, version }) => ({ id, version, address: undefined }))].map((instance) => ({
    ...instance,
    state: told.find(({ id }) => id === instance.id)?.state ?? "healthy",
    inFlight: inFlight[instance.id] ?? 0,
  }));
}
