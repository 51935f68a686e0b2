import assert from "node:assert/strict";
import { test } from "node:test";
import { headers } from "@nats-io/nats-core";
import { HandClock } from "../../../platform/testing/hand-clock.ts";
import { Assembly, type Delivered, PAYLOAD_BYTES_MIN, partsOf } from "./parts.ts";

const packet = (bytes: number): Uint8Array => Buffer.from(Array.from({ length: bytes }, (_, at) => at % 251));

test("parts: a packet that fits goes as it is", () => {
  const [only, ...more] = partsOf(packet(1_000), "a", PAYLOAD_BYTES_MIN);
  assert.deepEqual([only?.bytes.length, only?.headers, only?.id, more.length], [1_000, undefined, "a", 0]);
});

test("parts: a large one is whole again whatever the order, with one confirmation for all", () => {
  const large = packet(PAYLOAD_BYTES_MIN * 3);
  const parts = partsOf(large, "a", PAYLOAD_BYTES_MIN);
  assert.ok(parts.length > 3 && parts.every(({ bytes }) => bytes.length < PAYLOAD_BYTES_MIN));
  assert.equal(new Set(parts.map(({ id }) => id)).size, parts.length);
  const assembly = new Assembly();
  let acked = 0;
  const ack = (): void => {
    acked += 1;
  };
  const add = ({ bytes, headers, id }: (typeof parts)[number]) =>
    assembly.add({ from: "desk", bytes, headers, seq: Number(id.split(".p")[1]), ack });
  const [first, ...rest] = parts.toReversed();
  for (const part of rest) assert.equal(add(part), undefined);
  assert.equal(add(rest[0]!), undefined, "a part that comes again is no other part");
  const whole = add(first!);
  assert.deepEqual(Buffer.from(whole!.bytes), Buffer.from(large));
  assert.equal(acked, 0);
  whole!.ack();
  assert.equal(acked, parts.length, "a part that came twice is one message of the server's");
});

test("parts: what is never whole is given up for others, and nonsense is dropped", () => {
  const assembly = new Assembly();
  let dropped = 0;
  const drop = (): void => {
    dropped += 1;
  };
  for (let count = 0; count < 40; count++) {
    const [part] = partsOf(packet(PAYLOAD_BYTES_MIN * 2), `p${count}`, PAYLOAD_BYTES_MIN);
    assert.equal(assembly.add({ from: "desk", ...part!, seq: count, ack: drop }), undefined);
  }
  assert.equal(dropped, 24);
  for (const place of ["0/2", "3/2", "1/100000", "x", ""]) {
    const head = headers();
    head.set("Warren-Packet", "x");
    head.set("Warren-Part", place);
    assert.equal(assembly.add({ from: "desk", bytes: packet(1), headers: head, seq: 100, ack: drop }), undefined);
  }
  assert.equal(dropped, 29);
});

test("parts: what is not whole in time is given up when something else comes, and confirmed once", () => {
  const clock = new HandClock();
  const assembly = new Assembly(clock);
  const acked: number[] = [];
  const add = (part: { bytes: Uint8Array; headers: Delivered["headers"] }, seq: number) =>
    assembly.add({ from: "desk", ...part, seq, ack: () => void acked.push(seq) });
  const [first, second] = partsOf(packet(PAYLOAD_BYTES_MIN * 2), "a", PAYLOAD_BYTES_MIN);
  const [small] = partsOf(packet(10), "b", PAYLOAD_BYTES_MIN);
  add(first!, 1);
  clock.leap(40_000);
  add(second!, 2);
  for (let redelivered = 0; redelivered < 3; redelivered++) {
    clock.leap(15_000);
    add(first!, 1);
    assert.deepEqual(acked, []);
  }
  clock.leap(15_000);
  assert.ok(add(small!, 3));
  assert.deepEqual(acked, [1, 2]);
});
