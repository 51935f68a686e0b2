import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { WarrenError } from "../protocol/errors.ts";
import { encodeFrame } from "../sealing/frames.ts";
import { webCrypto } from "../sealing/webcrypto.ts";
import { CONTACT_LIMITS } from "./limits.ts";
import { type HubState, StandingContact, type StandingEvents } from "./standing-contact.ts";
import { BadHub, type BadHubScript } from "./testing/bad-hub.ts";

const crypto = webCrypto();
const KEY_NOT_KNOWN = encodeFrame({ kind: "refused", code: "KEY_NOT_KNOWN", sentence: "Who?", fix: "" });
const EXPELLED = encodeFrame({ kind: "refused", code: "EXPELLED", sentence: "Out.", fix: "" });
/** Nobody answers there. */
const SILENT = "https://silent.example";

/** What its events do besides being told. */
type Does = Pick<StandingEvents, "onContact" | "isMended">;

async function standing(script: BadHubScript, does: Does, claim?: () => Promise<never>) {
  const hub = await BadHub.make(crypto, "model", script);
  const clock = new HandClock();
  const states: string[] = [];
  const watchers = new Set<() => void>();
  const addresses = ["https://hub.example"];
  const dialled: string[] = [];
  let says: (frame: Uint8Array) => void = () => {};
  const contact = new StandingContact({
    addresses: () => addresses,
    hubKey: hub.key.publicKey,
    loginKey: hub.login,
    role: "machine",
    network: {
      dial: async (address, events) => {
        dialled.push(address);
        if (address === SILENT) return new Promise(() => {});
        says = events.onFrame;
        return hub.dial(events);
      },
      claim: claim ?? (async () => ({ key: hub.key.publicKey, label: "" })),
    },
    crypto,
    clock,
    limits: CONTACT_LIMITS,
    random: () => 0,
    events: {
      ...does,
      onState: ({ kind }) => {
        states.push(kind);
        for (const watcher of [...watchers]) watcher();
      },
    },
  });
  const until = (kind: HubState["kind"]): Promise<HubState> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (contact.state.kind !== kind) return;
        watchers.delete(look);
        resolve(contact.state);
      };
      watchers.add(look);
      look();
    });
  return { contact, hub, clock, states, until, addresses, dialled, says: (frame: Uint8Array) => says(frame) };
}

test("standing contact: it counts as ready when `onContact` is over; where that fails it is tried again", async () => {
  let failures = 1;
  const told: string[] = [];
  const { contact, clock, states, until } = await standing(
    { hello: true, welcome: "its own" },
    {
      onContact: async () => {
        told.push(contact.state.kind);
        if (failures-- > 0) throw new WarrenError("SPACE_FULL", "full");
      },
    },
  );
  contact.start();
  const waiting = (await until("waiting")) as Extract<HubState, { kind: "waiting" }>;
  assert.deepEqual([waiting.error.code, waiting.untilMs], ["SPACE_FULL", clock.wallMs() + 1_000]);
  await clock.passSlowly(1_000);
  await until("ready");
  const once = ["connecting", "checking"];
  assert.deepEqual(
    [states, told],
    [
      [...once, "waiting", ...once, "ready"],
      ["checking", "checking"],
    ],
  );
  contact.stop();
  await clock.passSlowly(600_000);
  assert.equal(states.at(-1), "off");
});

test("standing contact: what another login mends is tried at once, and what none does, rarely", async () => {
  let logins = 1;
  const { contact, clock, hub, until } = await standing(
    { hello: true, says: [KEY_NOT_KNOWN] },
    { isMended: () => logins-- > 0 },
  );
  contact.start();
  const refused = (await until("refused")) as Extract<HubState, { kind: "refused" }>;
  assert.deepEqual([hub.counts.dials, refused.untilMs], [2, clock.wallMs() + CONTACT_LIMITS.retryRefusedMs]);
  await clock.passSlowly(CONTACT_LIMITS.retryRefusedMs - 1);
  assert.equal(hub.counts.dials, 2);
  contact.retry();
  assert.equal(contact.state.kind, "connecting", "somebody waits: at once");
  contact.stop();
});

test("standing contact: an address that does not say whose it is holds up no further dial", async () => {
  const asked = Promise.withResolvers<void>();
  const { contact, clock, until } = await standing({ hello: true, welcome: "another's" }, {}, () => {
    asked.resolve();
    return new Promise(() => {});
  });
  contact.start();
  await asked.promise;
  const refused = until("refused");
  await clock.passSlowly(CONTACT_LIMITS.contactMs);
  assert.equal(((await refused) as Extract<HubState, { kind: "refused" }>).error.code, "HUB_UNTRUE");
  contact.stop();
});

test("standing contact: with other addresses the first of them is dialled at once, and what is under way is dropped", async () => {
  const { contact, until, addresses, dialled } = await standing({ hello: true, welcome: "its own" }, {});
  addresses.splice(0, 1, SILENT);
  contact.start();
  addresses.unshift("https://new.example");
  contact.redial();
  contact.redial();
  assert.deepEqual(dialled, [SILENT, "https://new.example"]);
  await until("ready");
  contact.redial();
  assert.equal(contact.state.kind, "ready");
  contact.stop();
});

test("standing contact: one that was ready and is mended is dialled by the same address of several", async () => {
  const { contact, until, addresses, dialled, says } = await standing(
    { hello: true, welcome: "its own" },
    { isMended: ({ code }) => code === "EXPELLED" },
  );
  addresses.push("https://other.example");
  contact.start();
  await until("ready");
  says(EXPELLED);
  await until("connecting");
  await until("ready");
  assert.deepEqual(dialled, ["https://hub.example", "https://hub.example"]);
  contact.stop();
});
