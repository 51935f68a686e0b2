import assert from "node:assert/strict";
import { test } from "node:test";
import type { Frame } from "../sealing/frames.ts";
import { CHANNEL_BYTES, Channel } from "./channel.ts";

function channelOf() {
  const sent: Frame[] = [];
  const told: string[] = [];
  const held = { total: 0 };
  const loginKey = new Uint8Array(32);
  const onGone = (): void => void told.push("gone");
  const channel = new Channel({ number: 7, loginKey, held, onGone, send: (frame) => void sent.push(frame) });
  channel.listen({
    onData: (bytes) => void told.push(`data ${bytes.length}`),
    onRoom: () => void told.push("room"),
    onClosed: (reason) => void told.push(`closed ${reason}`),
  });
  return { channel, sent, told, held };
}

test("channel: a hub that brings more than there was credit for loses it, and nothing of it stays in memory", () => {
  const { channel, told, held, sent } = channelOf();
  for (let part = 0; part < 4; part++) channel.hear(new Uint8Array(CHANNEL_BYTES / 4));
  assert.equal(held.total, CHANNEL_BYTES);
  channel.hear(new Uint8Array(1));
  assert.deepEqual(told.slice(-2), ["gone", "closed too_slow"]);
  assert.deepEqual([held.total, sent.at(-1)?.kind, channel.isClosed], [0, "close", true]);
  channel.hear(new Uint8Array(1));
  channel.take(1);
  assert.deepEqual([held.total, told.length], [0, 6]);
});

test("channel: credit is given for what is done with, in steps; room is what the other end has given, and no more", () => {
  const { channel, sent, told } = channelOf();
  channel.hear(new Uint8Array(CHANNEL_BYTES / 2));
  channel.take(CHANNEL_BYTES / 8);
  assert.deepEqual(sent, []);
  channel.take(CHANNEL_BYTES / 8);
  assert.deepEqual(sent, [{ kind: "credit", channel: 7, bytes: CHANNEL_BYTES / 4 }]);
  channel.send(new Uint8Array(1_000));
  assert.equal(channel.roomBytes, CHANNEL_BYTES - 1_000);
  channel.credited(0xffff_ffff);
  assert.deepEqual([channel.roomBytes, told.at(-1)], [CHANNEL_BYTES, "room"]);
});
