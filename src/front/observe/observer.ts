import type { FrontStats, FrontTable } from "../../protocol/front-messages.ts";
import type { RecordExchange } from "../proxy/responder.ts";
import type { AccessLog } from "./access-log.ts";
import { Changes } from "./changes.ts";
import { type Gauges, Metrics } from "./metrics.ts";
import { Recent } from "./recent.ts";

/** Everything that is known of what the front does: counted, and written down where an access log is kept. */
export interface ObserverOptions {
  accessLog?: AccessLog | undefined;
  /** What holds at the moment at which somebody asks. */
  gauges: () => Omit<Gauges, "droppedLines">;
}

export class Observer {
  readonly #metrics = new Metrics();
  readonly #accessLog: AccessLog | undefined;
  readonly #gauges: ObserverOptions["gauges"];
  readonly recent = new Recent();
  readonly changes = new Changes();

  constructor({ accessLog, gauges }: ObserverOptions) {
    this.#accessLog = accessLog;
    this.#gauges = gauges;
  }

  /** After each table and each worker that is told. */
  applyTable(table: FrontTable): void {
    this.#metrics.applyTable(table);
    this.recent.keep(table.workers);
    this.changes.applyTable(table);
  }

  readonly record: RecordExchange = (exchange) => {
    this.#metrics.record(exchange);
    this.recent.record(exchange);
    this.#accessLog?.record(exchange);
  };

  /** For `/metrics`, and part of what the server asks for. */
  metricsText(): string {
    return this.#metrics.text({ ...this.#gauges(), droppedLines: this.#accessLog?.droppedLines ?? 0 });
  }

  stats(): FrontStats {
    return { ...this.counts(), metrics: this.metricsText() };
  }

  /** Without the text, which is long. */
  counts(): Omit<FrontStats, "metrics"> {
    const { connections, inFlight, waiting } = this.#gauges();
    return {
      connections,
      requests: this.#metrics.requests,
      inFlight: { ...inFlight },
      waiting: { ...waiting },
      workers: this.#metrics.workerStats(),
    };
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    await this.#accessLog?.close();
  }
}
