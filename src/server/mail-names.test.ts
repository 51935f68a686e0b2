import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "../client/client.ts";
import { silentLog } from "../platform/log.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { WarrenError } from "../protocol/errors.ts";
import { MailNames } from "./mail-names.ts";

/** A mailbox in which names belong to units, and what it was asked to register. */
function mailbox(owners: Map<string, string>) {
  const registered: string[] = [];
  let isClosed = false;
  const request = async (type: string, payload: { name: string; unit?: string; as?: string }): Promise<unknown> => {
    if (isClosed) throw new WarrenError("CLOSED", "The client was closed.");
    if (type === "mail.list") {
      return { participants: [...owners].map(([name, unit]) => ({ name, unit, pid: 1, presence: "live" })) };
    }
    if (type === "mail.unregister") return owners.delete(payload.name);
    const unit = type === "mail.rename" ? owners.get(payload.as ?? "") : payload.unit;
    if (type === "mail.register") registered.push(`${payload.name} ${unit}`);
    if ((owners.get(payload.name) ?? unit) !== unit) throw new WarrenError("NAME_OWNED", `${payload.name} is owned.`);
    if (type === "mail.rename") owners.delete(payload.as ?? "");
    return owners.set(payload.name, String(unit));
  };
  const close = (): void => {
    isClosed = true;
  };
  return { client: { request } as unknown as Client, owners, registered, close };
}

/** Names against a mailbox in which fox is the session S1, which ended, and lives a moment longer. */
function make() {
  const box = mailbox(new Map([["fox", "S1"]]));
  const live = new Set(["S1", "S2"]);
  const clock = new HandClock();
  const names = new MailNames({ client: box.client, isLive: (unit) => live.has(unit), log: silentLog, clock });
  return { ...box, live, clock, names };
}

const S1 = { id: "S1", name: "fox", pid: 1 };
const S2 = { id: "S2", name: "fox", pid: 2 };

test("mail names: one that was refused is asked for again when another session has gone", async () => {
  const { names, owners, live, registered } = make();
  await names.reconcile([S1, S2]);
  assert.deepEqual(registered, ["fox S2"]);
  assert.equal(owners.get("fox"), "S1");
  live.delete("S1");
  await names.reconcile([S2]);
  assert.deepEqual(registered, ["fox S2", "fox S2", "fox S2"], "refused once more, freed, and taken");
  assert.equal(owners.get("fox"), "S2");
});

test("mail names: one that was refused is asked for again in a while, also when nothing changes here, until it is taken", async () => {
  const { names, owners, live, clock } = make();
  await names.reconcile([S2]);
  for (const isStillThere of [true, false]) {
    if (!isStillThere) live.delete("S1");
    assert.deepEqual(clock.delays, [2_000]);
    await clock.passSlowly(2_000);
    assert.equal(owners.get("fox"), isStillThere ? "S1" : "S2");
  }
  assert.deepEqual(clock.delays, []);
});

test("mail names: a session that has gone, and a mailbox that was left, are not asked for again", async () => {
  const { names, clock, registered, close } = make();
  await names.reconcile([S2]);
  await names.reconcile([]);
  assert.deepEqual(clock.delays, []);
  await names.reconcile([S2]);
  close();
  await clock.passSlowly(2_000);
  assert.deepEqual([clock.delays, registered.length], [[], 2]);
});

test("mail names: a new name that was refused leaves the session its old one, by which the next one is asked for", async () => {
  const { names, owners } = make();
  await names.reconcile([{ ...S2, name: "owl" }]);
  await names.reconcile([S2]);
  assert.deepEqual(Object.fromEntries(owners), { fox: "S1", owl: "S2" });
  await names.reconcile([{ ...S2, name: "elk" }]);
  assert.deepEqual(Object.fromEntries(owners), { fox: "S1", elk: "S2" });
});
