import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../platform/clock.ts";
import type { BuildFailure, FrontWorker } from "../../protocol/front-messages.ts";
import type { RequestFacts } from "../proxy/responder.ts";
import { scriptTag } from "./client-script.ts";
import { liveTransform } from "./live-answer.ts";
import { LIVE_CLIENTS_MAX, LivePages, type LiveStream } from "./live-pages.ts";

const worker = (version: string, more: Partial<FrontWorker> = {}): FrontWorker => ({
  name: "index",
  kind: "http",
  state: "serving",
  instances: [{ id: `i-${version}`, version, host: "127.0.0.1", port: 9000 }],
  isLive: true,
  ...more,
});

class Reader implements LiveStream {
  text = "";
  isReading = true;
  isEnded = false;

  write(text: string): boolean {
    this.text += text;
    return this.isReading;
  }

  end(): void {
    this.isEnded = true;
  }

  /** Events since the last call: their names and data. */
  take(): [string, Record<string, unknown>][] {
    const found = [...this.text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)];
    this.text = "";
    return found.map(([, name, data]) => [name!, JSON.parse(data!)]);
  }
}

function pagesWith(...workers: FrontWorker[]): {
  pages: LivePages;
  reader: Reader;
  beat: () => void;
  timerCount: () => number;
} {
  const timers = new Set<() => void>();
  const clock: Clock = {
    wallMs: () => 0,
    monotonicMs: () => 0,
    timer(_delayMs, task) {
      timers.add(task);
      return () => timers.delete(task);
    },
  };
  const pages = new LivePages("f1", clock);
  pages.applyTable({ workers });
  const reader = new Reader();
  pages.add("index", reader);
  const beat = () => {
    for (const task of [...timers]) {
      timers.delete(task);
      task();
    }
  };
  return { pages, reader, beat, timerCount: () => timers.size };
}

test("live: a browser is told the present state when it connects", () => {
  const { reader } = pagesWith(worker("v1"));
  assert.match(reader.text, /^retry: 500\n/);
  assert.deepEqual(reader.take(), [["state", { front: "f1", count: 0, version: "v1" }]]);
});

test("live: a new version is told with the reload, and pages that it served already are left alone", () => {
  const { pages, reader } = pagesWith(worker("v1"));
  reader.take();
  pages.applyWorker(worker("v1", { state: "held" }));
  pages.applyWorker(worker("v2"));
  assert.deepEqual(reader.take(), [], "not before the server says so");
  pages.reload(["index"]);
  assert.deepEqual(reader.take(), [["state", { front: "f1", count: 0, version: "v2" }]]);
  pages.reload(["index"]);
  assert.deepEqual(reader.take(), [["state", { front: "f1", count: 1, version: "v2" }]], "public files have changed");
});

test("live: a failure is told at once, its end too when the version before serves on; what a held worker serves is not known", () => {
  const { pages, reader, beat } = pagesWith(worker("v1"));
  const failing = (at: string): FrontWorker => {
    const failure: BuildFailure = { worker: "index", at, phase: "build", message: "", places: [], output: [] };
    return worker("v1", { state: "failed", instances: [], failure });
  };
  const told = () => reader.take().map(([, { version, count }]) => [version, count]);
  told();
  pages.applyWorker(failing("T1"));
  assert.deepEqual(told(), [["failed T1", 0]]);
  pages.applyWorker(failing("T1"));
  pages.applyWorker(worker("v1", { state: "held", instances: [] }));
  assert.equal(pages.stateOf("index").version, "failed T1");
  assert.deepEqual(told(), []);
  pages.applyTable({ workers: [failing("T2")] });
  assert.deepEqual(told(), [["failed T2", 0]]);
  pages.applyWorker(worker("v1"));
  beat();
  assert.deepEqual(told(), [["v1", 0]]);
  pages.applyWorker(failing("T3"));
  pages.applyWorker(worker("v2"));
  pages.reload(["index"]);
  beat();
  assert.deepEqual(
    told(),
    [
      ["failed T3", 0],
      ["v2", 0],
    ],
    "what the server says is not said again",
  );
});

test("live: style sheets are told apart; another worker's pages hear nothing", () => {
  const { pages, reader } = pagesWith(worker("v1"), worker("v1", { name: "api" }));
  const other = new Reader();
  pages.add("api", other);
  reader.take();
  other.take();
  pages.reload(["index", "unknown"], ["/style.css"]);
  assert.deepEqual(reader.take(), [["css", { front: "f1", count: 1, version: "v1", paths: ["/style.css"] }]]);
  assert.deepEqual(other.take(), []);
});

test("live: who does not read is dropped, at the latest by a heartbeat; without browsers no timer runs", () => {
  const { pages, reader, beat, timerCount } = pagesWith(worker("v1"));
  beat();
  assert.ok(reader.text.endsWith(":\n\n"));
  reader.isReading = false;
  beat();
  assert.ok(reader.isEnded);
  assert.equal(pages.clientCount, 0);
  assert.equal(timerCount(), 0);
});

test("live: too many are refused, and the end of the front ends all", () => {
  const { pages, reader, timerCount } = pagesWith(worker("v1"));
  for (let at = 1; at < LIVE_CLIENTS_MAX; at++) assert.ok(pages.add("index", new Reader()));
  assert.ok(!pages.add("index", new Reader()));
  pages.close();
  assert.ok(reader.isEnded);
  assert.equal(pages.clientCount, 0);
  assert.equal(timerCount(), 0);
  assert.ok(!pages.add("index", new Reader()), "and who comes back at once finds another one");
  assert.equal(pages.clientCount, 0);
});

test("live: a page's tag holds its mark, escaped", () => {
  const tag = scriptTag("index", { front: "f1", count: 2, version: 'failed "<T1>"&' });
  assert.equal(
    tag,
    '<script src="/.warren/live.js?worker=index&amp;front=f1&amp;count=2&amp;version=failed+%22%3CT1%3E%22%26" defer></script>\n',
  );
});

test("live: a worker's document brings the version that served it, and is not kept", () => {
  const { pages } = pagesWith(worker("v1"));
  const request = { method: "GET", path: "/", field: () => undefined } as unknown as RequestFacts;
  const html = { status: 200, field: (name: string) => (name === "content-type" ? "text/html" : undefined) };
  const transform = liveTransform(worker("v2"), pages);
  const body = transform(request, html);
  assert.ok(body);
  const text = Buffer.concat([body.push(Buffer.from("x</body>")), body.end()]).toString();
  assert.equal(text.length, "x</body>".length + body.addedBytes!);
  assert.match(text, /^x<script .*version=v2" defer><\/script>\n<\/body>$/);
  const edits = new Map(body.edits);
  assert.ok(edits.has("etag") && !edits.has("set-cookie"));
  assert.equal(edits.get("cache-control"), "no-store");
  assert.equal(transform(request, { status: 200, field: () => undefined }), undefined);
});
