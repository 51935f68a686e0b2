import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as z from "zod/mini";
import { MUTATING, PROTOCOL } from "../src/protocol/envelope.ts";
import * as gatewayUnits from "../src/protocol/gateway-units.ts";
import { KEEPER_CONTRACT } from "../src/protocol/keeper-calls.ts";
import { encodeFrame, FRAME, FrameSplitter } from "../src/protocol/keeper-frames.ts";
import { messages } from "../src/protocol/messages.ts";
import * as units from "../src/protocol/units.ts";

/**
 * Two builds talk to each other, so the shapes of messages are a contract. `src/protocol/schema-history.json` holds, for each protocol version, the
 * hash of what that version says.
 */
const HISTORY = join(import.meta.dirname, "..", "src", "protocol", "schema-history.json");

const sha = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
const schemaOf = (schema: z.core.$ZodType): unknown => z.toJSONSchema(schema, { unrepresentable: "any" });

test("protocol: the schemas are those of the version's history", () => {
  const table = Object.entries(messages).map(([type, { scope, payload, data }]) => ({
    type,
    scope,
    mutating: MUTATING.has(type),
    payload: schemaOf(payload),
    data: schemaOf(data),
  }));
  const shapes = Object.entries({ ...units, ...gatewayUnits })
    .filter(([, value]) => "_zod" in value)
    .map(([name, schema]) => ({ name, schema: schemaOf(schema as z.core.$ZodType) }));
  assert.ok(table.length > 25 && shapes.length > 8, "the schemas were found");
  const hash = sha({ table, shapes });
  const known = JSON.parse(readFileSync(HISTORY, "utf8"))[PROTOCOL.max];
  assert.equal(
    hash,
    known,
    `The messages of protocol ${PROTOCOL.max} have changed. Fields that were added and may be absent: put "${PROTOCOL.max}": "${hash}" into src/protocol/schema-history.json. ` +
      "Anything else (a field gone, renamed, of another type, or now required) breaks an older client: raise PROTOCOL.max in src/protocol/envelope.ts and add a line.",
  );
});

test("protocol: every message has a scope", () => {
  const scopes = new Set(["view", "type", "approve", "admin"]);
  for (const [type, { scope }] of Object.entries(messages)) assert.ok(scopes.has(scope), `${type} needs ${scope}`);
});

test("protocol: what changes something needs more than the scope view", () => {
  for (const type of MUTATING) {
    assert.ok(Object.hasOwn(messages, type), `${type} is a message`);
    assert.notEqual(messages[type as keyof typeof messages].scope, "view", type);
  }
});

/** Frames as they were released, in hex. They are added to, never changed: a keeper of last year serves servers of today. */
const GOLDEN: Record<number, { name: string; frame: Parameters<typeof encodeFrame>[0]; hex: string }[]> = {
  1: [
    {
      name: "call hello",
      frame: { type: FRAME.call, channel: 0, offset: 1n, payload: Buffer.from('{"call":"hello"}') },
      hex: "01000000000000000000000001000000107b2263616c6c223a2268656c6c6f227d",
    },
    {
      name: "answer",
      frame: { type: FRAME.answer, channel: 0, offset: 1n, payload: Buffer.from('{"ok":true}') },
      hex: "020000000000000000000000010000000b7b226f6b223a747275657d",
    },
    {
      name: "write, channel 7, offset 2^40",
      frame: { type: FRAME.write, channel: 7, offset: 2n ** 40n, payload: Buffer.from("ls\n") },
      hex: "03000000070000010000000000000000036c730a",
    },
    {
      name: "output",
      frame: { type: FRAME.output, channel: 0xffffffff, offset: 0n, payload: Buffer.from([0, 255]) },
      hex: "04ffffffff00000000000000000000000200ff",
    },
    {
      name: "exit",
      frame: { type: FRAME.exit, channel: 1, offset: 2n ** 64n - 1n, payload: Buffer.alloc(0) },
      hex: "0500000001ffffffffffffffff00000000",
    },
  ],
};

test("keeper: golden frames of every released contract are written and read as ever", () => {
  assert.ok(GOLDEN[KEEPER_CONTRACT], `contract ${KEEPER_CONTRACT} has golden frames`);
  for (const { name, frame, hex } of Object.values(GOLDEN).flat()) {
    assert.equal(Buffer.from(encodeFrame(frame)).toString("hex"), hex, name);
    const bytes = Buffer.from(hex, "hex");
    const splitter = new FrameSplitter();
    const read = [...bytes].flatMap((_, at) => splitter.push(bytes.subarray(at, at + 1)));
    assert.equal(read.length, 1, name);
    assert.deepEqual(
      { ...read[0]!, payload: Buffer.from(read[0]!.payload).toString("hex") },
      { ...frame, payload: Buffer.from(frame.payload).toString("hex") },
    );
  }
});
