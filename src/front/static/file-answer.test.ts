import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheControlOf } from "./caching.ts";
import { contentTypeOf } from "./content-type.ts";
import { answerFile, type FileAnswer, type FileRequest } from "./file-answer.ts";
import { fileSegments } from "./file-path.ts";

const MODIFIED_MS = Date.UTC(2026, 10, 20, 10, 0, 0);
const MODIFIED = "Fri, 20 Nov 2026 10:00:00 GMT";
const LATER = "Fri, 20 Nov 2026 10:00:01 GMT";
const EARLIER = "Fri, 20 Nov 2026 09:59:59 GMT";

function answer(fields: Record<string, string> = {}, more: Partial<FileRequest> = {}): FileAnswer {
  return answerFile({
    method: "GET",
    field: (name) => fields[name],
    fileName: "a.txt",
    stats: { ino: 7, size: 1_000, mtimeMs: MODIFIED_MS },
    mode: "prod",
    nowMs: MODIFIED_MS + 3_600_000,
    addedBytes: 0,
    ...more,
  });
}

const header = (of: FileAnswer, name: string): string | undefined => new Map(of.headers).get(name);
const ETAG = header(answer(), "etag")!;

test("files: the whole, with what it takes to ask again", () => {
  const whole = answer();
  assert.equal(whole.status, 200);
  assert.deepEqual(whole.part, { start: 0, lengthBytes: 1_000 });
  assert.match(ETAG, /^"[0-9a-z-]+"$/);
  assert.equal(header(whole, "last-modified"), MODIFIED);
  assert.equal(whole.lengthBytes, 1_000);
  assert.equal(header(whole, "content-type"), "text/plain; charset=utf-8");
  assert.equal(header(whole, "x-content-type-options"), "nosniff");
  assert.deepEqual(answer({}, { method: "HEAD" }), whole);
});

test("files: the entity tag is another for another time, size or file", () => {
  const stats = { ino: 7, size: 1_000, mtimeMs: MODIFIED_MS };
  const others = [{ ino: 8 }, { size: 1_001 }, { mtimeMs: MODIFIED_MS + 0.001 }];
  const tags = others.map((other) => header(answer({}, { stats: { ...stats, ...other } }), "etag"));
  assert.equal(new Set([ETAG, ...tags]).size, 4);
});

test("files: one that was written a moment ago has no entity tag yet, and no date until its second is over", () => {
  const young = answer({ "if-none-match": ETAG }, { nowMs: MODIFIED_MS + 10 });
  assert.equal(young.status, 200);
  assert.equal(header(young, "etag"), undefined);
  assert.equal(header(young, "last-modified"), undefined);
  const older = answer({}, { nowMs: MODIFIED_MS + 500 });
  assert.equal(header(older, "etag"), ETAG);
  assert.equal(header(older, "last-modified"), undefined);
  assert.equal(header(answer({}, { nowMs: MODIFIED_MS - 3_600_000 }), "last-modified"), undefined, "from the future");
});

test("files: conditions are looked at in the order of RFC 9110 §13.2.2", () => {
  const cases: [Record<string, string>, number][] = [
    [{ "if-none-match": ETAG }, 304],
    [{ "if-none-match": `W/${ETAG}` }, 304],
    [{ "if-none-match": `"x", ${ETAG}` }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"x"' }, 200],
    [{ "if-none-match": "garbage" }, 200],
    [{ "if-modified-since": MODIFIED }, 304],
    [{ "if-modified-since": LATER }, 304],
    [{ "if-modified-since": EARLIER }, 200],
    [{ "if-modified-since": "yesterday" }, 200],
    [{ "if-none-match": '"x"', "if-modified-since": LATER }, 200],
    [{ "if-match": ETAG }, 200],
    [{ "if-match": "*" }, 200],
    [{ "if-match": `W/${ETAG}` }, 412],
    [{ "if-match": '"x"', "if-none-match": ETAG }, 412],
    [{ "if-unmodified-since": MODIFIED }, 200],
    [{ "if-unmodified-since": EARLIER }, 412],
    [{ "if-match": ETAG, "if-unmodified-since": EARLIER }, 200],
  ];
  for (const [fields, status] of cases) assert.equal(answer(fields).status, status, JSON.stringify(fields));
  const unchanged = answer({ "if-none-match": ETAG });
  assert.equal(header(unchanged, "etag"), ETAG);
  assert.equal(unchanged.lengthBytes, undefined);
});

test("files: one range is answered in part; several, odd or outdated ones with the whole", () => {
  const part = (range: string, more: Record<string, string> = {}) => {
    const { status, part, headers } = answer({ range, ...more });
    return [status, part?.start, part?.lengthBytes, new Map(headers).get("content-range")];
  };
  assert.deepEqual(part("bytes=0-0"), [206, 0, 1, "bytes 0-0/1000"]);
  assert.deepEqual(part("bytes=500-"), [206, 500, 500, "bytes 500-999/1000"]);
  assert.deepEqual(part("bytes=-100"), [206, 900, 100, "bytes 900-999/1000"]);
  assert.deepEqual(part("bytes=-5000"), [206, 0, 1_000, "bytes 0-999/1000"]);
  assert.deepEqual(part("bytes=990-5000"), [206, 990, 10, "bytes 990-999/1000"]);
  assert.deepEqual(part("bytes=0-0", { "if-range": ETAG }), [206, 0, 1, "bytes 0-0/1000"]);
  assert.deepEqual(part("bytes=0-0", { "if-range": MODIFIED }), [206, 0, 1, "bytes 0-0/1000"]);
  const whole = [200, 0, 1_000, undefined];
  for (const range of ["bytes=0-1,5-6", "bytes=5-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes", "bytes=1-2-3"])
    assert.deepEqual(part(range), whole, range);
  for (const condition of ['"x"', `W/${ETAG}`, LATER, "x"])
    assert.deepEqual(part("bytes=0-0", { "if-range": condition }), whole, condition);
  assert.deepEqual(part("bytes=1000-"), [416, undefined, undefined, "bytes */1000"]);
  assert.deepEqual(part("bytes=-0"), [416, undefined, undefined, "bytes */1000"]);
  assert.equal(answer({ range: "bytes=0-0" }, { method: "HEAD" }).status, 200);
  assert.equal(answer({ range: "bytes=0-0", "if-none-match": ETAG }).status, 304);
});

test("files: a document that gets the live script is not the file: no tag, no range, longer by the script", () => {
  const live = answer({ range: "bytes=0-1", "if-none-match": ETAG }, { addedBytes: 50, mode: "dev" });
  assert.equal(live.status, 200);
  assert.equal(header(live, "etag"), undefined);
  assert.equal(live.lengthBytes, 1_050);
  assert.equal(header(live, "cache-control"), "no-store");
});

test("files: only names that hold a hash are kept without asking, and only in production", () => {
  for (const name of ["app.3f2a9b1c.js", "app-3f2a9b1c.css", "x.d41d8cd98f00b204e9800998ecf8427e.png"])
    assert.match(cacheControlOf(name, "prod"), /immutable/, name);
  for (const name of [
    "app.js",
    "jquery-migrate.js",
    "report-20241231.pdf",
    "3f2a9b1c.js",
    "a-deadbeef.js",
    "a-VERSION2.js",
  ])
    assert.equal(cacheControlOf(name, "prod"), "public, max-age=0, must-revalidate", name);
  assert.equal(cacheControlOf("app.3f2a9b1c.js", "dev"), "no-cache");
});

test("files: types by extension, and bytes for what is not known", () => {
  assert.equal(contentTypeOf("A.HTML"), "text/html; charset=utf-8");
  assert.equal(contentTypeOf("a.tar.gz"), "application/gzip");
  for (const name of ["a", "a.", "a.constructor", "a.__proto__", "html"])
    assert.equal(contentTypeOf(name), "application/octet-stream", name);
});

test("files: names that are never a file's", () => {
  assert.deepEqual(fileSegments("/a%20b/%C3%BC.txt"), ["a b", "ü.txt"]);
  assert.deepEqual(fileSegments("/.well-known/acme/x"), [".well-known", "acme", "x"]);
  assert.deepEqual(fileSegments("/"), []);
  const never = [
    "/.git/config",
    "/a/.env",
    "/a/.well-known/x",
    "/..",
    "/a/../b",
    "/%2e%2e/x",
    "/a%2fb",
    "/a%5cb",
    "/a%00",
    "/%ff",
  ];
  never.push(
    "/worker.yaml",
    "/sub/Worker.YML",
    "/warren.yaml",
    "/index.php",
    "/a.phtml/x",
    `/${"x".repeat(300)}`,
    "/a".repeat(100),
  );
  for (const path of never) assert.equal(fileSegments(path), undefined, path.slice(0, 30));
});
