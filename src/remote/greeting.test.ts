import assert from "node:assert/strict";
import { test } from "node:test";
import { LineTooLong } from "../protocol/lines.ts";
import { GreetingAnswer, greetingLine } from "./greeting.ts";

const answer = (data: object): Uint8Array => Buffer.from(`${JSON.stringify({ success: true, data })}\nand more`);

test("greeting: the server is told what the device may and who it is, in one line", () => {
  const [line, rest] = Buffer.from(greetingLine({ scopes: ["view", "type"], by: "Pixel\n9" }))
    .toString()
    .split("\n");
  assert.equal(rest, "");
  const { type, payload } = JSON.parse(line!);
  assert.deepEqual([type, payload.scopes, payload.by], ["hello", ["view", "type"], "Pixel\n9"]);
});

test("greeting: a server that holds it to them, or to less, is taken; what stands behind its answer is passed on", () => {
  for (const scopes of [["view", "type"], ["view"]]) {
    const found = new GreetingAnswer(["view", "type"]).push(answer({ server: "blazing", scopes }));
    assert.deepEqual([found?.refusal, found?.server], [undefined, "blazing"]);
    assert.equal(Buffer.from(found!.rest).toString(), "and more");
  }
});

test("greeting: a server that says nothing of scopes, or gives more, would let everything through: refused", () => {
  for (const data of [{ server: "old" }, { server: "old", scopes: ["view", "type", "admin"] }, { scopes: "view" }]) {
    const found = new GreetingAnswer(["view", "type"]).push(answer(data));
    assert.equal(found?.refusal?.code, "SERVER_CANNOT_LIMIT");
  }
  const refused = Buffer.from(`${JSON.stringify({ success: false, code: "PROTOCOL_MISMATCH", error: "No." })}\n`);
  assert.equal(new GreetingAnswer(["view"]).push(refused)?.refusal?.code, "PROTOCOL_MISMATCH");
  assert.equal(new GreetingAnswer(["view"]).push(Buffer.from("nonsense\n"))?.refusal?.code, "SERVER_CANNOT_LIMIT");
});

test("greeting: the answer may come byte by byte, and never without end", () => {
  const reading = new GreetingAnswer(["view"]);
  const bytes = answer({ scopes: ["view"] });
  const at = bytes.indexOf(0x0a);
  for (const byte of bytes.subarray(0, at)) assert.equal(reading.push(Uint8Array.of(byte)), undefined);
  const found = reading.push(bytes.subarray(at, at + 1));
  assert.deepEqual([found?.refusal, found?.rest.length], [undefined, 0]);
  assert.throws(() => new GreetingAnswer(["view"]).push(new Uint8Array(70_000)), LineTooLong);
});
