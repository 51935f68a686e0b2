import { type Clock, systemClock } from "../../platform/clock.ts";
import { systemCode } from "../../protocol/errors.ts";
import type { FrontTable, FrontWorker, WorkerHealth } from "../../protocol/front-messages.ts";
import type { Dashboard } from "../dashboard/dashboard.ts";
import { scriptTag } from "../live/client-script.ts";
import { LIVE_REQUEST_EDITS, liveTransform } from "../live/live-answer.ts";
import type { LivePages } from "../live/live-pages.ts";
import { failurePage } from "../pages/failure-page.ts";
import { mediumOf } from "../pages/media.ts";
import { type Problem, problemPage } from "../pages/page.ts";
import * as problems from "../pages/problems.ts";
import { routeList } from "../pages/route-list.ts";
import type { Explain, RequestFacts, Resolver, Target, WorkerTarget } from "../proxy/responder.ts";
import { PublicFiles } from "../static/public-files.ts";
import { type AskedRequest, isReading, type OwnTarget } from "./asked.ts";
import { OwnPaths } from "./own-paths.ts";
import { Routes, type SessionWay, type Way, type WorkerWay } from "./routes.ts";
import { sessionTarget } from "./session-target.ts";

/**
 * What is done with a request, by the table that is in force: the gateway's own paths, then the route; of a route to a worker first its public folder, then the
 * project's, then the worker itself. Files come before a worker's state, so that a page about a failure may still show the site's own pictures.
 */
export interface FrontResolverOptions {
  live: LivePages;
  /** Prometheus text, made when it is asked for. */
  metricsText: () => string;
  /** Default: there is none. */
  dashboard?: Dashboard;
  clock?: Clock;
}

/** A worker, with what goes along with each of its requests: the same for all. */
interface KnownWorker {
  worker: FrontWorker;
  live: Pick<WorkerTarget, "edits" | "transform">;
}

/** RFC 9110 §9.3.7: of the server as a whole. */
const ALL_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

export class FrontResolver {
  readonly #live: LivePages;
  readonly #files: PublicFiles;
  readonly #own: OwnPaths;
  #table: FrontTable;
  #routes: Routes;
  #workers = new Map<string, KnownWorker>();
  #health: readonly WorkerHealth[] = [];

  constructor(table: FrontTable, { live, metricsText, dashboard, clock = systemClock }: FrontResolverOptions) {
    this.#live = live;
    this.#files = new PublicFiles(clock);
    this.#own = new OwnPaths({
      table: () => this.#table,
      health: () => this.#health,
      metricsText,
      live,
      dashboard,
      page: (request, problem) => this.#page(request, problem),
    });
    this.#table = table;
    this.#routes = new Routes(table);
    this.applyTable(table);
  }

  get table(): FrontTable {
    return this.#table;
  }

  /** From the next request on. */
  applyTable(table: FrontTable): void {
    this.#table = table;
    this.#routes = new Routes(table);
    this.#workers = new Map(table.workers.map((worker) => [worker.name, this.#known(worker)]));
    this.#live.applyTable(table);
    this.#forgetFolders();
  }

  /** One worker in the place of that name. */
  applyWorker(revision: number, worker: FrontWorker, draining: string[]): void {
    const others = this.#table.workers.filter(({ name }) => name !== worker.name);
    this.#table = { ...this.#table, revision, workers: [...others, worker], draining };
    this.#workers.set(worker.name, this.#known(worker));
    this.#live.applyWorker(worker);
    this.#forgetFolders();
  }

  applyHealth(workers: readonly WorkerHealth[]): void {
    this.#health = workers;
  }

  readonly resolve: Resolver = (request): Target => {
    try {
      if (request.path === "*")
        return { kind: "answer", answer: { status: 204, headers: [["allow", ALL_METHODS]], body: "" } };
      const way = this.#routes.find(request);
      if (way.kind === "session") return this.#toSession(way, request);
      return this.#own.resolve(request) ?? this.#along(way, request);
    } catch (error) {
      const code = systemCode(error);
      if (code === undefined) throw error;
      return this.#page(request, problems.fileUnreadable(request.path, code));
    }
  };

  readonly explain: Explain = (request, failure) => this.#answer(request, problems.exchangeFailed(failure));

  #along(way: Exclude<Way, { kind: "session" }>, request: AskedRequest): Target {
    switch (way.kind) {
      case "worker":
        return this.#toWorker(way, request);
      case "redirect":
        return { kind: "answer", answer: { status: way.status, headers: [["location", way.location]], body: "" } };
      case "loop":
        return this.#page(request, problems.rewriteLoop(request.path));
      case "method":
        return (
          this.#projectFile(way.path, request) ??
          this.#page(request, problems.methodNotAllowed(request.method, way.allow))
        );
      case "none":
        return this.#projectFile(way.path, request) ?? this.#page(request, this.#noRoute(request.path));
    }
  }

  #toSession(way: SessionWay, request: RequestFacts): Target {
    const found = sessionTarget(way, request, this.#table.sessions);
    return found.kind === "session" ? found : this.#page(request, found.problem);
  }

  /** What there is, is for those who work on it. */
  #noRoute(path: string): Problem {
    const { mode, routes } = this.#table;
    return problems.noRoute(path, mode === "dev" ? routeList(routes) : undefined);
  }

  #toWorker(way: WorkerWay, request: AskedRequest): Target {
    const known = this.#workers.get(way.worker);
    if (known === undefined) return this.#page(request, problems.workerUnknown(way.worker));
    const { worker } = known;
    const file = this.#workerFile(worker, way, request) ?? this.#projectFile(way.path, request, worker);
    if (file !== undefined) return file;
    if (worker.state === "gone") return this.#page(request, problems.workerGone(worker));
    if (worker.state === "failed") return this.#failed(worker, request);
    if (worker.kind === "static") return this.#noFile(worker, request);
    return { kind: "worker", worker: worker.name, target: targetOf(way.workerPath, way.query), ...known.live };
  }

  /** What a build says is for those who work on it, not for the site's visitors. */
  #failed({ failure, name, isLive }: FrontWorker, request: AskedRequest): Target {
    if (failure === undefined || this.#table.mode === "prod") return this.#page(request, problems.noVersion(name));
    const script = isLive ? scriptTag(name, this.#live.stateOf(name)) : "";
    const answer = failurePage({ failure, project: this.#table.project, script }, mediumFor(request));
    return { kind: "answer", answer, worker: name };
  }

  #noFile({ name }: FrontWorker, request: AskedRequest): Target {
    const problem = isReading(request.method)
      ? problems.noFile(request.path, name)
      : problems.methodNotAllowed(request.method, ["GET", "HEAD"]);
    return this.#page(request, { ...problem, worker: name });
  }

  #workerFile(worker: FrontWorker, { filePath }: WorkerWay, request: AskedRequest): OwnTarget | undefined {
    return worker.publicDir === undefined ? undefined : this.#file(worker.publicDir, filePath, request, worker);
  }

  #projectFile(path: string, request: AskedRequest, worker?: FrontWorker): OwnTarget | undefined {
    const { publicDir } = this.#table;
    return publicDir === undefined ? undefined : this.#file(publicDir, path, request, worker);
  }

  #file(folder: string, path: string, request: AskedRequest, worker: FrontWorker | undefined): OwnTarget | undefined {
    const injected = worker?.isLive === true ? this.#livePiece(worker.name) : undefined;
    const target = this.#files.answer(request, { folder, path, mode: this.#table.mode, injected });
    return target === undefined || worker === undefined ? target : { ...target, worker: worker.name };
  }

  #livePiece(worker: string): Buffer {
    return Buffer.from(scriptTag(worker, this.#live.stateOf(worker)));
  }

  #page(request: AskedRequest, problem: Problem): OwnTarget {
    const answer = this.#answer(request, problem);
    return { kind: "answer", answer, ...(problem.worker === undefined ? {} : { worker: problem.worker }) };
  }

  #answer(request: AskedRequest, problem: Problem) {
    return problemPage(problem, mediumFor(request), this.#table.project, request.requestId);
  }

  #known(worker: FrontWorker): KnownWorker {
    const live = worker.isLive ? { edits: LIVE_REQUEST_EDITS, transform: liveTransform(worker, this.#live) } : {};
    return { worker, live };
  }

  #forgetFolders(): void {
    const { publicDir, workers } = this.#table;
    const folders = [publicDir, ...workers.map((worker) => worker.publicDir)];
    this.#files.keepOnly(folders.filter((folder) => folder !== undefined));
  }
}

const targetOf = (path: string, query: string | undefined): string => (query === undefined ? path : `${path}?${query}`);

const mediumFor = (request: AskedRequest) =>
  mediumOf({
    accept: request.field("accept"),
    fetchMode: request.field("sec-fetch-mode"),
    fetchDest: request.field("sec-fetch-dest"),
  });
