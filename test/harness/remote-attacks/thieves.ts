import assert from "node:assert/strict";
import { toHex } from "../../../src/sealing/bytes.ts";
import {
  APPROVAL_LIFE_MS_MAX,
  approvalProblem,
  REQUEST_LIFE_MS_MAX,
  type RemoteRequest,
  requestProblem,
  shownHash,
} from "../../../src/sealing/request.ts";
import { webCrypto } from "../../../src/sealing/webcrypto.ts";
import type { Attack } from "./attack.ts";
import { Steered } from "./steered.ts";

const NOW_MS = 1_800_000_000_000;
const SHOWN = { tool: "Bash", input: { command: "ls" }, directory: "/home/anna" };
const crypto = webCrypto();
const machine = new Uint8Array(32).fill(1);

/** A yes that was given, and what the machine finds when it comes: in the end it does not hold. */
const approval = (
  name: string,
  how: string,
  why: string,
  changes: { asked?: object; given?: object; nowMs?: number; question?: string | null; expiresMs?: number },
): Attack => ({
  name: `stolen phone, approval: ${name}`,
  how,
  async run() {
    const yes = {
      shown: await shownHash(crypto, { ...SHOWN, ...changes.given }),
      question: "q1",
      expires_ms: changes.expiresMs ?? NOW_MS + 60_000,
    };
    const shown = await shownHash(crypto, { ...SHOWN, ...changes.asked });
    const openQuestion = changes.question === null ? undefined : (changes.question ?? "q1");
    const facts = { nowMs: changes.nowMs ?? NOW_MS, shown, openQuestion };
    assert.equal(approvalProblem({ approval: yes, sentMs: NOW_MS }, facts)?.code, why);
    const honest = { nowMs: NOW_MS, shown: yes.shown, openQuestion: "q1" };
    const good = { ...yes, expires_ms: NOW_MS + 60_000 };
    assert.equal(approvalProblem({ approval: good, sentMs: NOW_MS }, honest), undefined, "the honest one holds");
  },
});

const request = (name: string, how: string, why: string, changes: Partial<RemoteRequest>): Attack => ({
  name: `stolen phone, request: ${name}`,
  how,
  async run() {
    const honest: RemoteRequest = {
      id: "0".repeat(32),
      target: { machine: toHex(machine) },
      type: "session.prompt",
      payload: {},
      number: 1,
      after: 0,
      deadline_ms: NOW_MS + 1,
      sent_ms: NOW_MS - 1,
    };
    assert.equal(requestProblem(honest, { machine, nowMs: NOW_MS }), undefined);
    assert.equal(requestProblem({ ...honest, ...changes }, { machine, nowMs: NOW_MS })?.code, why);
  },
});

/** A device that is revoked while the hubs are as `before` makes them; it tries for a while and gets nothing. */
const revoked = (
  name: string,
  how: string,
  before: (steered: Steered) => Promise<void>,
  after: (steered: Steered) => Promise<void> = async () => {},
): Attack => ({
  name: `stolen phone, revoked: ${name}`,
  how,
  async run() {
    const steered = await Steered.open();
    await using _world = steered.world;
    await before(steered);
    await steered.world.finish(steered.machine.remote!.revoke("device0"));
    const number = await steered.ask();
    await after(steered);
    steered.heard.length = 0;
    await steered.pass(6 * 60_000);
    const tries = steered.heard.filter(({ member, frame }) => member === "device0" && frame.kind === "open").length;
    assert.ok(tries < 100, `it does not hammer: ${tries} handshakes in six minutes`);
    const theirs = steered.machine.effects.filter(({ by, number: done }) => by === "device0" && done >= number);
    assert.deepEqual(theirs, []);
    assert.deepEqual(
      steered.machine.remote!.devices().map((device) => device.name),
      ["device1"],
    );
    assert.equal(steered.world.devices[0]!.coordinator!.machines()[0]!.liveHub, undefined);
    const mine = await steered.ask(1);
    await steered.pass();
    assert.ok(steered.done.includes(mine), "the other device goes on");
  },
});

export const THEFT_ATTACKS: readonly Attack[] = [
  approval("a second time", "Uses a yes again after the question was answered.", "APPROVAL_USED", { question: null }),
  approval("another question", "Uses a yes for the next question.", "APPROVAL_USED", { question: "q2" }),
  approval("other arguments", "Has a yes to `ls`, and the agent asks for `rm`.", "SHOWN_OTHERWISE", {
    asked: { input: { command: "rm -rf ." } },
  }),
  approval("another tool", "Has a yes to one tool, and the agent asks for another.", "SHOWN_OTHERWISE", {
    asked: { tool: "Write" },
  }),
  approval("another directory", "Has a yes for one directory, and the agent is in another.", "SHOWN_OTHERWISE", {
    asked: { directory: "/" },
  }),
  approval("late", "Keeps a yes back until its time is over.", "DEADLINE_OVER", { nowMs: NOW_MS + 60_000 }),
  approval("for ever", "Gives a yes that is good for a year.", "DEADLINE_TOO_FAR", {
    expiresMs: NOW_MS + APPROVAL_LIFE_MS_MAX + 1,
  }),
  request("late", "Keeps a request back until its time is over.", "DEADLINE_OVER", { deadline_ms: NOW_MS }),
  request("for ever", "Leaves a request for a year.", "DEADLINE_TOO_FAR", {
    deadline_ms: NOW_MS + REQUEST_LIFE_MS_MAX,
  }),
  request("another machine", "Takes what was asked of one machine to another.", "OTHER_TARGET", {
    target: { machine: "2".repeat(64) },
  }),
  revoked("while it is connected", "Goes on in the session that it has open.", async () => {}),
  revoked(
    "by the hub that was away",
    "Comes through a hub that could not be told.",
    async ({ world }) => {
      for (const hub of world.hubs) world.network.set("machine0", hub.name, "refusing");
    },
    async ({ world }) => world.network.heal(),
  ),
  revoked(
    "with a hub's help",
    "Comes through a hub that does not throw it out, and says that it has.",
    async (steered) => {
      steered.change = (frame, { to }) =>
        frame.kind === "expel" && to === "hub" ? [{ ...frame, loginKey: new Uint8Array(32) }] : undefined;
    },
  ),
  revoked(
    "after the machine was started anew",
    "Waits until the machine that revoked it has died.",
    async () => {},
    async ({ world, machine: home }) => {
      home.crash();
      await world.finish(home.start());
    },
  ),
  revoked(
    "through a hub that was put back",
    "Waits until a hub has forgotten that it was thrown out.",
    async (steered) => {
      const logins = await Promise.all(steered.world.hubs.map(({ name }) => steered.loginOf(0, name)));
      steered.change = (frame, { to }) =>
        frame.kind === "expel" && to === "hub" && logins.some((key) => Buffer.compare(key, frame.loginKey) === 0)
          ? []
          : undefined;
    },
    async (steered) => {
      steered.change = () => undefined;
    },
  ),
];
