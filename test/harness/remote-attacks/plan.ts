import assert from "node:assert/strict";
import type { Attack } from "./attack.ts";
import { crypto, isSame, PlanClient, type PlanMessage, PlanServer } from "./plan-model.ts";

/** A phone and a machine of the plan, at two servers, and some messages of a session. */
interface PlanPlace {
  a: PlanServer;
  b: PlanServer;
  phone: PlanClient;
  machine: PlanClient;
  token: string | undefined;
  messages: PlanMessage[];
}

async function place(): Promise<PlanPlace> {
  const [a, b] = [new PlanServer("a"), new PlanServer("b")];
  const phone = await PlanClient.make();
  const machine = await PlanClient.make(phone.secret);
  const token = await a.auth(await phone.login());
  const texts = ["one", "two", "three"];
  const messages = await Promise.all(texts.map(async (text) => ({ session: "fox", sealed: await machine.seal(text) })));
  a.messages.push(...messages);
  return { a, b, phone, machine, token, messages };
}

/** The attack of the same name in the other lists; throws when it gets through. */
const on = (name: string, run: (place: PlanPlace) => Promise<void>): Attack => ({
  name,
  how: "The same, where there is one secret, and nothing says where, when and to whom a thing was said.",
  run: async () => run(await place()),
});

/** The phone is given these, and shows them as if nothing were wrong. */
const shows = (
  name: string,
  change: (messages: PlanMessage[], place: PlanPlace) => PlanMessage[] | Promise<PlanMessage[]>,
): Attack =>
  on(name, async (there) => {
    const given = await change(there.messages, there);
    await there.phone.show(given);
    assert.notEqual(there.phone.shown.length, given.length, "all of it was shown, and nothing was said");
  });

export const PLAN_ATTACKS: readonly Attack[] = [
  on("network, at a hub: a login again", async ({ a, phone }) => {
    const heard = await phone.login();
    await a.auth(heard);
    assert.equal(await a.auth(heard), undefined);
  }),
  on("hub B, at a hub: pass a login on", async ({ a, phone }) => {
    const saidToB = await phone.login();
    assert.equal(await a.auth(saidToB), undefined);
  }),
  on("hub B, at a hub: a login key that it knows", async ({ a, phone }) => {
    const own = await PlanClient.make();
    const { publicKey } = await phone.login();
    assert.equal(await a.auth({ ...(await own.login()), publicKey }), undefined);
  }),
  on("hub B, at a hub: the device's login key for B", async ({ a, b, phone }) => {
    const same = await phone.login();
    assert.notEqual(await b.auth(same), undefined);
    assert.equal(await a.auth(same), undefined);
  }),
  on("stolen phone, at a hub: stay connected", async ({ a, token }) => assert.equal(a.fetch(token), undefined)),
  on("stolen phone, at a hub: come back", async ({ a, phone }) =>
    assert.equal(await a.auth(await phone.login()), undefined),
  ),
  on("stolen phone, at a hub: fetch what waits", async ({ a, token, machine, phone }) => {
    a.messages.push({ session: "fox", sealed: await machine.seal("after the theft") });
    assert.equal(await phone.open(a.fetch(token)!.at(-1)!.sealed), null);
  }),
  shows("hub, records: a record again", (messages) => [...messages, messages[0]!]),
  shows("hub, records: an old state again", (messages) => [messages[2]!, messages[0]!]),
  shows("hub, records: drop one", ([first, , third]) => [first!, third!]),
  shows("hub, records: swap two", ([first, second, third]) => [first!, third!, second!]),
  shows("hub, records: keep back the newest", ([first, second]) => [first!, second!]),
  shows("hub, records: another stream", (messages) => messages.map((message) => ({ ...message, session: "other" }))),
  shows("hub B, records: those of hub A", (messages, { b }) => {
    b.messages.push(...messages);
    return b.messages;
  }),
  shows("device, records: speak for the machine", async (_messages, { phone }) => {
    const other = await PlanClient.make(phone.secret);
    return [{ session: "fox", sealed: await other.seal("I am the machine") }];
  }),
  on("hub, records: sign itself", async ({ phone }) => {
    const evil = await PlanClient.make();
    assert.equal(await phone.open(await evil.seal("forged")), null);
  }),
  on("hub, records: mix spaces", async ({ a, b, phone }) => {
    phone.told(a, "fox");
    phone.told(b, "fox"); // the second server claims the first one's session
    assert.equal(phone.serverOf.get("fox"), a);
  }),
  on("hub, records: another kind", async ({ phone, machine }) => {
    await machine.call("bash", await phone.seal("notes.txt")); // sealed for readFile
    assert.deepEqual(machine.done, []);
  }),
  on("hub, live: frames twice, to the machine", async ({ phone, machine }) => {
    const params = await phone.seal("deploy");
    for (let count = 0; count < 2; count++) await machine.call("bash", params);
    assert.equal(machine.done.length, 1);
  }),
  on("hub, live: change a bit, to the machine", async ({ machine }) => {
    await machine.call("stop-daemon", crypto.random(40));
    assert.deepEqual(machine.done, []);
  }),
  on("stolen phone, approval: a second time", async ({ phone, machine }) => {
    const yes = await phone.seal("allow q1");
    await machine.call("permission", yes);
    await machine.call("permission", yes);
    assert.equal(machine.done.length, 1);
  }),
  on("QR observer, pairing: after it was used", async ({ a, phone }) => {
    const codeKey = crypto.random(32);
    phone.pairTerminal(a, codeKey);
    assert.notEqual(a.pollPairing(codeKey), undefined, "the terminal has its answer");
    assert.equal(a.pollPairing(codeKey), undefined);
  }),
  on("QR observer, pairing: first", async ({ a, phone }) => {
    const codeKey = crypto.random(32);
    const thief = crypto.random(32);
    a.answerPairing(codeKey, thief);
    phone.pairTerminal(a, codeKey);
    assert.equal(isSame(a.pollPairing(codeKey), thief), false);
  }),
  on("QR observer, pairing: version 0", async ({ b, phone }) => {
    b.supportsV2 = false; // what the server says decides
    const codeKey = crypto.random(32);
    phone.pairTerminal(b, codeKey);
    assert.equal(isSame(b.pollPairing(codeKey), phone.secret), false, "the secret of all servers");
  }),
];
