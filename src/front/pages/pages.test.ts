import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { BuildFailure } from "../../protocol/front-messages.ts";
import { escapeHtml } from "./escape.ts";
import { failurePage } from "./failure-page.ts";
import { mediumOf } from "./media.ts";
import { problemPage } from "./page.ts";
import { noRoute } from "./problems.ts";
import { routeList } from "./route-list.ts";

const medium = (accept?: string, more: { fetchMode?: string; fetchDest?: string } = {}) =>
  mediumOf({ accept, fetchMode: more.fetchMode, fetchDest: more.fetchDest });

const failure = (more: Partial<BuildFailure> = {}): BuildFailure => ({
  worker: "index",
  at: "2026-11-21T10:00:00.000Z",
  phase: "build",
  message: "1 error",
  places: [
    {
      file: "workers/index/src/main.ts",
      line: 3,
      column: 7,
      message: "Unexpected <",
      frame: ["  2 │ a", "> 3 │ b < c"],
    },
  ],
  output: ["\x1b[31mred\x1b[0m", "last & least"],
  ...more,
});

test("pages: HTML to a person's browser, JSON to a program, text to a terminal", () => {
  assert.equal(
    medium("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", { fetchMode: "navigate" }),
    "html",
  );
  assert.equal(medium("application/json"), "json");
  assert.equal(medium("application/problem+json, text/html;q=0.5"), "json");
  assert.equal(medium("application/json, text/html"), "json");
  assert.equal(medium("text/html;q=0, application/json;q=0.1"), "json");
  assert.equal(medium("*/*", { fetchMode: "cors", fetchDest: "empty" }), "json");
  assert.equal(medium("*/*", { fetchMode: "navigate", fetchDest: "document" }), "html");
  assert.equal(medium("*/*"), "text");
  assert.equal(medium(), "text");
  assert.equal(medium(`${"text/plain,".repeat(10_000)}text/html`), "text");
});

test("pages: a problem in each form says the same, and is not kept", () => {
  const pages = (["html", "json", "text"] as const).map((medium) =>
    problemPage(noRoute("/<b>"), medium, "site", "r-1"),
  );
  for (const { status, headers } of pages) {
    assert.equal(status, 404);
    assert.equal(new Map(headers).get("cache-control"), "no-store");
  }
  assert.match(pages[0]!.body, /answers \/&lt;b&gt;\./);
  assert.deepEqual(JSON.parse(pages[1]!.body), {
    error: "No route and no public file answers /<b>.",
    code: "NO_ROUTE",
    status: 404,
    request_id: "r-1",
  });
  assert.equal(pages[2]!.body, "404 Nothing is here\nNo route and no public file answers /<b>.\n");
});

test("pages: a failure shows its place, its frame and the last output, escaped and without colours", () => {
  const script = '<script src="/.warren/live.js?worker=index" defer></script>\n';
  const { status, body } = failurePage({ failure: failure(), project: "site", script }, "html");
  assert.equal(status, 500);
  assert.match(body, /index cannot be built/);
  assert.match(body, /workers\/index\/src\/main\.ts:3:7/);
  assert.match(body, /&gt; 3 │ b &lt; c/);
  assert.match(body, /red\nlast &amp; least/);
  assert.ok(body.includes(`${script}</body>`));
  assert.match(body, /goes on by itself/);
  assert.doesNotMatch(failurePage({ failure: failure(), project: "site", script: "" }, "html").body, /by itself/);
  assert.ok(!body.includes("\x1b"));
});

test("pages: what is said of the only place is not said twice", () => {
  const [place] = failure().places;
  const page = failurePage({ failure: failure({ message: place!.message }), project: "site", script: "" }, "html");
  assert.equal(page.body.split("Unexpected &lt;").length, 2);
});

test("pages: a person is told what there is, a few of many, and a program is not", () => {
  const routes = Array.from({ length: 60 }, (_, at) => ({
    kind: "worker" as const,
    path: `/<${at}>`,
    methods: ["GET"],
    worker: "api",
    strip: false,
  }));
  const problem = noRoute("/x", routeList(routes));
  const html = problemPage(problem, "html", "site", "r").body;
  assert.match(html, /<li>GET \/&lt;0&gt; → api<\/li>/);
  assert.match(html, /<li>and 10 more<\/li>/);
  assert.match(problemPage(problem, "text", "site", "r").body, /\n\nThere is:\nGET \/<0> → api\n/);
  assert.deepEqual(Object.keys(JSON.parse(problemPage(problem, "json", "site", "r").body)), [
    "error",
    "code",
    "status",
    "request_id",
  ]);
  assert.equal(routeList([]), undefined);
});

test("pages: a failure as JSON is the failure itself; as text it reads like a compiler", () => {
  const facts = { failure: failure({ phase: "start" }), project: "site", script: "" };
  const json = JSON.parse(failurePage(facts, "json").body);
  assert.equal(json.code, "START_FAILED");
  assert.deepEqual(json.failure, facts.failure);
  assert.equal(
    failurePage(facts, "text").body,
    "index does not start: 1 error\n\nworkers/index/src/main.ts:3:7: Unexpected <\n  2 │ a\n> 3 │ b < c\n\nLast output:\nred\nlast & least\n",
  );
});

test("pages: whatever a build says, no tag of it reaches the page", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      const place = { file: text, line: 1, column: 1, message: `${text}!`, frame: [text] };
      const facts = {
        failure: failure({ worker: text, message: text, places: [place], output: [text] }),
        project: text,
        script: "",
      };
      const tags = failurePage(facts, "html").body.match(/<[^>]*>/g) ?? [];
      const plain = { ...failure({ places: [{ ...place, file: "f", message: "m", frame: ["x"] }], output: ["y"] }) };
      const expected = failurePage({ failure: plain, project: "p", script: "" }, "html").body.match(/<[^>]*>/g);
      assert.deepEqual(tags, expected);
    }),
  );
  assert.equal(escapeHtml(`<a href="x" title='y'>&`), "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;");
});
