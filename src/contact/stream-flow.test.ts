import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type LiveFrame, STREAM_CREDIT_BYTES, STREAM_DATA_BYTES_MAX } from "../sealing/live.ts";
import { StreamFlow } from "./stream-flow.ts";
import { type StreamEnd, StreamSet } from "./stream-set.ts";

const bytesOf = (from: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (from + at) % 251);

test("stream: whatever is written and read when, all bytes come in order, and at most the credit is on the way", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("write" as const), bytes: fc.integer({ min: 0, max: 100_000 }) }),
    fc.record({ kind: fc.constant("send" as const), bytes: fc.constant(0) }),
    fc.record({ kind: fc.constant("read" as const), bytes: fc.integer({ min: 1, max: 150_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const [near, far] = [new StreamFlow(1, () => {}), new StreamFlow(1, () => {})];
      let [written, came, read] = [0, 0, 0];
      const move = (): void => {
        for (let frame = near.take(); frame; frame = near.take()) {
          if (frame.kind !== "data") continue;
          assert.ok(frame.bytes.length <= STREAM_DATA_BYTES_MAX);
          assert.deepEqual(frame.bytes, bytesOf(came, frame.bytes.length));
          came += frame.bytes.length;
          assert.ok(far.came(frame.bytes.length), "within the credit");
          assert.ok(came - read <= STREAM_CREDIT_BYTES);
        }
        for (let frame = far.take(); frame; frame = far.take()) if (frame.kind === "credit") near.credited(frame.bytes);
      };
      const take = (bytes: number): void => {
        const length = Math.min(bytes, came - read);
        read += length;
        if (length > 0) far.done(length);
      };
      for (const { kind, bytes } of steps) {
        if (kind === "send") move();
        else if (kind === "read") take(bytes);
        else {
          near.send(bytesOf(written, bytes));
          written += bytes;
        }
      }
      while (read < written) {
        move();
        take(STREAM_CREDIT_BYTES);
      }
      assert.deepEqual([came, near.waitingBytes], [written, 0]);
    }),
    { numRuns: 100 },
  );
});

test("stream: what came beyond the credit is found out; credit is never more than the whole", () => {
  const flow = new StreamFlow(1, () => {});
  assert.deepEqual([flow.came(STREAM_CREDIT_BYTES), flow.came(1)], [true, false]);
  flow.credited(0xffff_ffff);
  flow.send(new Uint8Array(2 * STREAM_CREDIT_BYTES));
  let sent = 0;
  for (let frame = flow.take(); frame; frame = flow.take()) if (frame.kind === "data") sent += frame.bytes.length;
  assert.equal(sent, STREAM_CREDIT_BYTES);
});

/** Says its number as often as it is told to. */
class Talker implements StreamEnd {
  readonly closings: (string | undefined)[] = [];
  isOver = false;
  left: number;
  readonly #stream: number;

  constructor(stream: number, left: number) {
    this.#stream = stream;
    this.left = left;
  }

  take(): LiveFrame | undefined {
    if (this.isOver) return undefined;
    if (this.left-- > 0) return { kind: "credit", stream: this.#stream, bytes: 1 };
    this.isOver = true;
    return { kind: "close", stream: this.#stream, code: "", sentence: "" };
  }
  hear = (): boolean => false;
  credited(): void {}
  closed(why: { code: string } | undefined): void {
    this.closings.push(why?.code);
  }
}

test("streams: they take turns; one that is over, or was closed by the other end, is none any more", () => {
  const set = new StreamSet<Talker>();
  const made: Talker[] = [];
  for (const left of [3, 1, 2])
    set.open((stream) => {
      const end = new Talker(stream, left);
      made.push(end);
      return end;
    });
  const said: string[] = [];
  for (let frame = set.take(); frame && said.length < 6; frame = set.take())
    said.push(`${frame.kind} ${"stream" in frame && frame.stream}`);
  assert.deepEqual(said, ["credit 1", "credit 2", "credit 3", "credit 1", "close 2", "credit 3"]);
  assert.equal(set.size, 2);
  assert.equal(set.hear({ kind: "data", stream: 2, bytes: new Uint8Array(1) }), true, "it has just been closed here");
  assert.equal(set.hear({ kind: "data", stream: 1, bytes: new Uint8Array(1) }), false, "it breaks its credit");
  set.hear({ kind: "close", stream: 3, code: "GONE", sentence: "" });
  set.end();
  assert.deepEqual([made.map(({ closings }) => closings), set.size], [[[undefined], [], ["GONE"]], 0]);
});
