import type { Gateway, Worker } from "../../protocol/gateway-units.ts";
import type { Model, Step } from "./model.ts";
import { settle } from "./units.ts";
import { orderOf, type WorkerView, workerId } from "./workers.ts";

/** Between looks that are closer a rate would jump about. */
const RATE_MS = 500;

/** What the gateways of the home are now. A model that does not change keeps its identity. */
export function applyGateways(model: Model, gateways: readonly Gateway[], nowMs: number): Step {
  const views = gateways.flatMap((gateway) =>
    gateway.workers.map((worker) =>
      viewOf(gateway, worker, model.workers.get(workerId(gateway.dir, worker.name)), nowMs),
    ),
  );
  if (views.length === model.workers.size && views.every((view) => isSame(view, model.workers.get(view.id))))
    return [model, []];
  const workers = new Map(views.map((view) => [view.id, view]));
  return settle({ ...model, nowMs, workers, workerOrder: orderOf(workers, model) }, model);
}

function viewOf(gateway: Gateway, worker: Worker, before: WorkerView | undefined, nowMs: number): WorkerView {
  const view: WorkerView = {
    id: workerId(gateway.dir, worker.name),
    worker,
    dir: gateway.dir,
    project: gateway.project,
    mode: gateway.mode,
    lastSave: gateway.last_save,
    perSecond: before?.perSecond,
    seenAtMs: nowMs,
  };
  const count = worker.requests;
  const countBefore = before?.worker.requests;
  if (before === undefined || count === undefined || countBefore === undefined) return view;
  const sinceMs = nowMs - before.seenAtMs;
  if (sinceMs < RATE_MS) return { ...view, seenAtMs: before.seenAtMs, worker: { ...worker, requests: countBefore } };
  return { ...view, perSecond: (Math.max(0, count - countBefore) * 1000) / sinceMs };
}

/** Apart from when it was looked at. */
const isSame = (a: WorkerView, b: WorkerView | undefined): boolean =>
  b !== undefined && JSON.stringify({ ...a, seenAtMs: 0 }) === JSON.stringify({ ...b, seenAtMs: 0 });
