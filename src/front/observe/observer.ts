import type { FrontStats, FrontTable } from "../../protocol/front-messages.ts";
import type { RecordExchange } from "../proxy/responder.ts";
import type { AccessLog } from "./access-log.ts";
import { type Gauges, Metrics } from "./metrics.ts";

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

  constructor({ accessLog, gauges }: ObserverOptions) {
    this.#accessLog = accessLog;
    this.#gauges = gauges;
  }

  /** After each table and each worker that is told. */
  applyTable(table: FrontTable): void {
    this.#metrics.applyTable(table);
  }

  readonly record: RecordExchange = (exchange) => {
    this.#metrics.record(exchange);
    this.#accessLog?.record(exchange);
  };

  /** For `/metrics`, and part of what the server asks for. */
  metricsText(): string {
    return this.#metrics.text({ ...this.#gauges(), droppedLines: this.#accessLog?.droppedLines ?? 0 });
  }

  stats(): FrontStats {
    const { connections, inFlight, waiting } = this.#gauges();
    return {
      connections,
      requests: this.#metrics.requests,
      inFlight: { ...inFlight },
      waiting: { ...waiting },
      workers: this.#metrics.workerStats(),
      metrics: this.metricsText(),
    };
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    await this.#accessLog?.close();
  }
}
