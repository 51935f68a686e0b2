import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../../platform/clock.ts";
import type { FrontTable, FrontWorker } from "../../../protocol/front-messages.ts";
import { LivePages } from "../../live/live-pages.ts";
import { AccessFile, AccessLog } from "../../observe/access-log.ts";
import { Observer } from "../../observe/observer.ts";
import { DataPlane } from "../../proxy/data-plane.ts";
import { FrontResolver } from "../resolver.ts";

export const DEADLINE_MS = 20_000;

/** A whole front but for its control socket: data plane, resolver, live reload, counts; and one worker behind it. */
export class Front implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "warren-front-"));
  readonly accessLogPath = join(this.directory, "access.log");
  /** Without heartbeats: nothing is found out by them. */
  readonly live = new LivePages("f1", { ...systemClock, timer: () => () => {} });
  readonly worker: http.Server;
  readonly resolver: FrontResolver;
  readonly plane: DataPlane;
  readonly observer: Observer;
  readonly #listener: net.Server;

  private constructor(worker: http.RequestListener, table: FrontTable) {
    this.worker = http.createServer(worker);
    this.resolver = new FrontResolver(table, { live: this.live, metricsText: () => this.observer.metricsText() });
    this.plane = new DataPlane({
      resolve: this.resolver.resolve,
      explain: this.resolver.explain,
      record: (exchange) => this.observer.record(exchange),
      tell: () => {},
    });
    this.observer = new Observer({
      accessLog: new AccessLog(new AccessFile(this.accessLogPath)),
      gauges: () => ({ ...this.plane.stats(), liveClients: this.live.clientCount }),
    });
    this.#listener = net.createServer((socket) => this.plane.accept(socket));
  }

  static async start(worker: http.RequestListener, files: Record<string, string | Buffer> = {}): Promise<Front> {
    const front = new Front(worker, EMPTY);
    for (const [name, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(front.directory, name)), { recursive: true });
      writeFileSync(join(front.directory, name), bytes);
      utimesSync(join(front.directory, name), 1_700_000_000, 1_700_000_000);
    }
    for (const server of [front.worker, front.#listener]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    front.tell({});
    return front;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The table with this worker, told to all parts in their order. */
  tell(worker: Partial<FrontWorker>, more: Partial<FrontTable> = {}): void {
    const { port } = this.worker.address() as AddressInfo;
    const index: FrontWorker = {
      name: "index",
      kind: "http",
      state: "serving",
      instances: [{ id: "index-1", version: "v1", host: "127.0.0.1", port }],
      publicDir: join(this.directory, "public"),
      isLive: true,
      ...worker,
    };
    const routes: FrontTable["routes"] = [
      { kind: "worker", path: "/", worker: "index", strip: false },
      { kind: "redirect", path: "/old", to: "/new", status: 301 },
    ];
    const table = { ...EMPTY, routes, sessions: [{ name: "fox", port }], workers: [index], ...more };
    this.resolver.applyTable(table);
    this.observer.applyTable(table);
    this.plane.table(table);
  }

  /** By node:http, which sends the path as it is given. */
  async get(path: string, headers: Record<string, string> = {}, method = "GET") {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const request = http
      .request({ host: "127.0.0.1", port: this.port, path, method, headers, signal, agent: false })
      .end();
    const [answer] = (await once(request, "response")) as [http.IncomingMessage];
    const body = Buffer.concat(await answer.toArray()).toString();
    return { status: answer.statusCode, headers: answer.headers, body };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.live.close();
    this.#listener.close();
    this.plane.destroy();
    this.worker.close();
    this.worker.closeAllConnections();
    await this.observer.close();
    rmSync(this.directory, { recursive: true });
  }
}

const EMPTY: FrontTable = {
  format: 1,
  revision: 1,
  mode: "dev",
  project: "site",
  routes: [],
  workers: [],
  draining: [],
  trustedProxies: [],
  hasPublicMetrics: true,
  sessions: [],
};
