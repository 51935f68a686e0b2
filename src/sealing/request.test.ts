import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isWarrenError } from "../protocol/errors.ts";
import { utf8 } from "./bytes.ts";
import {
  APPROVAL_LIFE_MS_MAX,
  approvalProblem,
  decodeRequest,
  decodeResult,
  encodeJson,
  REQUEST_LIFE_MS_MAX,
  type RemoteRequest,
  requestHash,
  requestProblem,
  shownHash,
} from "./request.ts";
import { throwsWith } from "./testing/checks.ts";
import { counting, hexOf } from "./testing/fixed.ts";
import { webCrypto } from "./webcrypto.ts";

const crypto = webCrypto();
const NOW = 1_800_000_000_000;
const machine = counting(32);
const request: RemoteRequest = {
  id: "0f".repeat(16),
  target: { machine: hexOf(machine), unit: "blazing" },
  type: "session.input",
  payload: { text: "y" },
  number: 2,
  after: 1,
  sent_ms: NOW - 1_000,
  deadline_ms: NOW + 60_000,
};

test("request: one that is nested as deep as a record has room for is refused, and no stack with it", () => {
  const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
  const text = JSON.stringify({ ...request, payload: { deep: "HERE" } }).replace('"HERE"', deep);
  throwsWith("FORM_INVALID", () => decodeRequest(utf8(text)));
  const allowed = { ...request, payload: { deep: JSON.parse(`${"[".repeat(63)}${"]".repeat(63)}`) } };
  assert.deepEqual(decodeRequest(encodeJson(allowed)), allowed);
});

test("request: it reads back, and what is not one is refused without a word of it", () => {
  assert.deepEqual(decodeRequest(encodeJson(request)), request);
  const wrong: unknown[] = [
    null,
    [],
    {},
    { ...request, id: "x" },
    { ...request, type: "" },
    { ...request, payload: "canary" },
    { ...request, deadline_ms: -1 },
    { ...request, target: { machine: "short" } },
    { ...request, canary: "canary" },
    { ...request, payload: { deep: JSON.parse(`${"[".repeat(64)}${"]".repeat(64)}`) } },
    { ...request, approval: { shown: "no", question: "q", expires_ms: 1 } },
  ];
  for (const value of wrong)
    try {
      decodeRequest(utf8(JSON.stringify(value)));
      assert.fail(JSON.stringify(value));
    } catch (error) {
      assert.ok(isWarrenError(error, "FORM_INVALID") && !error.message.includes("canary"), String(error));
    }
  throwsWith("FORM_INVALID", () => decodeRequest(Uint8Array.of(0xff, 0xfe)));
  throwsWith("FORM_INVALID", () => decodeRequest(utf8('{"id":')));
});

test("request: for another machine, after its deadline, or with one that is too far: not carried out", () => {
  const problem = (change: object, nowMs = NOW) => requestProblem({ ...request, ...change }, { machine, nowMs })?.code;
  assert.equal(problem({}), undefined);
  assert.equal(problem({ target: { machine: hexOf(counting(32, 1)) } }), "OTHER_TARGET");
  assert.equal(problem({}, NOW + 59_999), undefined);
  assert.equal(problem({}, NOW + 60_000), "DEADLINE_OVER");
  assert.equal(problem({ deadline_ms: NOW + REQUEST_LIFE_MS_MAX }), "DEADLINE_TOO_FAR");
});

test("result: names its request's hash, and keeps what a later version adds", async () => {
  const hash = await requestHash(crypto, encodeJson(request));
  const result = { request: hash, id: request.id, error: { code: "NO_UNIT", error: "There is none." }, later: 1 };
  assert.deepEqual(decodeResult(encodeJson(result)), result);
  assert.notEqual(await requestHash(crypto, encodeJson({ ...request, payload: { text: "n" } })), hash);
  throwsWith("FORM_INVALID", () => decodeResult(utf8("{}")));
});

test("approval: bound to tool, arguments, directory, question and time, and to an open question", async () => {
  const asked = { tool: "bash", input: { command: "rm -r build", timeout: 5 }, directory: "/home/a/b" };
  const shown = await shownHash(crypto, asked);
  const approval = { shown, question: "q1", expires_ms: NOW + 60_000 };
  const facts = { nowMs: NOW, shown, openQuestion: "q1" };
  const problem = (change: object, of: object = {}) =>
    approvalProblem({ approval: { ...approval, ...of }, sentMs: NOW }, { ...facts, ...change })?.code;
  assert.equal(problem({}), undefined);
  assert.equal(problem({ openQuestion: undefined }), "APPROVAL_USED");
  assert.equal(problem({ openQuestion: "q2" }), "APPROVAL_USED");
  assert.equal(problem({ nowMs: NOW + 60_000 }), "DEADLINE_OVER");
  assert.equal(problem({}, { expires_ms: NOW + APPROVAL_LIFE_MS_MAX + 1 }), "DEADLINE_TOO_FAR");
  const others = [
    { tool: "bash2" },
    { input: { command: "rm -r /", timeout: 5 } },
    { input: { ...asked.input, more: 1 } },
    { directory: "/home/a" },
  ];
  for (const other of others)
    assert.equal(problem({ shown: await shownHash(crypto, { ...asked, ...other }) }), "SHOWN_OTHERWISE");
  const reordered = { ...asked, input: { timeout: 5, command: "rm -r build" } };
  assert.equal(await shownHash(crypto, reordered), shown, "the order of fields does not matter");
});

test("approval: no two different things that are shown have one hash", async () => {
  const shown = fc.record({ tool: fc.string(), input: fc.jsonValue(), directory: fc.string() });
  const seen = new Map<string, string>();
  for (const one of fc.sample(shown, { numRuns: 500, seed: 23 })) {
    const hash = await shownHash(crypto, one);
    const text = sorted(one);
    assert.equal(seen.get(hash) ?? text, text);
    seen.set(hash, text);
  }
  assert.equal(new Set(seen.values()).size, seen.size);
});

const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))
      : part,
  );
