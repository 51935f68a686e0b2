import { type Clock, systemClock } from "../../platform/clock.ts";
import type { FrontTable, WorkerHealth } from "../../protocol/front-messages.ts";
import type { Observer } from "../observe/observer.ts";
import type { HeadField, RequestFacts, Responder, Target } from "../proxy/responder.ts";
import { type Access, accessOf } from "./access.ts";
import { logTails } from "./log-tail.ts";
import { projectPage, workerPage } from "./pages.ts";
import { DASHBOARD_SCRIPT, DASHBOARD_SCRIPT_PATH } from "./script.ts";
import { viewOf } from "./view.ts";

/**
 * The gateway as a page for a person: what each worker does, what changed, what failed. It shows what this front knows and was told, and changes nothing:
 * whatever has an effect goes through the protocol. Who may see it: access.ts.
 */
export interface DashboardOptions {
  observer: Pick<Observer, "counts" | "recent" | "changes">;
  /** Where instances' output is. */
  logsDir: string;
  clock?: Clock;
}

export type DashboardRequest = Pick<RequestFacts, "path" | "query" | "host" | "remoteAddress" | "isForwarded">;
/** `other`: not ours to answer. */
export type DashboardAnswer = { kind: "target"; target: Own } | { kind: "refused" } | { kind: "other" };
type Own = Extract<Target, { kind: "answer" } | { kind: "responder" }>;

const DASHBOARD_PATH = "/.warren/";
const STYLES = "style-src 'unsafe-inline'";
/** Nothing from elsewhere, no script but ours, and nobody frames it or holds on to its window. */
const HEADERS: readonly HeadField[] = [
  ["cache-control", "no-store"],
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
  ["referrer-policy", "no-referrer"],
  ["cross-origin-resource-policy", "same-origin"],
  ["cross-origin-opener-policy", "same-origin"],
  [
    "content-security-policy",
    `default-src 'none'; ${STYLES}; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  ],
];

export class Dashboard {
  readonly #options: DashboardOptions;
  readonly #clock: Clock;

  constructor(options: DashboardOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  answer(request: DashboardRequest, table: FrontTable, health: readonly WorkerHealth[]): DashboardAnswer {
    if (request.path !== DASHBOARD_PATH && request.path !== DASHBOARD_SCRIPT_PATH) return { kind: "other" };
    const access: Access = accessOf(request, table.mode);
    if (access === "absent") return { kind: "other" };
    if (access === "elsewhere") return { kind: "refused" };
    const target =
      request.path === DASHBOARD_SCRIPT_PATH
        ? script
        : this.#page(new URLSearchParams(request.query ?? "").get("worker"), table, health);
    return { kind: "target", target };
  }

  #page(name: string | null, table: FrontTable, health: readonly WorkerHealth[]): Own {
    const { observer, logsDir } = this.#options;
    const view = viewOf({ table, health, observer, nowMs: this.#clock.wallMs() });
    const worker = view.workers.find((one) => one.name === name);
    if (worker === undefined) return document(projectPage(view));
    const newest = worker.instances.at(0)?.id;
    const respond: Responder = async (_request, response) => {
      const tails = newest === undefined ? [] : await logTails(logsDir, newest);
      response.head(200, [["content-type", "text/html; charset=utf-8"], ...HEADERS]);
      response.end(workerPage({ view, worker, tails }));
    };
    return { kind: "responder", respond };
  }
}

const document = (body: string): Own => ({
  kind: "answer",
  answer: { status: 200, headers: [["content-type", "text/html; charset=utf-8"], ...HEADERS], body },
});

const script: Own = {
  kind: "answer",
  answer: {
    status: 200,
    headers: [["content-type", "text/javascript; charset=utf-8"], ...HEADERS],
    body: DASHBOARD_SCRIPT,
  },
};
