import assert from "node:assert/strict";
import { test } from "node:test";
import { isInjectable } from "./injectable.ts";

const HTML = { "content-type": "text/html; charset=utf-8" };

const asked = (answer: Record<string, string>, request: Record<string, string> = {}, status = 200): boolean =>
  isInjectable({ field: (name) => request[name] }, { status, field: (name) => answer[name] });

const withPolicy = (policy: string): boolean => asked({ ...HTML, "content-security-policy": policy });

test("injectable: documents, errors included", () => {
  assert.ok(asked(HTML));
  assert.ok(asked({ "content-type": "TEXT/HTML" }));
  assert.ok(asked(HTML, {}, 404));
  assert.ok(asked(HTML, {}, 500));
  assert.ok(asked(HTML, { "sec-fetch-dest": "document" }));
  assert.ok(asked({ ...HTML, "content-encoding": "identity" }));
});

test("injectable: nothing else", () => {
  assert.ok(!asked({}));
  assert.ok(!asked({ "content-type": "application/json" }));
  assert.ok(!asked({ "content-type": "text/htmlx" }));
  assert.ok(!asked({ "content-type": "text/html; charset=UTF-16LE" }));
  assert.ok(!asked({ ...HTML, "content-encoding": "gzip" }));
  assert.ok(!asked({ ...HTML, "content-disposition": "attachment; filename=a.html" }));
  assert.ok(!asked(HTML, { "sec-fetch-dest": "empty" }));
  for (const status of [204, 206, 304]) assert.ok(!asked(HTML, {}, status));
});

test("injectable: a policy decides for its page", () => {
  for (const policy of [
    "default-src 'self'",
    "script-src 'self' https://cdn.example; object-src 'none'",
    "default-src 'none'; script-src 'self'; connect-src 'self'",
    "img-src *",
    "sandbox allow-scripts allow-same-origin",
  ])
    assert.ok(withPolicy(policy), policy);
  for (const policy of [
    "default-src 'none'",
    "script-src 'nonce-abc'",
    "script-src 'self' 'strict-dynamic' 'nonce-abc'",
    "script-src 'self'; connect-src https://api.example",
    "script-src-elem 'none'; script-src 'self'",
    "sandbox",
    "default-src 'self', default-src 'none'",
  ])
    assert.ok(!withPolicy(policy), policy);
});
