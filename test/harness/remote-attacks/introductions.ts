import assert from "node:assert/strict";
import { decodeFrame, encodeFrame, type Frame } from "../../../src/sealing/frames.ts";
import type { Attack } from "./attack.ts";
import { introduction, outcomeOf, type Salon } from "./introduced.ts";
import { changed } from "./table.ts";

/** The hub changes frames while a device is introduced; nobody joins, whatever the person says. */
const meddling = (
  name: string,
  how: string,
  change: (frame: Frame, about: { to: "hub" | "member"; member: string }, salon: Salon) => Frame[] | undefined,
): Attack =>
  introduction("hub", name, how, async (salon) => {
    salon.isYes = true;
    const code = await salon.show();
    salon.world.network.meddle = (bytes, about) =>
      change(decodeFrame(bytes), about, salon)?.map(encodeFrame) ?? [bytes];
    assert.notEqual(await salon.joins(salon.fresh, code), "joined");
    salon.world.network.heal();
    salon.introducing.cancel();
    assert.equal(typeof (await salon.ended()), "string", "nobody was introduced");
  });

/** By whoever sees the code, by the hub, and by the device that introduces itself. */
export const INTRODUCTION_ATTACKS: readonly Attack[] = [
  introduction(
    "QR observer",
    "after it was used",
    "Has photographed the code that a device shows, and comes when its owner has joined.",
    async (salon) => {
      salon.isYes = true;
      const code = await salon.show();
      assert.equal(await salon.joins(salon.fresh, code), "joined");
      assert.equal(salon.shown, salon.checks.get(salon.fresh.name), "one check at both ends");
      assert.equal(await salon.joins(salon.thief, code), "PAIRING_GONE");
    },
    [2, 2],
  ),
  introduction(
    "QR observer",
    "first",
    "Is quicker than the owner; the person compares the check, and says no: no machine hears of it.",
    async (salon) => {
      const code = await salon.show();
      assert.equal(await salon.joins(salon.thief, code), "PAIRING_REFUSED");
      assert.equal(await salon.ended(), "INTRODUCING_REFUSED");
      assert.equal(await salon.joins(salon.fresh, code), "PAIRING_GONE");
      assert.deepEqual([salon.checks.size, salon.shown], [1, salon.checks.get(salon.thief.name)]);
    },
  ),
  introduction("QR observer", "too late", "Comes after two minutes, by a clock that was put back.", async (salon) => {
    salon.isYes = true;
    const code = await salon.show();
    await salon.world.time.runUntil(salon.world.time.nowMs + 121_000);
    assert.equal(await salon.ended(), "INTRODUCING_EXPIRED");
    assert.equal(await salon.joins(salon.thief, code), "CODE_EXPIRED");
    salon.thief.wall.offsetMs = -130_000;
    assert.equal(await salon.joins(salon.thief, code), "PAIRING_GONE");
  }),
  meddling("swap the new device's login key", "Tells the other end that the guest has another login key.", (frame) =>
    frame.kind === "met" ? [{ ...frame, loginKey: changed(frame.loginKey) }] : undefined,
  ),
  meddling(
    "swap the new device's keys",
    "Changes all that the new device says of itself.",
    (frame, about, { fresh }) =>
      frame.kind === "data" && about.to === "hub" && about.member === fresh.name
        ? [{ ...frame, bytes: changed(frame.bytes, frame.bytes.length >> 1) }]
        : undefined,
  ),
  meddling("swap the machines", "Changes what the new device is told of its machines.", (frame, about, { fresh }) =>
    frame.kind === "data" && about.to === "member" && about.member === fresh.name
      ? [{ ...frame, bytes: changed(frame.bytes, frame.bytes.length >> 1) }]
      : undefined,
  ),
  meddling("swap the machines' keys", "Changes all that the machines answer.", (frame, about, { world }) =>
    frame.kind === "data" && about.to === "hub" && world.machines.some(({ name }) => name === about.member)
      ? [{ ...frame, bytes: changed(frame.bytes, frame.bytes.length >> 1) }]
      : undefined,
  ),
  introduction(
    "hub",
    "keep the machines' words back",
    "Lets everything through but the last word to the new device, so that machines let in who never hears so.",
    async (salon) => {
      salon.isYes = true;
      const code = await salon.show();
      salon.world.network.meddle = (bytes, { to, member }) => {
        const isLast = salon.checks.size > 0 && to === "member" && member === salon.fresh.name;
        return isLast && decodeFrame(bytes).kind === "data" ? [] : [bytes];
      };
      const joining = salon.joins(salon.fresh, code);
      assert.equal(await salon.ended(), "INTRODUCING_LEFT");
      salon.world.network.heal();
      assert.notEqual(await joining, "joined");
    },
  ),
  introduction(
    "hub",
    "the same introduction again",
    "Cuts the connection while a machine is asked, so that it is asked twice: it is one device, let in once.",
    async (salon) => {
      const wanted = await salon.made();
      const twice = await Promise.all([salon.asks(wanted), salon.asks(wanted)]);
      assert.deepEqual(twice, ["joined", "joined"]);
      assert.equal(await salon.asks({ ...wanted, name: "another" }), "INTRODUCTION_USED");
      await salon.world.finish(salon.remotes[0]!.endIntroduction(wanted.introduction, true));
      const before = salon.remotes[0]!.events.seq;
      assert.equal(await salon.asks({ ...wanted, introduction: "00".repeat(16) }), "joined", "it is in");
      assert.equal(salon.remotes[0]!.events.seq, before, "nothing was done");
    },
    [2, 1],
  ),
  introduction(
    "introducer",
    "keys that nobody has signed for",
    "Introduces somebody else's signing key with an exchange key and a login key of its own.",
    async (salon) => {
      const other = "ab".repeat(32);
      for (const key of ["exchange_key", "login_key", "signing_key", "handshake_hash"] as const)
        assert.equal(
          await salon.asks(await salon.made(["view"], (all) => ({ ...all, [key]: other }))),
          "INTRODUCTION_BROKEN",
        );
      const raised = await salon.made(["view"], (wanted) => ({ ...wanted, scopes: ["view", "type"] }));
      assert.equal(await salon.asks(raised), "INTRODUCTION_BROKEN", "other scopes than the new device has agreed to");
    },
  ),
  introduction(
    "introducer",
    "more than it has",
    "Has view, type and admin, and gives approve: no machine does that, and none lets in anybody without admin's word.",
    async (salon) => {
      assert.equal(await salon.asks(await salon.made(["view", "approve"])), "FORBIDDEN");
      salon.isYes = true;
      const code = await salon.show(["view", "approve"]);
      assert.equal(await salon.joins(salon.fresh, code), "PAIRING_REFUSED");
      assert.equal(await salon.ended(), "INTRODUCING_NOWHERE");
      for (const remote of salon.remotes)
        await salon.world.finish(remote.setScopes(salon.admin.name, ["view", "type"]));
      assert.equal(await salon.asks(await salon.made(["view"])), "INTRODUCER_REVOKED");
    },
  ),
  introduction(
    "introducer",
    "yes for the machine's person",
    "Says yes itself at a machine that was told to ask first, turns the asking off, and lets somebody in by a code instead.",
    async (salon) => {
      const [remote] = salon.remotes;
      await salon.world.finish(remote!.askFirst(true, undefined));
      const waiting = outcomeOf(remote!.introduce(await salon.made(), salon.admin.name, new AbortController().signal));
      await salon.world.time.runUntil(salon.world.time.nowMs + 1_000);
      const [one] = remote!.introductions().introductions;
      assert.equal(remote!.devices().length, 1, "it waits");
      assert.equal(
        await salon.world.finish(outcomeOf(remote!.allow(one!.introduction, salon.admin.name))),
        "HERE_ONLY",
      );
      assert.equal(await salon.world.finish(outcomeOf(remote!.askFirst(false, salon.admin.name))), "HERE_ONLY");
      assert.equal(await salon.world.finish(outcomeOf(remote!.confirm("any", salon.admin.name))), "ASKS_FIRST");
      assert.equal(await salon.world.finish(waiting), "INTRODUCTION_UNANSWERED");
    },
  ),
  introduction(
    "introducer",
    "revoked meanwhile",
    "Is revoked while a machine waits for its person, and after the machine has let somebody in that has not kept it.",
    async (salon) => {
      const [remote, other] = salon.remotes;
      await salon.world.finish(remote!.askFirst(true, undefined));
      const signal = new AbortController().signal;
      const wanted = await salon.made();
      const waiting = outcomeOf(remote!.introduce(wanted, salon.admin.name, signal));
      assert.equal(await salon.world.finish(outcomeOf(other!.introduce(wanted, salon.admin.name, signal))), "joined");
      for (const one of salon.remotes) await salon.world.finish(one.revoke(salon.admin.name));
      assert.equal(await salon.world.finish(waiting), "INTRODUCTION_OVER");
      assert.equal(
        await salon.world.finish(outcomeOf(remote!.allow(wanted.introduction, undefined))),
        "INTRODUCTION_NOT_FOUND",
      );
    },
    [0, 0],
  ),
  introduction(
    "introducer",
    "gone meanwhile",
    "Goes away when a machine has let somebody in, and before anybody has said that it was kept.",
    async (salon) => {
      const gone = new AbortController();
      assert.equal(await salon.asks(await salon.made(), gone), "joined");
      assert.equal(salon.remotes[0]!.devices().length, 2);
      gone.abort();
    },
  ),
  introduction(
    "introducer",
    "a machine of its own making",
    "Names machines, and gives the new device what none of them has signed: nothing of it is kept.",
    async (salon) => {
      salon.isYes = true;
      const code = await salon.show();
      // The machines' answers are another introduction's: signed by them, for other keys.
      for (const [index, { remote }] of salon.world.machines.entries()) {
        const introduce = remote!.introduce.bind(remote!);
        const other = await salon.made(["view", "type"]);
        remote!.introduce = (_wanted, by, signal) => introduce({ ...other, name: `ghost ${index}` }, by, signal);
      }
      assert.equal(await salon.joins(salon.fresh, code), "PAIRING_REFUSED");
      assert.equal(await salon.ended(), "INTRODUCING_NOWHERE");
    },
  ),
];
