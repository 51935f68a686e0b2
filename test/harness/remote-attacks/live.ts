import assert from "node:assert/strict";
import { encodeFrame, type Frame } from "../../../src/sealing/frames.ts";
import { livePrologue } from "../../../src/sealing/live.ts";
import { Handshake } from "../../../src/sealing/noise/handshake.ts";
import type { Attack } from "./attack.ts";
import { flipped, live, type Steered } from "./steered.ts";

const isData = (frame: Frame): frame is Frame & { kind: "data" } => frame.kind === "data";

/** While the hub does this to the frames of a session, asks; what is done is not more than what was asked. */
async function meddles(
  steered: Steered,
  to: "machine" | "device",
  change: (data: Frame & { kind: "data" }, count: number) => Frame[],
): Promise<void> {
  let count = 0;
  const members = to === "machine" ? [steered.machine.name] : steered.world.devices.map(({ name }) => name);
  steered.change = (frame, about) =>
    isData(frame) && about.to === "member" && members.includes(about.member) ? change(frame, ++count) : undefined;
  for (let asked = 0; asked < 3; asked++) await steered.ask();
  await steered.pass();
  assert.ok(count > 0, "there was something to meddle with");
  assert.equal(new Set(steered.done).size, steered.done.length, "nothing twice");
}

/** The hub speaks to the machine as if a device had opened a channel; what the machine answers there. */
async function opens(steered: Steered, hub: string, loginKey: Uint8Array, ...messages: Uint8Array[]): Promise<Frame[]> {
  const channel = 4_000_000;
  const frames: Frame[] = [
    { kind: "opened", channel, loginKey },
    ...messages.map((bytes) => ({ kind: "data", channel, bytes }) as const),
  ];
  steered.heard.length = 0;
  for (const frame of frames) {
    steered.world.network.say(steered.machine.name, hub, encodeFrame(frame));
    await steered.pass(100);
  }
  await steered.pass(1_000);
  return steered.heard.flatMap(({ frame, to }) =>
    to === "hub" && "channel" in frame && frame.channel === channel ? [frame] : [],
  );
}

function isRefused(answers: readonly Frame[]): void {
  assert.deepEqual(
    answers.map((frame) => (frame.kind === "data" ? [...frame.bytes] : frame.kind)),
    [[0], "close"],
    "one zero byte, whatever the reason",
  );
}

/** The messages of a device's session, as the hub has seen them pass. */
async function recorded(steered: Steered, device = 0): Promise<{ hub: string; messages: Uint8Array[] }> {
  steered.world.network.cut();
  steered.heard.length = 0;
  await steered.ask(device);
  await steered.pass(30_000);
  const { name } = steered.world.devices[device]!;
  const messages = steered.heard.flatMap(({ frame, member, to }) =>
    member === name && to === "hub" && isData(frame) ? [frame.bytes] : [],
  );
  assert.ok(messages.length >= 3);
  return { hub: steered.hubOf(device), messages };
}

export const LIVE_ATTACKS: readonly Attack[] = [
  live("frames twice, to the machine", "Passes each message of a device on twice.", (steered) =>
    meddles(steered, "machine", (frame) => [frame, frame]),
  ),
  live("frames twice, to the device", "Passes each answer of the machine on twice.", (steered) =>
    meddles(steered, "device", (frame) => [frame, frame]),
  ),
  live("drop every second, to the machine", "Drops every second message of a device.", (steered) =>
    meddles(steered, "machine", (frame, count) => (count % 2 ? [frame] : [])),
  ),
  live("drop every second, to the device", "Drops every second answer.", (steered) =>
    meddles(steered, "device", (frame, count) => (count % 2 ? [frame] : [])),
  ),
  live("change a bit, to the machine", "Changes one bit of each message.", (steered) =>
    meddles(steered, "machine", (frame, count) => [{ ...frame, bytes: flipped(frame.bytes, count * 7) }]),
  ),
  live("change a bit, to the device", "Changes one bit of each answer.", (steered) =>
    meddles(steered, "device", (frame, count) => [{ ...frame, bytes: flipped(frame.bytes, count * 7) }]),
  ),
  live("swap two messages", "Passes messages on in another order.", (steered) => {
    let held: Frame | undefined;
    return meddles(steered, "machine", (frame, count) => {
      if (count % 3 === 2) {
        held = frame;
        return [];
      }
      const both = held ? [frame, held] : [frame];
      held = undefined;
      return both;
    });
  }),
  live("cut messages", "Cuts the last byte off each message.", (steered) =>
    meddles(steered, "machine", (frame) => [{ ...frame, bytes: frame.bytes.slice(0, -1) }]),
  ),
  live(
    "swap two devices' channels",
    "Gives the machine the messages of each device in the other's channel.",
    async (steered) => {
      const channels: number[] = [];
      steered.change = (frame, { to, member }) => {
        if (member !== steered.machine.name || to !== "member" || !("channel" in frame)) return undefined;
        if (frame.kind === "opened") channels.push(frame.channel);
        const other = channels.at(-1) === frame.channel ? channels.at(-2) : channels.at(-1);
        return isData(frame) && other !== undefined ? [{ ...frame, channel: other }] : undefined;
      };
      steered.world.network.cut();
      await steered.pass(5_000);
      for (const device of [0, 1, 0, 1]) await steered.ask(device);
      await steered.pass();
      for (const { by, number } of steered.machine.effects)
        if (number > 2) assert.equal(by, `device${(number - 3) % 2}`);
    },
  ),
  live("name another device", "Tells the machine that a device's channel is another's.", async (steered) => {
    const logins = new Map<string, Uint8Array>();
    for (const { name } of steered.world.hubs) logins.set(name, await steered.loginOf(1, name));
    const [hub] = [steered.hubOf()];
    const { messages } = await recorded(steered);
    isRefused(await opens(steered, hub, logins.get(hub)!, messages[0]!));
  }),
  live(
    "a whole session again",
    "Says everything again that a device has said in an earlier session.",
    async (steered) => {
      const { hub, messages } = await recorded(steered);
      const before = steered.done;
      const answers = await opens(steered, hub, await steered.loginOf(0, hub), ...messages);
      assert.deepEqual(steered.done, before, "the handshake's answer is fresh: what follows does not open");
      assert.equal(answers.at(-1)?.kind, "close");
    },
  ),
  live(
    "a session for the other hub",
    "Hub B gives the machine what a device has said at hub A.",
    async (steered) => {
      const { hub, messages } = await recorded(steered);
      const other = steered.world.hubs.find(({ name }) => name !== hub)!.name;
      isRefused(await opens(steered, other, await steered.loginOf(0, other), ...messages));
    },
    "hub B",
  ),
  live("be a device", "Opens a channel itself, with a key of its own.", async (steered) => {
    const { crypto } = steered.world;
    const hub = steered.hubOf();
    const loginKey = await steered.loginOf(0, hub);
    const { machine } = steered.world.devices[0]!.coordinator!.machines()[0]!;
    const [entry] = (await steered.world.devices[0]!.store.hubs()).filter(({ label }) => label === hub);
    const prologue = livePrologue({
      hub: Buffer.from(entry!.fingerprint, "hex"),
      space: machine.spaces[entry!.fingerprint]!,
      loginKey,
    });
    const own = await crypto.newExchangeKey();
    const options = { pattern: "IK", isInitiator: true, prologue, own, theirs: machine.exchangeKey } as const;
    const handshake = await steered.world.finish(Handshake.start(crypto, options));
    isRefused(await opens(steered, hub, loginKey, await steered.world.finish(handshake.write(new Uint8Array(0)))));
  }),
  live("garbage for a handshake", "Opens a channel, and says anything.", async (steered) => {
    const hub = steered.hubOf();
    for (const length of [0, 1, 32, 96, 500])
      isRefused(await opens(steered, hub, await steered.loginOf(0, hub), steered.world.crypto.random(length)));
  }),
  live("open and say nothing", "Opens a channel, and lets the machine wait.", async (steered) => {
    const hub = steered.hubOf();
    steered.heard.length = 0;
    await opens(steered, hub, await steered.loginOf(0, hub));
    await steered.pass(10_000);
    isRefused(
      steered.heard.flatMap(({ frame, to, member }) =>
        to === "hub" && member === steered.machine.name && "channel" in frame && frame.channel === 4_000_000
          ? [frame]
          : [],
      ),
    );
  }),
  live("be the machine", "Answers a device's handshake itself.", async (steered) => {
    steered.change = (frame, { to, member }) =>
      isData(frame) && to === "member" && member !== steered.machine.name
        ? [{ ...frame, bytes: steered.world.crypto.random(frame.bytes.length) }]
        : undefined;
    steered.world.network.cut();
    await steered.pass(5_000);
    const number = await steered.ask();
    await steered.pass();
    assert.deepEqual([steered.done.includes(number), steered.statesOf().includes("failed")], [false, false]);
  }),
  live("say no for the machine", "Answers each handshake with the machine's refusal.", async (steered) => {
    steered.change = (frame, { to, member }) =>
      isData(frame) && to === "member" && member !== steered.machine.name
        ? [{ ...frame, bytes: Uint8Array.of(0) }]
        : undefined;
    steered.world.network.cut();
    await steered.pass(5_000);
    const number = await steered.ask();
    await steered.pass();
    assert.equal(steered.statesOf().includes("failed"), false, "its word is no more than a hub's");
    steered.change = () => undefined;
    await steered.pass();
    assert.ok(steered.done.includes(number), "tried again, though nothing else has happened");
  }),
  live("claim that the machine is there", "Tells of a machine that is off that it has come.", async (steered) => {
    steered.machine.crash();
    steered.change = (frame) => (frame.kind === "presence" ? [{ ...frame, isPresent: true }] : undefined);
    steered.world.network.cut();
    await steered.pass(5_000);
    const number = await steered.ask();
    await steered.pass();
    assert.equal(steered.done.includes(number), false);
    assert.equal(steered.world.devices[0]!.coordinator!.machines()[0]!.liveHub, undefined);
    await steered.world.finish(steered.machine.start());
  }),
  live("claim that the machine is gone", "Tells of a machine that is there that it has gone.", async (steered) => {
    steered.change = (frame, { member }) =>
      frame.kind === "presence" && member === "device0" ? [{ ...frame, isPresent: false }] : undefined;
    steered.world.network.cut();
    await steered.pass(5_000);
    await steered.ask();
    await steered.pass();
    assert.equal(steered.statesOf().includes("failed"), false, "it waits");
  }),
];
