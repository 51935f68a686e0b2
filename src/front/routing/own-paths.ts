import { createHash } from "node:crypto";
import type { FrontTable, WorkerHealth } from "../../protocol/front-messages.ts";
import type { Dashboard } from "../dashboard/dashboard.ts";
import { CLIENT_SCRIPT, RESERVED_PREFIX, SCRIPT_PATH, STREAM_PATH } from "../live/client-script.ts";
import type { LivePages } from "../live/live-pages.ts";
import { liveResponder } from "../live/live-responder.ts";
import { healthDocument } from "../observe/health.ts";
import type { Problem } from "../pages/page.ts";
import { methodNotAllowed, notFromElsewhere, reserved, tooManyPages } from "../pages/problems.ts";
import type { HeadField } from "../proxy/responder.ts";
import { evaluate } from "../static/conditions.ts";
import { type AskedRequest, isReading, type OwnTarget } from "./asked.ts";

/**
 * The paths that are the gateway's own on its public port, whatever the routes say: `/health`, `/metrics` where the project asks for it, and all below
 * `/.warren/`. A session's host has them not.
 */
export interface OwnPathsFacts {
  table: () => FrontTable;
  health: () => readonly WorkerHealth[];
  metricsText: () => string;
  live: LivePages;
  dashboard?: Dashboard | undefined;
  /** Makes a page of a problem. */
  page: (request: AskedRequest, problem: Problem) => OwnTarget;
}

const SCRIPT_TAG = `"${createHash("sha256").update(CLIENT_SCRIPT).digest("base64url").slice(0, 16)}"`;

export class OwnPaths {
  readonly #facts: OwnPathsFacts;

  constructor(facts: OwnPathsFacts) {
    this.#facts = facts;
  }

  /** Undefined: the path is none of ours. */
  resolve(request: AskedRequest): OwnTarget | undefined {
    const answer = this.#answererOf(request.path);
    if (answer === undefined) return undefined;
    if (isReading(request.method)) return answer(request);
    return this.#facts.page(request, methodNotAllowed(request.method, ["GET", "HEAD"]));
  }

  #answererOf(path: string): ((request: AskedRequest) => OwnTarget) | undefined {
    if (path === "/health") return () => this.#health();
    if (path === "/metrics" && this.#facts.table().hasPublicMetrics) return () => this.#metrics();
    if (!path.startsWith(RESERVED_PREFIX)) return undefined;
    const isLive = this.#facts.table().workers.some((worker) => worker.isLive);
    if (isLive && path === SCRIPT_PATH) return script;
    if (isLive && path === STREAM_PATH) return (request) => this.#events(request);
    return (request) => this.#dashboard(request) ?? this.#facts.page(request, reserved(path));
  }

  #dashboard(request: AskedRequest): OwnTarget | undefined {
    const { dashboard, table, health, page } = this.#facts;
    const answer = dashboard?.answer(request, table(), health());
    if (answer?.kind === "refused") return page(request, notFromElsewhere());
    return answer?.kind === "target" ? answer.target : undefined;
  }

  #health(): OwnTarget {
    const document = healthDocument(this.#facts.table(), this.#facts.health());
    const status = document.status === "unhealthy" ? 503 : 200;
    return own(status, "application/json", `${JSON.stringify(document, null, 2)}\n`);
  }

  #metrics(): OwnTarget {
    return own(200, "text/plain; version=0.0.4; charset=utf-8", this.#facts.metricsText());
  }

  #events(request: AskedRequest): OwnTarget {
    if (request.method === "HEAD") return own(200, "text/event-stream", "");
    if (this.#facts.live.isFull) return this.#facts.page(request, tooManyPages());
    const worker = new URLSearchParams(request.query ?? "").get("worker") ?? "";
    return { kind: "responder", respond: liveResponder(this.#facts.live, worker) };
  }
}

function script(request: AskedRequest): OwnTarget {
  const validators = { etag: SCRIPT_TAG, modifiedS: undefined };
  if (evaluate((name) => request.field(name), validators) === "not-modified")
    return { kind: "answer", answer: { status: 304, headers: [["etag", SCRIPT_TAG]], body: "" } };
  return own(200, "text/javascript; charset=utf-8", CLIENT_SCRIPT, [
    ["cache-control", "no-cache"],
    ["etag", SCRIPT_TAG],
  ]);
}

const NOT_KEPT: readonly HeadField[] = [["cache-control", "no-store"]];

function own(status: number, type: string, body: string, headers = NOT_KEPT): OwnTarget {
  const all: HeadField[] = [["content-type", type], ["x-content-type-options", "nosniff"], ...headers];
  return { kind: "answer", answer: { status, headers: all, body } };
}
