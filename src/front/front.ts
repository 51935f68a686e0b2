import { randomBytes } from "node:crypto";

import net from "node:net";
import { join } from "node:path";
import { systemClock } from "../platform/clock.ts";
import { makeDirectories } from "../platform/directories.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";
import {
  FRONT_FORMAT,
  type FrontTable,
  type FrontToServer,
  type FrontWorker,
  type ServerToFront,
} from "../protocol/front-messages.ts";
import { Admission } from "./admission.ts";
import { FrontControl } from "./control.ts";
import { Dashboard } from "./dashboard/dashboard.ts";
import { LivePages } from "./live/live-pages.ts";
import { AccessFile, AccessLog } from "./observe/access-log.ts";
import { Observer } from "./observe/observer.ts";
import { DataPlane } from "./proxy/data-plane.ts";
import { FrontResolver } from "./routing/resolver.ts";
import { SourceSigns } from "./signs/source-signs.ts";
import { TableFile } from "./table-file.ts";
import { Door } from "./tls/door.ts";
import { withPlainRequests } from "./tls/plain-requests.ts";

/**
 * A front as a whole: listener, data plane, what is answered without a worker, and the line to the server. It goes by the table that it was told last, also
 * when no server is there; the table is on disk for the next generation.
 */
export interface FrontOptions {
  /** The project's place in the home: table, access log. */
  dir: string;
  /** Of the control socket. */
  socketPath: string;
  identity: { pid: number; generation: number; hash: string };
  table: FrontTable;
  /** How long it may go on beside the next front: milliseconds; Infinity: until the last connection has ended by itself. */
  overlapMs: number;
  log: Log;
  /** It cannot listen. */
  onFailed: (error: Error) => void;
}

const LISTEN_FD = 3;
/** Of connections that wait to be accepted. */
const BACKLOG = 2_048;
/** After the end of a front before, for the server to say what has changed since its table was written: in development an old version is worse than a wait. */
const TABLE_WAIT_MS = { dev: 2_000, prod: 300 };
/** Far longer than the server needs to say what a sign means. */
const SIGN_HOLD_MS = 30_000;
/** When it ends for good, what is in flight may go on for so long. */
const END_MS = 1_000;
/** So long before the time beside the next front is up, what is left is ended: WebSockets with 1012, spread over so long, then the rest. */
const LAST_MS = 15_000;
const LAST_SPREAD_MS = 8_000;
/** And so long before it all that there is still. */
const LAST_CUT_MS = 1_500;

export class Front {
  readonly #options: FrontOptions;
  readonly #listener: net.Server;
  readonly #control: FrontControl;
  readonly #live: LivePages;
  readonly #resolver: FrontResolver;
  readonly #observer: Observer;
  readonly #plane: DataPlane;
  readonly #door: Door;
  readonly #signs: SourceSigns;
  readonly #tableFile: TableFile;
  /** By the server; what is in force holds those workers besides whose sources have given a sign. */
  #told: FrontTable;
  #tableTimer: NodeJS.Timeout | undefined;
  #isEnding = false;

  constructor(options: FrontOptions) {
    const { dir, socketPath, table, log, identity } = options;
    this.#options = options;
    makeDirectories(join(dir, "logs"), 0o700);
    this.#live = new LivePages(randomBytes(4).toString("hex"));
    this.#observer = new Observer({
      accessLog: new AccessLog(new AccessFile(join(dir, "logs", "access.jsonl"))),
      gauges: () => ({ ...this.#plane.stats(), liveClients: this.#live.clientCount }),
    });
    this.#resolver = new FrontResolver(table, {
      live: this.#live,
      metricsText: () => this.#observer.metricsText(),
      dashboard: new Dashboard({ observer: this.#observer, logsDir: join(dir, "logs") }),
    });
    this.#plane = new DataPlane({
      resolve: withPlainRequests({
        tls: () => this.#resolver.table.tls,
        hasName: (host) => this.#door.hasName(host),
        resolve: this.#resolver.resolve,
      }),
      explain: this.#resolver.explain,
      record: this.#observer.record,
      tell: (message) => this.#control.tell(message),
      log,
    });
    this.#control = new FrontControl({
      path: socketPath,
      log,
      greeting: () => ({
        type: "hello",
        format: FRONT_FORMAT,
        ...identity,
        revision: this.#resolver.table.revision,
        isEnding: this.#isEnding,
      }),
      onMessage: (message) => this.#obey(message),
      onAlone: () => this.#signs.alone(),
    });
    this.#told = table;
    this.#tableFile = new TableFile({ path: join(dir, "table.json"), log });
    this.#signs = new SourceSigns({
      onUnseen: (worker) => this.#applyAgain(worker),
      onSign: (worker, sign) => this.#control.tell({ type: "sign", worker, sign }),
      onClear: (worker) => this.#applyAgain(worker),
      onUnwatched: (reason) => log.warn("sources_not_watched", { reason }),
    });
    const clock = systemClock;
    this.#door = new Door({
      accept: (socket, transport) => this.#plane.accept(socket, transport),
      limits: () => this.#plane.limits,
      clock,
      log,
    });
    const admission = new Admission({ door: this.#door, plane: this.#plane, clock, log });
    this.#listener = net.createServer({ noDelay: true }, (socket) => admission.accept(socket));
    this.#listener.on("listening", () => log.info("serving", { revision: this.#resolver.table.revision }));
    // Afterwards it is one connection that could not be accepted, and not the listener.
    this.#listener.on("error", (error) =>
      this.#listener.listening ? log.warn("not_accepted", { error: messageOf(error) }) : options.onFailed(error),
    );
  }

  /** A server may dial. Connections are taken as soon as it has told what is so, or, when none comes, by what was so last. */
  async start(): Promise<void> {
    await this.#control.listen();
    const { table } = this.#options;
    if (table.revision === 0) return; // nothing was told ever
    this.#tableTimer = setTimeout(() => this.#apply(table), TABLE_WAIT_MS[table.mode]);
  }

  /** Takes no more; resolves when the last connection has ended, by itself or because the time beside the next front is up. */
  async end(): Promise<void> {
    if (this.#isEnding) return new Promise(() => {}); // the first call ends the process
    this.#isEnding = true;
    clearTimeout(this.#tableTimer);
    this.#tableFile.stop(); // what it is told from here on may be old
    // A keeper that begins anew counts generations anew: its front may have this one's number, and a socket in the same place.
    this.#control.stopListening();
    this.#listener.close();
    this.#signs.forgetAll();
    void this.#plane.drain(); // what still comes through the door is answered once
    this.#live.close(); // browsers come back to the next front
    this.#endInTime();
    await this.#door.emptied();
    await this.#plane.drain();
    this.#door.close();
    this.#control.close();
    await this.#observer.close();
  }

  /** Who is killed cannot tell anybody why. */
  #endInTime(): void {
    const { overlapMs, log } = this.#options;
    if (overlapMs === Number.POSITIVE_INFINITY) return;
    const at = (beforeMs: number, task: () => void): void =>
      void setTimeout(task, Math.max(0, overlapMs - beforeMs)).unref();
    at(LAST_MS, () => {
      const { connections, tunnels } = this.#plane.stats();
      log.info("closing_what_is_left", { connections, tunnels });
      this.#plane.closeAll(LAST_SPREAD_MS);
    });
    at(LAST_CUT_MS, () => this.#cut());
  }

  #obey(message: ServerToFront): void {
    switch (message.type) {
      case "table":
        this.#apply(message.table);
        return this.#tableFile.save(this.#told);
      case "worker":
        this.#applyWorker(message);
        return this.#tableFile.save(this.#told);
      case "watch":
        return this.#signs.follow(message.worker, message.watched);
      case "seen":
        return this.#signs.seen(message.worker, message.sign);
      case "close":
        return this.#plane.close(message.instance, message.spreadMs);
      case "reload":
        return this.#live.reload(message.workers, message.css);
      case "health":
        return this.#resolver.applyHealth(message.workers);
      case "stats":
        return this.#control.tell(this.#stats(message.id));
      case "end":
        void this.#plane.drain(); // the keeper's word follows
        this.#live.close();
        return void setTimeout(() => this.#cut(), END_MS).unref();
      default:
        return; // of a later build
    }
  }

  #apply(table: FrontTable): void {
    clearTimeout(this.#tableTimer);
    // Before anybody is told that the table is in force. From here on the kernel's queue is emptied, at the latest when this has been done.
    if (!this.#listener.listening && !this.#isEnding) this.#listener.listen({ fd: LISTEN_FD, backlog: BACKLOG });
    this.#door.apply(table.tls);
    this.#told = table;
    const inForce = { ...table, workers: table.workers.map((worker) => this.#heldIfUnseen(worker)) };
    this.#resolver.applyTable(inForce);
    this.#observer.applyTable(inForce);
    this.#plane.table(inForce);
  }

  #applyWorker({ revision, worker, draining }: Omit<Extract<ServerToFront, { type: "worker" }>, "type">): void {
    const others = this.#told.workers.filter(({ name }) => name !== worker.name);
    this.#told = { ...this.#told, revision, workers: [...others, worker], draining };
    const inForce = this.#heldIfUnseen(worker);
    this.#resolver.applyWorker(revision, inForce, draining);
    this.#observer.applyTable(this.#resolver.table);
    this.#plane.worker(inForce, draining, revision); // last: it lets go who has waited
  }

  /** Its sources have given a sign, or what it means is known now. */
  #applyAgain(name: string): void {
    const { workers, revision, draining } = this.#told;
    const worker = workers.find((one) => one.name === name);
    if (worker) this.#applyWorker({ revision, worker, draining });
  }

  /** As long as nobody knows what a sign means, none of its versions is the one to ask. */
  #heldIfUnseen(worker: FrontWorker): FrontWorker {
    if (!this.#signs.isUnseen(worker.name) || worker.state === "held") return worker;
    const { failure: _, ...rest } = worker;
    return { ...rest, state: "held", holdMs: SIGN_HOLD_MS, reason: "its sources may have changed" };
  }

  #stats(id: number): FrontToServer {
    const tls = this.#door.state();
    return { type: "stats", id, stats: { ...this.#observer.stats(), ...(tls !== undefined && { tls }) } };
  }

  #cut(): void {
    this.#door.close();
    this.#plane.destroy();
  }
}
