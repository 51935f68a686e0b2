import type { FrontStats, FrontTable } from "../../protocol/front-messages.ts";
import { STREAM_PATH } from "../live/client-script.ts";
import type { ExchangeRecord } from "../proxy/responder.ts";
import { Exposition } from "./exposition.ts";
import { Histogram } from "./histogram.ts";

/**
 * Counts of what the front has answered, since its start. Labels are bounded by the table: a worker (those that the table has; the rest together as
 * `front`), a method of a fixed list, a class of statuses. Never a path, a host or anything else that a client chooses.
 */
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"] as const;
const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** What is answered without a worker: pages, redirects, files of the project, sessions. */
export const FRONT = "front";

/** Edges of the duration's buckets that are told: 2^7 µs (0.128 ms) to 2^26 µs (67 s). */
const EDGE_BITS = Array.from({ length: 20 }, (_, at) => at + 7);

/** What holds at this moment; asked of the data plane when the metrics are. */
export interface Gauges {
  connections: number;
  /** By instance. */
  inFlight: Readonly<Record<string, number>>;
  /** By worker. */
  waiting: Readonly<Record<string, number>>;
  liveClients: number;
  /** Of the access log. */
  droppedLines: number;
}

class WorkerCounts {
  readonly byMethodAndClass = new Float64Array(METHODS.length * CLASSES.length);
  readonly durations = new Histogram();
  requests = 0;
  failed = 0;
  bytesIn = 0;
  bytesOut = 0;
}

export class Metrics {
  #workers = new Map<string, WorkerCounts>([[FRONT, new WorkerCounts()]]);
  #table: FrontTable | undefined;
  requests = 0;

  /** Counts of workers that the table does not have any more are forgotten. */
  applyTable(table: FrontTable): void {
    this.#table = table;
    const names = [FRONT, ...table.workers.map(({ name }) => name)];
    this.#workers = new Map(names.map((name) => [name, this.#workers.get(name) ?? new WorkerCounts()]));
  }

  /** One exchange, when it is over. */
  record(exchange: Readonly<ExchangeRecord>): void {
    const { worker, method, status, durationMs, bytesIn, bytesOut } = exchange;
    const counts = this.#workers.get(worker ?? FRONT) ?? this.#workers.get(FRONT)!;
    this.requests++;
    counts.requests++;
    counts.bytesIn += bytesIn;
    counts.bytesOut += bytesOut;
    if (isTimed(exchange)) counts.durations.record(durationMs);
    if (status >= 500) counts.failed++;
    if (status >= 100 && status <= 599)
      counts.byMethodAndClass[methodIndex(method) * CLASSES.length + Math.floor(status / 100) - 1]!++;
  }

  workerStats(): FrontStats["workers"] {
    const stats: FrontStats["workers"] = {};
    for (const [name, { requests, failed, bytesOut, durations }] of this.#workers)
      stats[name] = {
        requests,
        failed,
        bytesOut,
        p50Ms: durations.percentileMs(0.5),
        p99Ms: durations.percentileMs(0.99),
      };
    return stats;
  }

  /** Prometheus' text format, version 0.0.4. */
  text(gauges: Gauges): string {
    const out = new Exposition("warren_gateway_");
    this.#tellRequests(out);
    this.#tellDurations(out);
    this.#tellGauges(out, gauges);
    return out.text;
  }

  #tellRequests(out: Exposition): void {
    out.family("requests_total", "counter", "Requests that were answered.");
    for (const [worker, { byMethodAndClass }] of this.#workers)
      for (let at = 0; at < byMethodAndClass.length; at++) {
        const [method, status] = [METHODS[Math.floor(at / CLASSES.length)]!, CLASSES[at % CLASSES.length]!];
        if (byMethodAndClass[at]! > 0) out.sample({ worker, method, status }, byMethodAndClass[at]!);
      }
    out.family("received_bytes_total", "counter", "Bytes of requests' bodies.");
    for (const [worker, { bytesIn }] of this.#workers) out.sample({ worker }, bytesIn);
    out.family("sent_bytes_total", "counter", "Bytes of answers.");
    for (const [worker, { bytesOut }] of this.#workers) out.sample({ worker }, bytesOut);
  }

  #tellDurations(out: Exposition): void {
    out.family("request_duration_seconds", "histogram", "From a request's head to the end of its answer.");
    for (const [worker, { durations }] of this.#workers) {
      for (const bit of EDGE_BITS)
        out.sample({ worker, le: String(2 ** bit / 1e6) }, durations.countBelow(bit), "_bucket");
      out.sample({ worker, le: "+Inf" }, durations.count, "_bucket");
      out.sample({ worker }, durations.sumMs / 1_000, "_sum");
      out.sample({ worker }, durations.count, "_count");
    }
  }

  #tellGauges(out: Exposition, { connections, inFlight, waiting, liveClients, droppedLines }: Gauges): void {
    out.single("connections", "gauge", "Open connections of clients.", connections);
    out.single("live_clients", "gauge", "Browsers that wait for a reload.", liveClients);
    out.single(
      "access_log_dropped_lines_total",
      "counter",
      "Lines that the disk was too slow or too full for.",
      droppedLines,
    );
    const workers = this.#table?.workers ?? [];
    out.family("in_flight", "gauge", "Requests that a worker's instances are answering.");
    for (const { name, instances } of workers)
      out.sample(
        { worker: name },
        instances.reduce((sum, { id }) => sum + (inFlight[id] ?? 0), 0),
      );
    out.family("waiting", "gauge", "Requests that wait for a worker.");
    for (const { name } of workers) out.sample({ worker: name }, waiting[name] ?? 0);
    out.family("instances", "gauge", "Instances that get new requests.");
    for (const { name, instances } of workers) out.sample({ worker: name }, instances.length);
    out.family("worker_state", "gauge", "1 for the state that a worker is in at the front.");
    for (const { name, state } of workers) out.sample({ worker: name, state }, 1);
  }
}

/** How long a WebSocket or a page was open says nothing about how fast we are. */
export const isTimed = ({ status, target }: Pick<ExchangeRecord, "status" | "target">): boolean =>
  status !== 101 && !target.startsWith(`${STREAM_PATH}?`);

function methodIndex(method: string): number {
  const index = (METHODS as readonly string[]).indexOf(method);
  return index < 0 ? METHODS.length - 1 : index;
}
