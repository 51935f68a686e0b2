import assert from "node:assert/strict";
import { test } from "node:test";
import { WarrenError } from "../protocol/errors.ts";
import type { LiveFrame } from "../sealing/live.ts";
import { STREAM_CREDIT_BYTES } from "../sealing/live.ts";
import type { ConnectUnit, UnitWireEvents } from "./network.ts";
import { StreamBridge } from "./stream-bridge.ts";

/** A bridge to a server that does what the test says. */
async function bridged(connect?: ConnectUnit) {
  const written: Buffer[] = [];
  const taken: (() => void)[] = [];
  const told: string[] = [];
  let server!: UnitWireEvents;
  const toServer: ConnectUnit = async (_, events) => {
    server = events;
    return {
      write: (bytes, onTaken) => {
        written.push(Buffer.from(bytes));
        taken.push(onTaken);
      },
      pause: () => void told.push("pause"),
      resume: () => void told.push("resume"),
      close: () => void told.push("close"),
    };
  };
  const greeting = { scopes: ["view"] as const, by: "phone" };
  const bridge = new StreamBridge({ stream: 3, target: "fox", greeting, connect: connect ?? toServer, onMore() {} });
  await new Promise((resolve) => setImmediate(resolve));
  const says = (text: string): void => server.onBytes(Buffer.from(text));
  const frames = (): LiveFrame[] => {
    const found: LiveFrame[] = [];
    for (let frame = bridge.take(); frame; frame = bridge.take()) found.push(frame);
    return found;
  };
  return { bridge, written, taken, told, says, frames, ends: () => server.onClosed() };
}

const HELD = `${JSON.stringify({ success: true, data: { server: "blazing", scopes: ["view"] } })}\n`;
const closeOf = (code: string) => (frame: LiveFrame | undefined) => frame?.kind === "close" && frame.code === code;

test("bridge: nothing of the device reaches a server before that has said that it holds it to its scopes", async () => {
  const { bridge, written, says, frames } = await bridged();
  bridge.hear(Buffer.from('{"type":"nuke"}\n'));
  assert.equal(written.length, 1, "our greeting alone");
  assert.match(written[0]!.toString(), /"scopes":\["view"\],"by":"phone"/);
  says(`${HELD}first`);
  assert.equal(written[1]?.toString(), '{"type":"nuke"}\n');
  assert.deepEqual(
    frames().map((frame) => frame.kind === "data" && Buffer.from(frame.bytes).toString()),
    ["first"],
    "and the device does not hear the answer to it",
  );
});

test("bridge: a server that would let everything through hears nothing, and the device hears why", async () => {
  const { bridge, written, says, frames, told } = await bridged();
  bridge.hear(Buffer.from('{"type":"nuke"}\n'));
  says(`${JSON.stringify({ success: true, data: { server: "old" } })}\n`);
  assert.deepEqual(frames().map(closeOf("SERVER_CANNOT_LIMIT")), [true]);
  assert.deepEqual([written.length, told, bridge.isOver], [1, ["close"], true]);
});

test("bridge: no server, one that ends before its answer, one that ends after it", async () => {
  const refused = new WarrenError("NO_SERVER", "No server is running.");
  const nobody = await bridged(() => Promise.reject(refused));
  assert.deepEqual(nobody.frames().map(closeOf("NO_SERVER")), [true]);
  const early = await bridged();
  early.ends();
  assert.deepEqual(early.frames().map(closeOf("TARGET_GONE")), [true]);
  const later = await bridged();
  later.says(`${HELD}bye`);
  later.ends();
  assert.deepEqual(
    later.frames().map(({ kind }) => kind),
    ["data", "close"],
    "what it said first comes first",
  );
});

test("bridge: a slow server slows the device by its credit; a device that ignores credit is found out", async () => {
  const { bridge, taken, says, frames } = await bridged();
  says(HELD);
  for (let part = 0; part < 4; part++) assert.equal(bridge.hear(new Uint8Array(STREAM_CREDIT_BYTES / 4)), true);
  assert.deepEqual(frames(), [], "the server has taken nothing, so there is no credit");
  taken[1]!();
  assert.deepEqual(frames(), [{ kind: "credit", stream: 3, bytes: STREAM_CREDIT_BYTES / 4 }]);
  assert.equal(bridge.hear(new Uint8Array(STREAM_CREDIT_BYTES / 4)), true);
  assert.equal(bridge.hear(new Uint8Array(1)), false);
});

test("bridge: a slow device stops the server, which goes on when there is room", async () => {
  const { bridge, says, frames, told } = await bridged();
  says(HELD);
  says("x".repeat(STREAM_CREDIT_BYTES));
  says("y".repeat(STREAM_CREDIT_BYTES));
  assert.deepEqual(told, ["pause"]);
  const first = frames().reduce((sum, frame) => sum + (frame.kind === "data" ? frame.bytes.length : 0), 0);
  assert.equal(first, STREAM_CREDIT_BYTES);
  bridge.credited(STREAM_CREDIT_BYTES);
  frames();
  assert.deepEqual(told, ["pause", "resume"]);
});
