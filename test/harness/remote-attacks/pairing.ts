import assert from "node:assert/strict";
import { decodeFrame, encodeFrame, type Frame } from "../../../src/sealing/frames.ts";
import type { Attack } from "./attack.ts";
import { changed, pairing, type Table } from "./table.ts";

/** The hub changes frames between guest and machine; nobody joins, and nobody is asked. */
const meddling = (
  name: string,
  how: string,
  change: (frame: Frame, to: "hub" | "member", table: Table) => Frame[] | undefined,
): Attack =>
  pairing("hub", name, how, async (table) => {
    table.isYes = true;
    table.world.network.meddle = (bytes, { to }) => change(decodeFrame(bytes), to, table)?.map(encodeFrame) ?? [bytes];
    assert.notEqual(await table.joins(table.owner), "joined");
    table.world.network.heal();
  });

/** By whoever has seen the code, and by the hub through which it goes. */
export const PAIRING_ATTACKS: readonly Attack[] = [
  pairing(
    "QR observer",
    "after it was used",
    "Has photographed a code, and comes when its owner has joined.",
    async (table) => {
      table.isYes = true;
      assert.equal(await table.joins(table.owner), "joined");
      assert.equal(await table.joins(table.thief), "PAIRING_GONE");
    },
    1,
  ),
  pairing(
    "QR observer",
    "first",
    "Is quicker than the owner; the person compares the check, and says no.",
    async (table) => {
      const thief = table.joins(table.thief);
      assert.equal(await thief, "PAIRING_REFUSED");
      assert.equal(table.checks.get(table.thief.name)?.length, 7);
      assert.equal(await table.joins(table.owner), "PAIRING_GONE", "the code is used: the person makes another");
    },
  ),
  pairing(
    "QR observer",
    "at the same moment",
    "Comes together with the owner: one of them is shown, with the check of that one.",
    async (table) => {
      table.isYes = true;
      const results = await Promise.all([table.joins(table.owner), table.joins(table.thief)]);
      assert.deepEqual(results.toSorted(), ["PAIRING_GONE", "joined"]);
      assert.equal(table.checks.size, 1);
    },
    1,
  ),
  pairing(
    "QR observer",
    "two checks that are equal",
    "Hopes that two handshakes by one code show the same check.",
    async (table) => {
      await table.joins(table.thief);
      await table.show();
      await table.joins(table.owner);
      assert.notEqual(table.checks.get(table.thief.name), table.checks.get(table.owner.name));
    },
  ),
  pairing(
    "QR observer",
    "too late",
    "Comes with a photographed code after two minutes, by a clock that was put back.",
    async (table) => {
      await table.world.time.runUntil(table.world.time.nowMs + 121_000);
      table.isYes = true;
      assert.equal(await table.joins(table.thief), "CODE_EXPIRED");
      table.thief.wall.offsetMs = -120_000;
      assert.equal(await table.joins(table.thief), "PAIRING_GONE");
    },
  ),
  pairing(
    "QR observer",
    "a code that was taken back",
    "Comes when the person has ended the pairing.",
    async (table) => {
      table.remote.cancel(table.pairing);
      assert.equal(await table.joins(table.thief), "PAIRING_GONE");
    },
  ),
  meddling(
    "another login key",
    "Tells the machine that the guest has another login key, to have that one let in.",
    (frame) => (frame.kind === "met" ? [{ ...frame, loginKey: changed(frame.loginKey) }] : undefined),
  ),
  meddling("messages twice", "Passes each message of a pairing on twice.", (frame, to) =>
    frame.kind === "data" && to === "member" ? [frame, frame] : undefined,
  ),
  meddling("change the machine's words", "Changes a bit of all that the machine says.", (frame, to) =>
    frame.kind === "data" && to === "hub"
      ? [{ ...frame, bytes: changed(frame.bytes, frame.bytes.length - 1) }]
      : undefined,
  ),
  meddling("be the guest", "Meets at the rendezvous itself, and says anything.", (frame, to, { world }) =>
    frame.kind === "data" && to === "member"
      ? [{ ...frame, bytes: world.crypto.random(frame.bytes.length) }]
      : undefined,
  ),
  pairing(
    "hub",
    "a yes for the machine's no",
    "Says for the machine that the device has joined, while its person says no.",
    async (table) => {
      let count = 0;
      table.world.network.meddle = (bytes, { to, member }) => {
        const frame = decodeFrame(bytes);
        if (frame.kind !== "data" || to !== "member" || member !== table.owner.name || ++count < 3) return [bytes];
        return [encodeFrame({ ...frame, bytes: changed(frame.bytes, 0) })];
      };
      assert.equal(await table.joins(table.owner), "PAIRING_BROKEN");
    },
  ),
  pairing(
    "hub",
    "a guest who is nobody",
    "Takes the rendezvous with a guest who says nothing; after ten seconds the code stands again.",
    async (table) => {
      const { world } = table;
      world.network.meddle = (bytes, { to }) => (decodeFrame(bytes).kind === "data" && to === "member" ? [] : [bytes]);
      assert.equal(await table.joins(table.thief), "PAIRING_GONE");
      world.network.heal();
      await world.time.runUntil(world.time.nowMs + 11_000);
      table.isYes = true;
      assert.equal(await table.joins(table.owner), "joined");
    },
    1,
  ),
];
