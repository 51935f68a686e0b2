import type { BuildFailure } from "../../protocol/front-messages.ts";
import { frame } from "./frame.ts";
import type { LogTail } from "./log-tail.ts";
import { html, type Markup, type Piece } from "./markup.ts";
import { changesTable, exchangesTable, instancesTable, routesTable, stateMarkup, workersTable } from "./tables.ts";
import type { DashboardView, WorkerView } from "./view.ts";
import { countOf, durationOf, rateOf, versionOf, wordsOf } from "./words.ts";

/** The dashboard's pages as a whole: of the project, and of one worker. */
export function projectPage(view: DashboardView): string {
  const { workers, routes, changes, failures, exchanges, nowMs, sessions } = view;
  const facts = [
    `${countOf(view.requests)} requests`,
    `${rateOf(view.perSecond)} a second`,
    `${countOf(view.connections)} connections`,
  ];
  const content = html`${section("top", html`<header><h1>${view.project}</h1><p>${stateMarkup(view.status)} <span class="soft">· ${view.mode} · ${facts.join(" · ")}</span></p></header>`)}
${section("workers", html`<h2>Workers</h2>\n${workersTable(workers)}`)}
${section("changes", html`<h2>Changes</h2>\n${changesTable(changes, nowMs)}`)}
${section("failures", html`<h2>Errors</h2>\n${failures.length === 0 ? html`<p class="soft">No request was answered with 5xx.</p>` : exchangesTable("Errors", failures, nowMs)}`)}
${section("requests", html`<h2>Requests</h2>\n${exchanges.length === 0 ? html`<p class="soft">None yet.</p>` : exchangesTable("Requests", exchanges, nowMs)}`)}
${section("routes", html`<h2>Routes</h2>\n${routesTable(routes)}${sessions.length > 0 && sessionsList(sessions)}`)}`;
  return frame({ title: `${titleMark(view)}${view.project} · dashboard`, content });
}

/** In the tab's title, so that it is seen from another one. */
function titleMark({ workers }: DashboardView): string {
  const count = workers.filter(({ state }) => wordsOf(state).tone === "bad").length;
  return count === 0 ? "" : `✗ ${count} · `;
}

const sessionsList = (sessions: DashboardView["sessions"]): Markup =>
  html`<h2>Sessions</h2>\n<p>${sessions.map(({ name, port }) => html`<span class="mono">${name}.localhost</span> <span class="soft">→ port ${port}</span><br>`)}</p>`;

export interface WorkerPageFacts {
  view: DashboardView;
  worker: WorkerView;
  /** Of the instance that is shown, the newest. */
  tails: readonly LogTail[];
}

export function workerPage({ view, worker, tails }: WorkerPageFacts): string {
  const { name, reason, failure } = worker;
  const isOf = ({ exchange }: DashboardView["exchanges"][number]): boolean => exchange.worker === name;
  const exchanges = view.exchanges.filter(isOf);
  const changes = view.changes.filter((change) => change.worker === name);
  const content = html`${section(
    "top",
    html`<p><a href="/.warren/">${view.project}</a></p>
<header><h1>${name}</h1><p>${stateMarkup(worker.state)}</p></header>
${reason !== undefined && !reason.includes(failure?.message ?? "\n") && html`<p>${reason}</p>`}${factsList(worker)}`,
  )}
${section("failure", failure === undefined ? html`` : failureMarkup(failure))}
${section("instances", html`<h2>Instances</h2>\n${instancesTable(worker.instances)}`)}
${section("output", html`<h2>Last output</h2>\n${tailsMarkup(tails, name)}`)}
${section("changes", html`<h2>Changes</h2>\n${changesTable(changes, view.nowMs)}`)}
${section("requests", html`<h2>Requests</h2>\n${exchanges.length === 0 ? html`<p class="soft">None among the last.</p>` : exchangesTable("Requests", exchanges, view.nowMs)}`)}`;
  return frame({ title: `${wordsOf(worker.state).glyph} ${name} · ${view.project}`, content });
}

const section = (id: string, content: Markup): Markup => html`<section id="${id}" data-live>${content}</section>`;

function factsList(worker: WorkerView): Markup {
  const facts: [string, Piece][] = [
    ["Routes", html`<span class="mono">${worker.routes.join(" ") || "none"}</span>`],
    ["Version", html`<span class="mono">${worker.version ?? versionOf(undefined)}</span>`],
    ["Requests", `${countOf(worker.requests)}, ${rateOf(worker.perSecond)} a second`],
    ["Answered with 5xx", countOf(worker.failed)],
    ["In flight, waiting", `${countOf(worker.inFlight)}, ${countOf(worker.waiting)}`],
  ];
  if (worker.p99Ms > 0) facts.push(["p50, p99", `${durationOf(worker.p50Ms)}, ${durationOf(worker.p99Ms)}`]);
  return html`<dl>${facts.map(([name, fact]) => html`<dt>${name}</dt><dd>${fact}</dd>`)}</dl>`;
}

function failureMarkup({ phase, message, places, output }: BuildFailure): Markup {
  const title = phase === "build" ? "Cannot be built" : "Does not start";
  const shown = places.map(
    ({ file, line, column, frame: lines }) =>
      html`<p class="mono">${file}:${line}:${column}</p>${lines.length > 0 && preOf("The lines around", lines)}`,
  );
  return html`<h2 class="bad">${title}</h2>\n<p>${message}</p>${shown}${output.length > 0 && preOf("Output of the failure", output)}`;
}

const tailsMarkup = (tails: readonly LogTail[], worker: string): Markup =>
  tails.length === 0
    ? html`<p class="soft">It has printed nothing. More of it: <span class="mono">warren logs -f ${worker}</span></p>`
    : html`${tails.map(({ stream, lines }) => html`<p class="soft">${stream}</p>\n${preOf(stream, lines)}`)}<p class="soft">All of it: <span class="mono">warren logs -f ${worker}</span></p>`;

/** It may be wider than the page, so the keyboard has to get there to scroll it. */
const preOf = (label: string, lines: readonly string[]): Markup =>
  html`<pre tabindex="0" role="region" aria-label="${label}">${lines.join("\n")}</pre>`;
