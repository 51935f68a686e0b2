import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../sealing/bytes.ts";
import { decodeMembers } from "../../sealing/members.ts";
import { shownHash } from "../../sealing/request.ts";
import type { UnitRow } from "../../sealing/unit-row.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { RecordsSite, settled } from "./testing/records-site.ts";

const row = (id: string, state: string): UnitRow => ({ id, kind: "job", name: id, state });

test("rows: a device that was away sees the last list by records alone, after the machine has died", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await site.rows([row("web", "running"), row("db", "running")]);
  await site.rows([row("web", "ended"), row("db", "running"), row("fox", "needs_you")]);
  await site.rows([row("web", "ended"), row("fox", "needs_you")]);
  site.kill();
  await phone.fetch();
  assert.deepEqual(phone.units(), { web: "ended", db: "gone", fox: "needs_you" });
  assert.deepEqual([await phone.gaps(), phone.refused], [[], []], "the list of heads has nothing more");
  assert.deepEqual(
    decodeMembers(phone.members!).map(({ name, loginKey }) => [name, toHex(loginKey)]),
    [["phone", toHex(phone.login.publicKey)]],
  );
});

test("rows: what has not changed is not sealed again, also not by the next server", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await site.rows([row("web", "running")]);
  await phone.fetch();
  const { length } = phone.store.rows;
  await site.rows([row("web", "running")]);
  site.kill();
  await site.start();
  await site.isReady();
  await site.rows([row("web", "running")]);
  await phone.fetch();
  assert.equal(phone.store.rows.length, length);
});

test("rows: one that goes while it is sealed is told to be gone", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await site.rows([]);
  site.sealing = async (text) => {
    if (!Buffer.from(text).includes('"web"')) return;
    site.sealing = undefined;
    site.watching!.onRows([]);
    await settled();
  };
  await site.rows([row("web", "running")]);
  assert.equal(site.sealing, undefined);
  await phone.fetch();
  assert.deepEqual([phone.units(), await phone.gaps()], [{ web: "gone" }, []]);
});

test("periods: each day has another key, its streams begin again, and a reader goes on", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await site.rows([row("web", "running")]);
  await phone.fetch();
  const before = (await phone.reader()).newestPeriod(toHex(phone.space))!;
  await site.pass(24 * 3_600_000 + 60_000, 3_000_000);
  await site.isReady();
  await phone.fetch();
  const after = (await phone.reader()).newestPeriod(toHex(phone.space))!;
  assert.ok(after.period > before.period && toHex(after.key) !== toHex(before.key));
  assert.deepEqual([phone.units(), await phone.gaps(), phone.refused], [{ web: "running" }, [], []]);
});

test("a device that joins later reads from its own period on, and the one before goes on", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await site.rows([row("web", "running")]);
  await phone.fetch();
  const tablet = await site.device("tablet");
  await site.rows([row("web", "running"), row("db", "running")]);
  for (const one of [phone, tablet]) {
    await one.fetch();
    assert.deepEqual([one.units(), await one.gaps()], [{ web: "running", db: "running" }, []], one.name);
    assert.equal(decodeMembers(one.members!).length, 2);
  }
});

test("revocation: with all the keys that it had, the device opens nothing that comes after, and its waiting request is not carried out", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  const tablet = await site.device("tablet");
  await site.rows([row("web", "running")]);
  await phone.fetch();
  await tablet.fetch();
  site.kill(); // away while the request is left
  await phone.leave(phone.request("list"));
  await site.start();
  await site.remote!.revoke("phone");
  await site.isReady();
  await site.rows([row("secret", "running")]);
  assert.deepEqual(site.asked, []);
  await assert.rejects(phone.fetch(), "its login is no member's any more");
  const everything = site.hub.store.archive.after(tablet.login.publicKey, [1], { cursor: 0, limit: 1_000 });
  await tablet.fetch();
  assert.equal(tablet.units().secret, "running");
  assert.deepEqual(
    decodeMembers(tablet.members!).map(({ name }) => name),
    ["tablet"],
  );
  // A hub that is its friend gives it everything that the other one gets.
  const known = phone.store.rows.length;
  const reader = await phone.reader();
  for (const { bytes } of everything) await reader.read(reader.place + 1, bytes);
  assert.equal(phone.store.rows.length, known);
  assert.ok(phone.refused.includes("not_for_us") && phone.refused.includes("unknown_period"));
});

test("requests: carried out once each and in order, as the device, and answered; also when the hub brings them again", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await phone.fetch();
  site.kill();
  const requests = [phone.request("stop"), phone.request("start")];
  const records = await phone.leave(...requests);
  site.answer = (type) => ({ type });
  await site.start();
  await site.isReady();
  assert.deepEqual(
    site.asked.map(({ type, request_id, by, scopes }) => [type, request_id, by, scopes]),
    requests.map(({ type, id }) => [type, id, "phone", ["view", "type"]]),
  );
  await phone.put(...records);
  await site.pass(4_000);
  await phone.fetch();
  assert.deepEqual(
    phone.results().map(({ id, result }) => [id, result]),
    requests.map(({ id, type }) => [id, { type }]),
  );
  assert.equal(site.asked.length, 2);
});

test("requests: a message of the mailbox has an id of its own, since its server may die before it has answered", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await phone.fetch();
  const seen: unknown[] = [];
  site.answer = (type, payload) => {
    if (type.startsWith("mail.")) seen.push((payload as { message_id?: string }).message_id);
    return { type };
  };
  const requests = [
    phone.request("mail.send", { payload: { to: ["fox"], body: "hello" } }),
    phone.request("mail.reply", { payload: { to: 1, body: "hello", message_id: "its own" } }),
    phone.request("mail.ack", { payload: {} }),
  ];
  await phone.leave(...requests);
  await site.pass(4_000);
  assert.deepEqual(seen, [requests[0]!.id, "its own", undefined]);
});

test("requests: past its deadline, for another machine, and as an unbound approval: refused, and said", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone", ["view", "type", "approve"]);
  await phone.fetch();
  site.kill();
  const late = phone.request("stop", { deadline_ms: site.clock.wallMs() + 1_000 });
  const other = phone.request("stop", { target: { machine: "0".repeat(64) } });
  const attach = phone.request("session.attach");
  const unbound = phone.request("session.answer", { payload: { session: "fox", choice: "allow" } });
  await phone.leave(late, other, attach, unbound, phone.request("list"));
  await site.pass(2_000);
  await site.start();
  await site.isReady();
  await phone.fetch();
  assert.deepEqual(
    phone.results().map(({ error }) => error?.code),
    ["DEADLINE_OVER", "OTHER_TARGET", "REQUEST_NOT_POSSIBLE", "APPROVAL_MISSING", undefined],
  );
  assert.deepEqual(
    site.asked.map(({ type }) => type),
    ["list"],
  );
});

test("requests: what comes without the one before it is not carried out, and may come again behind that; an earlier one that comes later is not", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await phone.fetch();
  const gone = phone.request("stop");
  const dropped = phone.request("start");
  const last = phone.request("list", { after: dropped.number });
  await phone.seal(gone);
  await phone.seal(dropped); // the hub loses both
  await phone.leave(last, phone.request("mail.send", { after: last.number }));
  await site.pass(4_000);
  await phone.fetch();
  const codes = phone.results().map(({ error }) => error?.code);
  assert.deepEqual([codes, site.asked], [["REQUEST_BEFORE_MISSING", "REQUEST_BEFORE_MISSING"], []]);
  site.kill();
  await site.start();
  await phone.leave(dropped, last, gone);
  await site.pass(4_000);
  await phone.fetch();
  const answers = new Map(phone.results().map(({ id, error }) => [id, error?.code]));
  assert.deepEqual(
    [gone, dropped, last].map(({ id }) => answers.get(id)),
    ["REQUEST_OVERTAKEN", undefined, undefined],
  );
  assert.deepEqual(
    site.asked.map(({ type }) => type),
    ["start", "list"],
  );
});

test("requests: a device that makes up streams has none of them taken, nor kept in mind; its own goes on", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await phone.fetch();
  await phone.leave(phone.request("list"));
  const foreign: Uint8Array[] = [];
  for (let count = 0; count < 100; count++)
    foreign.push(await phone.seal(phone.request("stop"), webCrypto().random(8)));
  await phone.put(...foreign);
  await phone.leave(phone.request("start"));
  await site.pass(4_000);
  assert.deepEqual(
    site.asked.map(({ type }) => type),
    ["list", "start"],
  );
  const { theirs } = JSON.parse(site.files.get(`space-${site.roster.hubs[0]!.fingerprint}.json`)!);
  assert.equal(Object.keys(theirs).length, 1);
});

test("requests: one that could not be written down is tried again, and those behind it come after it, on the same connection", async () => {
  for (const file of ["requests.json", "space-"]) {
    await using site = await RecordsSite.make();
    const phone = await site.device("phone");
    await phone.fetch();
    site.unwritable = file;
    await phone.leave(phone.request("stop"), phone.request("start"));
    await site.pass(6_000);
    site.unwritable = undefined;
    await phone.leave(phone.request("list"));
    await site.pass(6_000);
    assert.deepEqual(
      site.asked.map(({ type }) => type),
      ["stop", "start", "list"],
      file,
    );
  }
});

test("requests: one for a server that does not answer ends by its deadline, and what the device has asked behind it goes on", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await phone.fetch();
  site.silentUnit = "fox";
  const target = { machine: phone.machine, unit: "fox" };
  await phone.leave(
    phone.request("stop", { target, deadline_ms: site.clock.wallMs() + 20_000 }),
    phone.request("list"),
  );
  await site.pass(40_000, 1_000);
  await phone.fetch();
  assert.deepEqual(
    phone.results().map(({ error }) => error?.code),
    ["DEADLINE_OVER", undefined],
  );
});

test("requests: something else under the id of another is refused, before and after that one was carried out", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await phone.fetch();
  const request = phone.request("stop");
  await phone.leave(request, { ...request, type: "start" }, { ...request, after: request.number });
  await site.pass(4_000);
  await phone.fetch();
  const codes = phone.results().map(({ error }) => error?.code);
  assert.deepEqual([codes.filter((code) => code !== undefined), site.asked.length], [["REQUEST_ID_USED"], 1]);
});

test("approvals: bound to what was shown and to the open question", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone", ["view", "approve"]);
  await phone.fetch();
  const nowMs = site.clock.wallMs();
  let state = "pending";
  site.answer = (type) => {
    if (type === "session.answer") state = "answered";
    const tool = { id: "t1", kind: "tool_call", title: "rm", raw_input: { path: "/a" } };
    const items = [tool, { id: "q1", kind: "permission", title: "May I?", tool_item_id: "t1", state }];
    return { session: { workdir: "/work" }, conversation: { items } };
  };
  const shown = await shownHash(webCrypto(), { tool: "rm", input: { path: "/a" }, directory: "/work" });
  const answer = (change: object) =>
    phone.request("session.answer", {
      payload: { session: "fox", choice: "allow" },
      approval: { shown, question: "q1", expires_ms: nowMs + 60_000, ...change },
    });
  await phone.leave(answer({ shown: "0".repeat(64) }), answer({ question: "q2" }), answer({}), answer({}));
  await site.pass(4_000);
  await phone.fetch();
  assert.deepEqual(
    phone.results().map(({ error }) => error?.code),
    ["SHOWN_OTHERWISE", "APPROVAL_USED", undefined, "APPROVAL_USED"],
  );
  assert.equal(site.asked.filter(({ type }) => type === "session.answer").length, 1);
});

/** The scopes with which servers were asked for it. */
const scopesOf = (site: RecordsSite, type: string): string[][] =>
  site.asked.filter((one) => one.type === type).map(({ scopes }) => scopes);

test("scopes: one whose device may less by the time that its question was looked up is given with what holds then", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone", ["view", "approve"]);
  await phone.fetch();
  const question = { id: "q1", kind: "permission", title: "rm", state: "pending" };
  site.answer = () => ({ session: { workdir: "/work" }, conversation: { items: [question] } });
  const held = Promise.withResolvers<void>();
  site.holding = (type) => (type === "session.conversation" ? held.promise : undefined);
  const shown = await shownHash(webCrypto(), { tool: "rm", input: null, directory: "/work" });
  const approval = { shown, question: "q1", expires_ms: site.clock.wallMs() + 60_000 };
  await phone.leave(phone.request("session.answer", { payload: { session: "fox", choice: "allow" }, approval }));
  await site.until(() => scopesOf(site, "session.conversation").length > 0, "its question is looked up");
  await site.remote!.setScopes("phone", ["view"]);
  held.resolve();
  await site.pass(4_000);
  assert.deepEqual(scopesOf(site, "session.answer"), [["view"]]);
});

test("scopes: one whose device may less while it is written down that it is begun is asked with what holds then", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await phone.fetch();
  site.writing = async (name, text) => {
    if (name !== "requests.json" || !text.includes("begun_ms")) return;
    site.writing = undefined;
    await site.remote!.setScopes("phone", ["view"]);
  };
  await phone.leave(phone.request("stop"));
  await site.pass(4_000);
  assert.deepEqual(scopesOf(site, "stop"), [["view"]]);
});

test("scopes: one that was begun and is asked again has no more than what holds when its server has answered the greeting", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await phone.fetch();
  site.answer = () => ({ code: "SERVER_ENDING", error: "It is replaced." });
  const [greeted, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await phone.leave(phone.request("stop"));
  await site.until(() => scopesOf(site, "stop").length > 0, "it was begun");
  site.forgetAnswers();
  site.answer = () => ({});
  site.holding = (type) => {
    if (type !== "hello") return undefined;
    greeted.resolve();
    return held.promise;
  };
  await site.pass(2_000);
  await greeted.promise;
  await site.remote!.setScopes("phone", ["view"]);
  held.resolve();
  await site.pass(4_000);
  assert.deepEqual(scopesOf(site, "stop"), [["view", "type"], ["view"]]);
});

test("killed after any write: requests are carried out once, results come, and no reader sees a gap or a fork", async () => {
  for (let writes = 1; writes <= 14; writes++) {
    await using site = await RecordsSite.make();
    const phone = await site.device("phone");
    await site.rows([row("web", "running")]);
    await phone.fetch();
    const requests = [phone.request("stop"), phone.request("start")];
    site.writesLeft = writes;
    await phone.leave(...requests);
    site.watching!.onRows([row("web", "ended")]);
    await site.pass(1_000);
    site.kill();
    await site.start();
    await site.isReady();
    await site.rows([row("web", "ended")]);
    await phone.fetch();
    const mutations = site.asked.map(({ request_id }) => request_id);
    assert.deepEqual(
      mutations,
      requests.map(({ id }) => id),
      `killed after ${writes}`,
    );
    assert.deepEqual(
      [...new Set(phone.results().map(({ id }) => id))],
      requests.map(({ id }) => id),
    );
    assert.deepEqual([phone.units(), await phone.gaps()], [{ web: "ended" }, []], `killed after ${writes}`);
  }
});

test("backup: a home that was put back seals under another key, and its reader goes on", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await site.rows([row("web", "running")]);
  const backup = new Map(site.files);
  await site.rows([row("web", "stopping")]);
  await site.rows([row("web", "ended")]);
  await phone.fetch();
  await site.pass(120_000, 4_000);
  site.kill();
  site.files = backup;
  await site.start();
  await site.isReady();
  await site.rows([row("web", "starting")]);
  await site.rows([row("web", "waiting")]);
  await settled();
  await phone.fetch();
  assert.deepEqual(phone.units(), { web: "waiting" });
});

test("backup: of a home that missed a period the reader takes the next one", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await site.rows([row("web", "running")]);
  const backup = new Map(site.files);
  await site.pass(25 * 3_600_000, 3_000_000);
  await site.isReady();
  await phone.fetch();
  await site.pass(120_000, 4_000);
  site.kill();
  site.files = backup;
  await site.start();
  await site.isReady();
  await site.rows([row("web", "waiting")]);
  await phone.fetch();
  assert.deepEqual([phone.units(), phone.refused], [{ web: "waiting" }, []]);
});

test("hub: what it did not confirm is given to it again, on the next connection", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await site.rows([row("web", "running")]);
  site.isMute = true;
  await site.rows([row("web", "ended"), row("db", "running")]);
  await site.pass(12_000);
  site.isMute = false;
  await site.isReady();
  await phone.fetch();
  assert.deepEqual([phone.units(), await phone.gaps()], [{ web: "ended", db: "running" }, []]);
});

test("requests: one that the hub brings again to a machine that has lost its place is answered, and not carried out", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  await site.device("tablet"); // takes nothing, so that the hub keeps everything
  await phone.fetch();
  const name = `space-${site.roster.hubs[0]!.fingerprint}.json` as const;
  const before = site.files.get(name)!;
  const request = phone.request("stop");
  await phone.leave(request);
  await site.pass(4_000);
  assert.equal(site.asked.length, 1);
  await phone.fetch();
  site.kill();
  site.forgetAnswers();
  site.files.set(name, before);
  await site.start();
  await site.isReady();
  assert.equal(site.asked.length, 1);
  assert.deepEqual(
    phone.results().map(({ id }) => id),
    [request.id],
  );
});
