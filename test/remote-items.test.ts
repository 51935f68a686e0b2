import assert from "node:assert/strict";
import { test } from "node:test";
import { itemsOf, type KeptTalk, withTalkItem } from "../src/client/remote/kept-talk.ts";
import { decodeTalkItem, MAIL_TOLD } from "../src/sealing/item.ts";
import { isKnownMail, type MailItem } from "../src/sealing/mail-item.ts";
import { RECORD_KINDS } from "../src/sealing/record.ts";
import { temporaryHome } from "./harness/home.ts";
import { HubHouse } from "./harness/hub-house.ts";
import { killProcess } from "./harness/processes.ts";
import { randomOf } from "./harness/random.ts";
import { ReadingDevice } from "./harness/record-reading.ts";
import { newScriptedAgent } from "./harness/scripted-agent.ts";
import { talkIsTold } from "./harness/told-talks.ts";

/** Conversations with agents, and mail, as sealed records: a real hub, a real machine whose server is killed at seeded instants, and a device that is never there with it. */
const TIMEOUT_MS = 120_000;
const ROUNDS = 5;

test(
  "items: what an agent has said reaches a device that was away, whole and once, however often its server is killed",
  {
    timeout: TIMEOUT_MS,
  },
  async () => {
    const seed = Number(process.env.WARREN_SEED ?? 7);
    const random = randomOf(seed);
    await using hub = await HubHouse.open();
    await using house = temporaryHome();
    await newScriptedAgent(house, "fox");
    await house.run("prompt", "fox", "say Before anybody was there to read it.");
    await house.run("wait", "fox", "--for", "idle");
    const phone = await ReadingDevice.paired(house, hub.address, "phone");

    for (let round = 1; round <= ROUNDS; round++) {
      await house.run(
        "prompt",
        "fox",
        `say Round ${round} begins.\nsay ${"Round on round. ".repeat(200)}\nsay It ends.`,
      );
      // Somewhere between the first look and the last record.
      await new Promise((resolve) => setTimeout(resolve, random.between(0, 700)));
      killProcess(await house.server());
      await house.run("wait", "fox", "--for", "idle"); // starts the next one
    }
    await talkIsTold(house, "fox");
    const { conversation } = await house.client().request("session.conversation", { session: "fox" });
    // The server first: beside a keeper that is gone it ends its agents, and killed in the middle of that it leaves them stopped.
    for (const one of await Promise.all([house.server(), house.keeper()])) killProcess(one);

    const items = () =>
      phone.store.rows.filter(({ kind }) => kind === RECORD_KINDS.item).map(({ text }) => decodeTalkItem(text));
    const kept = (): KeptTalk | undefined =>
      items().reduce<KeptTalk | undefined>((talk, item) => withTalkItem(talk, item, 0), undefined);
    const last = Math.max(...conversation.items.map(({ seq }) => seq));
    await phone.fetch(() => (kept()?.seq ?? 0) >= last, `all of it (WARREN_SEED=${seed})`);
    assert.deepEqual(itemsOf(kept()!), conversation.items, "as the machine had it, from before it was paired on");
    const changes = items().flatMap(({ entries }) => entries.map(([, { id, seq }]) => `${id}@${seq}`));
    assert.equal(new Set(changes).size, changes.length, "nothing is told twice");
    assert.deepEqual([kept()!.isIncomplete, phone.store.gaps, phone.refused], [false, [], []]);
  },
);

test(
  "items: the person's mail reaches a device that was away, with what became of it, once, however often its server is killed",
  { timeout: TIMEOUT_MS },
  async () => {
    const seed = Number(process.env.WARREN_SEED ?? 11);
    const random = randomOf(seed);
    await using hub = await HubHouse.open();
    await using house = temporaryHome({ env: { WARREN_MAIL_PORT: "0" } });
    const phone = await ReadingDevice.paired(house, hub.address, "phone");
    await house.run("mail", "send", "you", "Round 0.", "--as", "fox"); // by which the home begins to use mail

    for (let round = 1; round <= 3; round++) {
      await house.run("mail", "send", "you", `Round ${round}. ${"x".repeat(9_000)}`, "--as", "fox");
      await house.run("mail", "send", "fox", `Back in ${round}.`, "--as", "you");
      await house.run("mail", "send", "fox", "Not for the person.", "--as", "owl");
      await new Promise((resolve) => setTimeout(resolve, random.between(0, 700)));
      killProcess(await house.server());
      await house.run("list"); // starts the next one
    }
    await house.run("mail", "check", "--as", "you");
    const { messages } = await house.client().request("mail.history", { as: "you", limit: 200 });
    const there = messages.map(({ message, receipts }) => `${message.seq} ${message.body} ${receipts[0]?.state}`);
    assert.equal(there.length, 7);

    const items = () =>
      phone.store.rows
        .filter(({ kind }) => kind === RECORD_KINDS.item)
        .map(({ text }) => decodeTalkItem<MailItem>(text))
        .filter(({ session }) => session === MAIL_TOLD);
    const kept = (): KeptTalk<MailItem> | undefined =>
      items().reduce<KeptTalk<MailItem> | undefined>((talk, item) => withTalkItem(talk, item, 0), undefined);
    const shown = (): string[] =>
      (kept()?.entries ?? []).map(
        ([, { message, receipts }]) => `${message.seq} ${message.body} ${receipts[0]?.state}`,
      );
    await phone.fetch(() => shown().join() === there.toReversed().join(), `all of it (WARREN_SEED=${seed})`);
    assert.ok(itemsOf(kept()!).every(isKnownMail));
    const changes = items().flatMap(({ entries }) => entries.map(([, { id, seq }]) => `${id}@${seq}`));
    assert.equal(new Set(changes).size, changes.length, "nothing is told twice");
    const states = items().flatMap(({ entries }) =>
      entries.map(([place, { receipts }]) => `${place} ${receipts[0]?.state}`),
    );
    assert.equal(new Set(states).size, states.length, "and nothing that has not changed");
    assert.deepEqual([kept()!.isIncomplete, phone.store.gaps, phone.refused], [false, [], []]);
  },
);
