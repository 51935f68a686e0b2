import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Request } from "../protocol/envelope.ts";
import { isWarrenError, type WarrenError } from "../protocol/errors.ts";
import { messages } from "../protocol/messages.ts";
import { idOf, parseRequest } from "./parse-request.ts";

function parse(line: string): Request | (WarrenError & { id?: unknown }) {
  try {
    return parseRequest(line);
  } catch (error) {
    assert.ok(isWarrenError(error), `${line} → ${error}`);
    return error;
  }
}

const TYPES = Object.keys(messages);

test("parse: whatever comes, it is a request or a typed error", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: "binary" })), (line) => {
      parse(line);
    }),
    { numRuns: 500 },
  );
});

test("parse: whatever the payload, the id comes back, in the request or beside the error", () => {
  const line = fc.record({
    id: fc.oneof(fc.integer(), fc.string()),
    type: fc.oneof(fc.constantFrom(...TYPES, "__proto__", "toString", "constructor"), fc.string(), fc.jsonValue()),
    payload: fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom("job_id", "workdir", "command", "env"), fc.jsonValue()),
    ),
    request_id: fc.oneof(fc.string(), fc.jsonValue()),
  });
  fc.assert(
    fc.property(line, (request) => {
      const result = parse(JSON.stringify(request));
      assert.deepEqual(idOf(result), { id: request.id });
      if (!isWarrenError(result)) assert.equal(result.type, request.type);
    }),
    { numRuns: 500 },
  );
});

test("parse: names the field that is wrong, with its value", () => {
  const error = parse(JSON.stringify({ id: 1, type: "stop", payload: { job_id: 7 } }));
  assert.ok(isWarrenError(error, "INVALID_PAYLOAD"));
  assert.equal(error.message, "stop: job_id must be string, not 7.");
  assert.deepEqual(error.detail, { field: "job_id" });
  const missing = parse(JSON.stringify({ type: "stop", payload: {} }));
  assert.ok(isWarrenError(missing) && missing.message === "stop: job_id is missing.");
});

test("parse: no payload is an empty one; unknown fields are kept; a wrong type has a suggestion", () => {
  assert.deepEqual(parse('{"id":"a","type":"list"}'), { id: "a", type: "list", payload: {} });
  assert.deepEqual(parse('{"type":"list","payload":{"new":1},"request_id":"r"}'), {
    type: "list",
    payload: { new: 1 },
    request_id: "r",
  });
  const error = parse('{"id":3,"type":"lsit"}');
  assert.ok(isWarrenError(error, "UNKNOWN_TYPE"));
  assert.match(error.message, /Did you mean list\?/);
  for (const line of ["", "[]", "null", "7", '"list"', "{", "[".repeat(100_000)])
    assert.ok(isWarrenError(parse(line), "BAD_JSON"), line.slice(0, 20));
});
