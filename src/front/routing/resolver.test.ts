import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { BuildFailure, FrontTable, FrontWorker } from "../../protocol/front-messages.ts";
import { CLIENT_SCRIPT } from "../live/client-script.ts";
import { LivePages } from "../live/live-pages.ts";
import type { HeadField, RequestFacts, Target } from "../proxy/responder.ts";
import { FrontResolver } from "./resolver.ts";
import { factsOf } from "./testing/request-facts.ts";

const worker = (name: string, more: Partial<FrontWorker> = {}): FrontWorker => ({
  name,
  kind: "http",
  state: "serving",
  instances: [{ id: `${name}-1`, version: "v1", host: "127.0.0.1", port: 9000 }],
  isLive: false,
  ...more,
});

const FAILURE: BuildFailure = {
  worker: "index",
  at: "2026-11-21T10:00:00.000Z",
  phase: "build",
  message: "secret path",
  places: [],
  output: [],
};

class Fixture implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), "warren-resolver-"));
  readonly live = new LivePages("f1");
  readonly resolver: FrontResolver;

  constructor(table: Partial<FrontTable> = {}, files: Record<string, string> = {}) {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.directory, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      utimesSync(path, 1_700_000_000, 1_700_000_000);
    }
    this.resolver = new FrontResolver(this.table(table), { live: this.live, metricsText: () => "metrics\n" });
  }

  table(more: Partial<FrontTable>): FrontTable {
    const workers = (more.workers ?? [worker("index")]).map((one) =>
      one.publicDir === undefined ? one : { ...one, publicDir: join(this.directory, one.publicDir) },
    );
    return {
      format: 1,
      revision: 1,
      mode: "dev",
      project: "site",
      routes: [{ kind: "worker", path: "/", worker: "index", strip: false }],
      draining: [],
      trustedProxies: [],
      hasPublicMetrics: false,
      sessions: [],
      ...more,
      ...(more.publicDir === undefined ? {} : { publicDir: join(this.directory, more.publicDir) }),
      workers,
    };
  }

  ask(target: string, more: Partial<RequestFacts> = {}, fields: Record<string, string> = {}): Target {
    const facts = factsOf({ url: target, method: "GET", headers: { host: "localhost:8080", ...fields } });
    return this.resolver.resolve({ ...facts, ...more });
  }

  /** `200 the body`, or where it goes. */
  said(target: string, more: Partial<RequestFacts> = {}, fields: Record<string, string> = {}): string {
    const done = this.ask(target, more, fields);
    switch (done.kind) {
      case "answer":
        return `${done.answer.status} ${done.answer.body}`;
      case "worker":
        return `→ ${done.worker} ${done.target}`;
      case "session":
        return `→ session ${done.host}:${done.port} ${done.target}`;
      case "responder":
        return "responder";
    }
  }

  [Symbol.dispose](): void {
    this.live.close();
    rmSync(this.directory, { recursive: true });
  }
}

const headersOf = (target: Target): Map<string, string> =>
  new Map<string, string>(target.kind === "answer" ? target.answer.headers : ([] as HeadField[]));

test("resolver: first the worker's public folder, then the project's, then the worker", () => {
  using fixture = new Fixture(
    {
      routes: [
        { kind: "worker", path: "/", worker: "index", strip: false },
        { kind: "worker", path: "/blog", worker: "blog", strip: false },
      ],
      workers: [worker("index", { publicDir: "index" }), worker("blog", { publicDir: "blog" })],
      publicDir: "site",
    },
    {
      "index/both.txt": "of index",
      "blog/style.css": "of blog",
      "blog/index.html": "blog's start",
      "site/both.txt": "of site",
      "site/robots.txt": "robots",
      "site/blog/robots.txt": "robots of the blog",
    },
  );
  assert.equal(fixture.said("/both.txt"), "200 of index");
  assert.equal(fixture.said("/robots.txt"), "200 robots");
  assert.equal(fixture.said("/blog/style.css"), "200 of blog");
  assert.equal(fixture.said("/blog/"), "200 blog's start");
  assert.equal(fixture.said("/blog/robots.txt"), "200 robots of the blog");
  assert.equal(fixture.said("/blog/post?id=1"), "→ blog /blog/post?id=1");
  assert.equal(fixture.said("/style.css"), "→ index /style.css");
  assert.equal(fixture.said("/both.txt", { method: "POST" }), "→ index /both.txt");
  assert.equal(fixture.said("/both.txt", { method: "HEAD" }), "responder");
  const slash = fixture.ask("/blog?x=1");
  assert.equal(headersOf(slash).get("location"), "/blog/?x=1");
  assert.equal(fixture.said("/blog"), "308 ");
});

test("resolver: the project's files need no route", () => {
  using fixture = new Fixture(
    {
      routes: [{ kind: "worker", path: "/api", worker: "index", strip: true, methods: ["POST"] }],
      publicDir: "site",
    },
    { "site/favicon.ico": "icon", "site/api/docs.txt": "docs" },
  );
  assert.equal(fixture.said("/favicon.ico"), "200 icon");
  assert.equal(fixture.said("/api/docs.txt"), "200 docs");
  assert.equal(fixture.said("/api/users", { method: "POST" }), "→ index /users");
  assert.equal(fixture.said("/api", { method: "POST" }), "→ index /");
  const refused = fixture.ask("/api/users");
  assert.equal(refused.kind === "answer" && refused.answer.status, 405);
  assert.equal(headersOf(refused).get("allow"), "POST");
  assert.match(fixture.said("/none"), /^404 /);
});

test("resolver: a worker's state decides once no file does", () => {
  using fixture = new Fixture({}, { "public/logo.txt": "logo" });
  const state = (more: Partial<FrontWorker>, mode: "dev" | "prod" = "dev") =>
    fixture.resolver.applyTable(fixture.table({ mode, workers: [worker("index", { publicDir: "public", ...more })] }));
  state({ state: "held" });
  assert.equal(fixture.said("/"), "→ index /");
  state({ state: "gone", reason: "Stopped by a person." });
  assert.match(fixture.said("/"), /^503 .*\nStopped by a person\./);
  assert.equal(fixture.said("/logo.txt"), "200 logo");
  state({ state: "failed", failure: FAILURE });
  assert.match(fixture.said("/"), /^500 index cannot be built: secret path/);
  state({ state: "failed", failure: FAILURE }, "prod");
  assert.match(fixture.said("/"), /^503 /);
  assert.ok(!fixture.said("/").includes("secret"));
  state({ kind: "static", instances: [] });
  assert.match(fixture.said("/none"), /^404 /);
  assert.match(fixture.said("/logo.txt", { method: "POST" }), /^405 /);
  fixture.resolver.applyTable(fixture.table({ workers: [] }));
  assert.match(fixture.said("/"), /^503 .*\n.*index, which there is not/);
});

test("resolver: one worker told alone takes its place from the next request on", () => {
  using fixture = new Fixture();
  fixture.resolver.applyWorker(7, worker("index", { state: "gone" }), ["index-1"]);
  assert.match(fixture.said("/"), /^503 /);
  assert.equal(fixture.resolver.table.revision, 7);
  assert.deepEqual(fixture.resolver.table.draining, ["index-1"]);
  fixture.resolver.applyWorker(8, worker("index"), []);
  assert.equal(fixture.said("/"), "→ index /");
});

test("resolver: health, metrics where they are asked for, and nothing else below /.warren/", () => {
  using fixture = new Fixture();
  assert.match(fixture.said("/health"), /^200 \{\n {2}"status": "healthy"/);
  fixture.resolver.applyHealth([{ worker: "index", state: "crash_looping", reason: "exit 1", instances: [] }]);
  assert.match(fixture.said("/health"), /^503 [\s\S]*"reason": "exit 1"/);
  assert.match(fixture.said("/health", { method: "POST" }), /^405 /);
  assert.equal(fixture.said("/metrics"), "→ index /metrics");
  assert.equal(fixture.said("/healthy"), "→ index /healthy");
  for (const path of ["/.warren/", "/.warren/live", "/.warren/live.js", "/.warren/x"])
    assert.match(fixture.said(path), /^404 /, path);
  fixture.resolver.applyTable(fixture.table({ hasPublicMetrics: true, workers: [worker("index", { isLive: true })] }));
  assert.equal(fixture.said("/metrics"), "200 metrics\n");
  assert.equal(fixture.said("/.warren/live.js?worker=index"), `200 ${CLIENT_SCRIPT}`);
  assert.equal(fixture.said("/.warren/live?worker=index"), "responder");
  assert.match(fixture.said("/.warren/x"), /^404 /);
  const tag = headersOf(fixture.ask("/.warren/live.js")).get("etag")!;
  assert.equal(fixture.said("/.warren/live.js", {}, { "if-none-match": tag }), "304 ");
});

test("resolver: a session's host is the session's, with all its paths", () => {
  using fixture = new Fixture({ sessions: [{ name: "fox", port: 4000 }], publicDir: "site" }, { "site/x.txt": "x" });
  for (const path of ["/", "/health", "/.warren/live.js", "/x.txt"])
    assert.equal(fixture.said(path, { host: "fox.localhost:8080" }), `→ session 127.0.0.1:4000 ${path}`);
});

test("resolver: a session that there is not is a page with those that there are", () => {
  using fixture = new Fixture({
    sessions: [
      { name: "fox", port: 4000 },
      { name: "old", port: 0 },
    ],
  });
  const said = (host: string): string => fixture.said("/", { host }, { accept: "application/json" });
  assert.match(said("fix.localhost"), /^404 .*Did you mean fox\.localhost\?.*NO_SESSION/);
  assert.match(said("giraffe.localhost"), /^404 .*There are fox\.localhost, old\.localhost\./);
  assert.match(said("old.localhost"), /^503 .*warren resume old/);
});

test("resolver: sessions are for this machine alone, whatever the Host field says", () => {
  using fixture = new Fixture({ sessions: [{ name: "fox", port: 4000 }] });
  for (const [from, kind] of [
    [{ remoteAddress: "127.0.0.1" }, "session"],
    [{ remoteAddress: "::1" }, "session"],
    [{ remoteAddress: "192.168.1.7" }, "403"],
    [{ remoteAddress: "fe80::1" }, "403"],
    [{ remoteAddress: "127.0.0.1", isForwarded: true }, "403"],
  ] as const) {
    const target = fixture.ask("/", { host: "fox.localhost", ...from });
    assert.equal(target.kind === "answer" ? `${target.answer.status}` : target.kind, kind, JSON.stringify(from));
  }
});

test("resolver: HTML of a live worker brings the script, with the version that serves; other files do not", () => {
  const workers = [worker("index", { isLive: true, publicDir: "public" })];
  using fixture = new Fixture({ workers }, { "public/page.html": "<p>hi</p></body>", "public/a.txt": "</body>" });
  const said = fixture.said("/page.html");
  assert.match(
    said,
    /^200 <p>hi<\/p><script src="\/\.warren\/live\.js\?worker=index&amp;front=f1&amp;count=0&amp;version=v1" defer>/,
  );
  assert.equal(fixture.said("/a.txt"), "200 </body>");
});

test("resolver: a live worker is asked for bytes that can be read, and its documents are looked at; others are not", () => {
  using fixture = new Fixture({
    routes: [
      { kind: "worker", path: "/", worker: "index", strip: false },
      { kind: "worker", path: "/api", worker: "api", strip: false },
    ],
    workers: [worker("index", { isLive: true }), worker("api")],
  });
  const live = fixture.ask("/");
  assert.ok(live.kind === "worker" && live.transform !== undefined);
  assert.deepEqual(live.edits, [["accept-encoding", "identity"]]);
  const plain = fixture.ask("/api");
  assert.ok(plain.kind === "worker" && plain.transform === undefined && plain.edits === undefined);
});

test("resolver: OPTIONS of the whole server, and failures on the way as pages that suit who asks", () => {
  using fixture = new Fixture();
  assert.equal(fixture.said("*", { method: "OPTIONS" }), "204 ");
  const failure = {
    code: "TOO_LATE",
    status: 504,
    worker: "index",
    reason: "No answer in 60 s.",
    retryAfterS: 1,
  } as const;
  const json = factsOf({ url: "/", method: "GET", headers: { accept: "application/json" } });
  const answer = fixture.resolver.explain(json, failure)!;
  assert.equal(answer.status, 504);
  assert.deepEqual(JSON.parse(String(answer.body)), {
    error: "No answer in 60 s.",
    code: "TOO_LATE",
    status: 504,
    worker: "index",
    request_id: "r1",
  });
});
