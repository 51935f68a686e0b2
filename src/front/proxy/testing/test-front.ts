import net, { type AddressInfo } from "node:net";
import type { Clock } from "../../../platform/clock.ts";
import type { FrontInstance, FrontTable, FrontWorker } from "../../../protocol/front-messages.ts";
import type { Told } from "../context.ts";
import { DataPlane, type DataPlaneOptions } from "../data-plane.ts";
import type { ExchangeRecord, Resolver } from "../responder.ts";
import { until } from "./deadline.ts";

export const workerTarget: Resolver = ({ path, query }) => ({
  kind: "worker",
  worker: "app",
  target: query === undefined ? path : `${path}?${query}`,
});

export const instanceOf = (port: number, id = "app-1"): FrontInstance => ({
  id,
  version: "v1",
  host: "127.0.0.1",
  port,
});

export const workerOf = (instances: FrontInstance[], other: Partial<FrontWorker> = {}): FrontWorker => ({
  name: "app",
  kind: "http",
  state: "serving",
  instances,
  isLive: false,
  ...other,
});

export const tableOf = (workers: FrontWorker[], other: Partial<FrontTable> = {}): FrontTable => ({
  format: 1,
  revision: 1,
  mode: "prod",
  project: "test",
  routes: [],
  workers,
  draining: [],
  trustedProxies: [],
  hasPublicMetrics: false,
  sessions: [],
  ...other,
});

export interface TestFrontOptions extends Partial<Pick<DataPlaneOptions, "resolve" | "explain" | "log">> {
  clock?: Clock;
}

/** A data plane behind a listener of its own, with what it has told and recorded. */
export class TestFront implements AsyncDisposable {
  readonly plane: DataPlane;
  readonly told: Told[] = [];
  readonly records: ExchangeRecord[] = [];
  /** The front's ends of its clients' connections. */
  readonly sockets: net.Socket[] = [];
  readonly #listener: net.Server;

  private constructor(options: TestFrontOptions) {
    this.plane = new DataPlane({
      resolve: workerTarget,
      ...options,
      tell: (message) => this.told.push(message),
      record: (record) => this.records.push({ ...record }),
      randomHex: "0123456789abcdef01234567",
    });
    this.#listener = net.createServer({ noDelay: true }, (socket) => {
      this.sockets.push(socket);
      this.plane.accept(socket);
    });
  }

  /** With one worker, `app`, whose instances listen on these ports; none: without a table. */
  static async start(ports: number[] = [], options: TestFrontOptions = {}): Promise<TestFront> {
    const front = new TestFront(options);
    await new Promise<void>((resolve) => front.#listener.listen(0, "127.0.0.1", resolve));
    if (ports.length > 0)
      front.plane.table(tableOf([workerOf(ports.map((port, index) => instanceOf(port, `app-${index + 1}`)))]));
    return front;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  toldOf<T extends Told["type"]>(type: T): Extract<Told, { type: T }>[] {
    return this.told.filter((message): message is Extract<Told, { type: T }> => message.type === type);
  }

  get inFlight(): number {
    return Object.values(this.plane.stats().inFlight).reduce((sum, count) => sum + count, 0);
  }

  /** Nothing is open any more, and everything is counted. */
  async settled(): Promise<void> {
    await until("rest", () => this.plane.stats().connections === 0 && this.inFlight === 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.plane.destroy();
    await new Promise((resolve) => this.#listener.close(resolve));
  }
}
