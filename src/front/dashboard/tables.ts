import type { FrontRoute } from "../../protocol/front-messages.ts";
import type { Change } from "../observe/changes.ts";
import type { SeenExchange } from "../observe/recent.ts";
import { placeOf } from "../pages/route-list.ts";
import { html, type Markup, type Piece } from "./markup.ts";
import type { InstanceView, WorkerView } from "./view.ts";
import { agoOf, changeWords, countOf, durationOf, rateOf, versionOf, wordsOf } from "./words.ts";

/** The tables of the dashboard. Each says, where there is nothing, what will stand there. */
const ROWS_SHOWN = 200;
const EXCHANGES_SHOWN = 15;
/** What a phone has no room for. */
const NOTHING = new Set(["", "0", "0.0"]);

interface Column<T> {
  name: string;
  /** `number`: right-aligned; `name`: the row's heading on a phone; `line`: on a phone without its name before it. */
  style?: "number" | "name" | "short" | "line";
  cell: (row: T) => Piece;
}

/** `lines`: of what happened; on a phone each is two lines, and not a card. */
type Shape = "cards" | "lines";

function tableOf<T>(label: string, columns: readonly Column<T>[], rows: readonly T[], shape: Shape = "cards"): Markup {
  const heads = columns.map(({ name, style }) => html`<th scope="col" class="${style ?? ""}">${name}</th>`);
  const bodies = rows.slice(0, ROWS_SHOWN).map((row) => {
    const cells = columns.map(({ name, style, cell }) => {
      const content = cell(row);
      const isNone = content === undefined || NOTHING.has(String(content));
      return html`<td class="${style ?? ""}${isNone ? " none" : ""}" data-label="${name}">${content}</td>`;
    });
    return html`<tr>${cells}</tr>\n`;
  });
  const more = rows.length > ROWS_SHOWN && html`<p class="soft">and ${countOf(rows.length - ROWS_SHOWN)} more</p>`;
  return html`<table class="${shape}" aria-label="${label}"><thead><tr>${heads}</tr></thead>\n<tbody>${bodies}</tbody></table>${more}`;
}

export const stateMarkup = (state: string): Markup => {
  const { glyph, word, tone } = wordsOf(state);
  return html`<span class="${tone}"><span aria-hidden="true">${glyph}</span> ${word}</span>`;
};

const workerLink = (name: string): Markup => html`<a href="?worker=${encodeURIComponent(name)}">${name}</a>`;

export function workersTable(workers: readonly WorkerView[]): Markup {
  if (workers.length === 0)
    return html`<p class="soft">Here stand the project's workers. A folder with one file makes one:</p>
<pre>mkdir -p workers/hello/src &amp;&amp; $EDITOR workers/hello/src/main.ts</pre>`;
  return tableOf<WorkerView>(
    "Workers",
    [
      { name: "Worker", style: "name", cell: ({ name }) => workerLink(name) },
      { name: "State", style: "short", cell: ({ state }) => stateMarkup(state) },
      { name: "Routes", cell: ({ routes }) => html`<span class="mono">${routes.join(" ") || "none"}</span>` },
      { name: "Version", style: "short", cell: ({ version }) => html`<span class="mono">${versionOf(version)}</span>` },
      { name: "Instances", style: "number", cell: ({ instances }) => instances.length || "" },
      { name: "In flight", style: "number", cell: ({ inFlight }) => countOf(inFlight) },
      { name: "Waiting", style: "number", cell: ({ waiting }) => countOf(waiting) },
      { name: "Requests/s", style: "number", cell: ({ perSecond }) => rateOf(perSecond) },
      { name: "p50", style: "number", cell: ({ p50Ms }) => timeOf(p50Ms) },
      { name: "p99", style: "number", cell: ({ p99Ms }) => timeOf(p99Ms) },
      { name: "Errors", style: "number", cell: failedMarkup },
    ],
    workers,
  );
}

const timeOf = (ms: number): string => (ms === 0 ? "" : durationOf(ms));

const failedMarkup = ({ failed, requests }: WorkerView): Markup =>
  html`<span><span class="${failed > 0 ? "bad" : ""}">${countOf(failed)}</span> <span class="soft">of ${countOf(requests)}</span></span>`;

export const instancesTable = (instances: readonly InstanceView[]): Markup =>
  instances.length === 0
    ? html`<p class="soft">None gets requests now.</p>`
    : tableOf<InstanceView>(
        "Instances",
        [
          { name: "Instance", style: "name", cell: ({ id }) => html`<span class="mono">${id}</span>` },
          { name: "State", style: "short", cell: ({ state }) => stateMarkup(state) },
          {
            name: "Version",
            style: "short",
            cell: ({ version }) => html`<span class="mono">${versionOf(version)}</span>`,
          },
          { name: "Address", cell: ({ address }) => address && html`<span class="mono">${address}</span>` },
          { name: "In flight", style: "number", cell: ({ inFlight }) => countOf(inFlight) },
        ],
        instances,
      );

export const changesTable = (changes: readonly Change[], nowMs: number): Markup =>
  changes.length === 0
    ? html`<p class="soft">Here stand versions that took over and builds that failed, since this front began.</p>`
    : tableOf<Change>(
        "Changes",
        [
          { name: "When", style: "short", cell: ({ atMs }) => timeMarkup(atMs, nowMs) },
          { name: "Worker", cell: ({ worker }) => worker },
          { name: "What", style: "line", cell: changeMarkup },
        ],
        changes,
        "lines",
      );

function changeMarkup(change: Change): Markup {
  const { glyph, tone, text } = changeWords(change);
  return html`<span><span class="${tone}" aria-hidden="true">${glyph}</span> ${text}</span>`;
}

export const exchangesTable = (label: string, exchanges: readonly SeenExchange[], nowMs: number): Markup =>
  tableOf<SeenExchange>(
    label,
    [
      { name: "When", style: "short", cell: ({ atMs }) => timeMarkup(atMs, nowMs) },
      {
        name: "Request",
        style: "line",
        cell: ({ exchange }) => html`<span class="mono">${requestOf(exchange)}</span>`,
      },
      { name: "Worker", cell: ({ exchange }) => exchange.worker ?? "" },
      { name: "Status", style: "number", cell: ({ exchange }) => statusMarkup(exchange.status) },
      { name: "Took", style: "number", cell: ({ exchange }) => durationOf(exchange.durationMs) },
    ],
    exchanges.slice(0, EXCHANGES_SHOWN),
    "lines",
  );

/** Without the query, which may hold what is secret. */
function requestOf({ method, target, host }: SeenExchange["exchange"]): string {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : `${target.slice(0, mark)}?…`;
  return method === "" ? `what is no request${host === undefined ? "" : ` (${host})`}` : `${method} ${path}`;
}

const statusMarkup = (status: number): Markup =>
  status === 0
    ? html`<span class="soft">left</span>`
    : html`<span class="${status >= 500 ? "bad" : status >= 400 ? "attention" : ""}">${status}</span>`;

const timeMarkup = (atMs: number, nowMs: number): Markup => {
  const exact = new Date(atMs).toISOString();
  return html`<time datetime="${exact}" title="${exact}">${agoOf(atMs, nowMs)}</time>`;
};

export const routesTable = (routes: readonly FrontRoute[]): Markup =>
  routes.length === 0
    ? html`<p class="soft">None: each request is answered with 404.</p>`
    : tableOf<FrontRoute>(
        "Routes",
        [
          { name: "Route", style: "name", cell: (route) => html`<span class="mono">${placeOf(route)}</span>` },
          { name: "Leads to", cell: leadsTo },
        ],
        routes,
      );

function leadsTo(route: FrontRoute): Markup {
  switch (route.kind) {
    case "worker":
      return html`<span>${workerLink(route.worker)}${route.strip && html` <span class="soft">without the path</span>`}</span>`;
    case "rewrite":
      return html`<span class="mono">${route.to}</span>`;
    case "redirect":
      return html`<span><span class="mono">${route.to}</span> <span class="soft">${route.status}</span></span>`;
  }
}
