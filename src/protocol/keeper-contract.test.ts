import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decodeRecord, encodeRecordHeader, RECORD } from "./journal-records.ts";
import { CONTROL, KEEPER_CONTRACT } from "./keeper-calls.ts";
import {
  decodeInput,
  decodeJournalEnd,
  decodeReply,
  encodeFrame,
  FRAME,
  type Frame,
  FrameSplitter,
} from "./keeper-frames.ts";
import { CALLS, FRAMES, RECORDS } from "./testing/keeper-contract.ts";

/**
 * The keeper's contract against its golden files: what was released once is written and read the same for ever, because a keeper of an old build serves
 * servers of new ones, and the other way round; journals outlive both.
 */
const GOLDEN = join(import.meta.dirname, "golden");
const FROZEN =
  "The keeper's contract is frozen: keepers of old builds are running and journals of old builds are on disks. " +
  "Take the change back. What is new goes beside the old: an optional field, another call, another kind of frame or record, each with a golden file " +
  "of its own. A golden file that is in a release is never changed.";

const spaced = (...parts: Uint8Array[]): string => parts.map((part) => Buffer.from(part).toString("hex")).join(" ");
const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ""), "hex");

/** The text of a golden file; `now` is what belongs into it when it is new. */
function golden(name: string, now: string): string {
  const path = join(GOLDEN, name);
  assert.ok(existsSync(path), `No ${path}. Was it taken away? ${FROZEN} If ${name} is new, the file is:\n${now}\n`);
  return readFileSync(path, "utf8").trimEnd();
}

const frameLine = (frame: Frame): string => {
  const bytes = encodeFrame(frame);
  return spaced(
    bytes.subarray(0, 1),
    bytes.subarray(1, 5),
    bytes.subarray(5, 13),
    bytes.subarray(13, 17),
    frame.payload,
  );
};

const READERS: { [K in keyof typeof FRAMES]: (payload: Uint8Array) => unknown } = {
  call: (payload) => JSON.parse(Buffer.from(payload).toString()),
  answer: (payload) => JSON.parse(Buffer.from(payload).toString()),
  write: decodeInput,
  output: decodeJournalEnd,
  exit: (payload) => JSON.parse(Buffer.from(payload).toString()),
  ack: decodeReply,
  refused: decodeReply,
};

for (const name of Object.keys(FRAMES) as (keyof typeof FRAMES)[]) {
  test(`contract: the frame ${name}, out and in`, () => {
    const { frame, value } = FRAMES[name];
    const text = golden(`frame-${name}.hex`, frameLine(frame));
    assert.equal(frameLine(frame), text, FROZEN);
    const [read, ...more] = new FrameSplitter().push(bytesOf(text));
    assert.ok(read && more.length === 0);
    assert.deepEqual([read.type, read.channel, read.offset], [frame.type, frame.channel, frame.offset], FROZEN);
    assert.deepEqual(READERS[name](read.payload), value, FROZEN);
  });
}

for (const name of Object.keys(CALLS) as (keyof typeof CALLS)[]) {
  test(`contract: the call ${name} and its answer`, () => {
    const { request, reply } = CALLS[name];
    const answer = { ok: true, data: reply };
    const now = `${JSON.stringify(request)}\n${JSON.stringify(answer)}`;
    const text = golden(`call-${name}.jsonl`, now);
    assert.equal(now, text, FROZEN);
    assert.deepEqual(
      text.split("\n").map((line) => JSON.parse(line)),
      [request, answer],
      FROZEN,
    );
  });
}

for (const name of Object.keys(RECORDS) as (keyof typeof RECORDS)[]) {
  test(`contract: the record ${name}, out and in`, () => {
    const record = RECORDS[name];
    const header = encodeRecordHeader(record);
    const now = spaced(
      header.subarray(0, 1),
      header.subarray(1, 7),
      header.subarray(7, 15),
      header.subarray(15, 19),
      header.subarray(19),
      record.bytes,
    );
    const text = golden(`record-${name}.hex`, now);
    assert.equal(now, text, FROZEN);
    const bytes = bytesOf(text);
    assert.deepEqual(decodeRecord(bytes, 0), { record, end: bytes.length }, FROZEN);
  });
}

test("contract: the words of the control line, and its number", () => {
  const words: string[] = Object.values(CONTROL).sort();
  const released = golden("control.txt", words.join("\n")).split("\n");
  assert.deepEqual(
    released.filter((word) => !words.includes(word)),
    [],
    FROZEN,
  );
  assert.deepEqual(
    words,
    released,
    "A new word gets a line in control.txt; generations and keepers pass over unknown ones.",
  );
  assert.equal(KEEPER_CONTRACT, 1, FROZEN);
});

test("contract: each golden file has an example that is compared with it", () => {
  const known = [
    ...Object.keys(FRAMES).map((name) => `frame-${name}.hex`),
    ...Object.keys(CALLS).map((name) => `call-${name}.jsonl`),
    ...Object.keys(RECORDS).map((name) => `record-${name}.hex`),
    "control.txt",
  ];
  assert.deepEqual(readdirSync(GOLDEN).sort(), known.sort(), FROZEN);
  const kinds = Object.values(FRAMES).map(({ frame }) => frame.type);
  assert.deepEqual(kinds.sort(), Object.values(FRAME).sort(), "each example is of the kind that its name says");
});

test("contract: frames and records of later kinds are passed on whole, and what follows them is read", () => {
  const later: Frame = { type: 99, channel: 7, offset: 1n, payload: Buffer.from("later") };
  const stream = Buffer.concat([encodeFrame(later), encodeFrame(FRAMES.ack.frame)]);
  assert.deepEqual(
    new FrameSplitter().push(stream).map(({ type }) => type),
    [99, FRAME.ack],
  );
  const record = { ...RECORDS.output, kind: 99 };
  const bytes = Buffer.concat([encodeRecordHeader(record), record.bytes]);
  const decoded = decodeRecord(bytes, 0);
  assert.ok(typeof decoded === "object" && decoded.record.kind === 99 && decoded.end === bytes.length);
  assert.equal(Object.values<number>(RECORD).includes(99), false);
});

test("contract: what later builds add behind a doorbell or to a refusal is passed over", () => {
  const more = Buffer.concat([FRAMES.output.frame.payload, Buffer.from("later")]);
  assert.deepEqual(decodeJournalEnd(more), FRAMES.output.value);
  const refusal = { code: "STALE_EPOCH", error: "No.", later: 1 };
  const payload = Buffer.concat([Buffer.from("0123456789abcdef", "hex"), Buffer.from(JSON.stringify(refusal))]);
  assert.equal(decodeReply(payload).refusal?.code, "STALE_EPOCH");
});
