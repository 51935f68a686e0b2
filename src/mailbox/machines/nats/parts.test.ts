import assert from "node:assert/strict";
import { test } from "node:test";
import { headers } from "@nats-io/nats-core";
import { Assembly, PAYLOAD_BYTES_MIN, partsOf } from "./parts.ts";

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
  const add = (part: (typeof parts)[number]) =>
    assembly.add("desk", part.bytes, part.headers, () => {
      acked += 1;
    });
  const [first, ...rest] = parts.toReversed();
  for (const part of rest) assert.equal(add(part), undefined);
  assert.equal(add(rest[0]!), undefined, "a part that comes again is no other part");
  const whole = add(first!);
  assert.deepEqual(Buffer.from(whole!.bytes), Buffer.from(large));
  assert.equal(acked, 0);
  whole!.ack();
  assert.equal(acked, parts.length + 1);
});

test("parts: what is never whole is given up for others, and nonsense is dropped", () => {
  const assembly = new Assembly();
  let dropped = 0;
  const drop = (): void => {
    dropped += 1;
  };
  for (let count = 0; count < 40; count++) {
    const [part] = partsOf(packet(PAYLOAD_BYTES_MIN * 2), `p${count}`, PAYLOAD_BYTES_MIN);
    assert.equal(assembly.add("desk", part!.bytes, part!.headers, drop), undefined);
  }
  assert.equal(dropped, 24);
  for (const place of ["0/2", "3/2", "1/100000", "x", ""]) {
    const head = headers();
    head.set("Warren-Packet", "x");
    head.set("Warren-Part", place);
    assert.equal(assembly.add("desk", packet(1), head, drop), undefined);
  }
  assert.equal(dropped, 29);
});
