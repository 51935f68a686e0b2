import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { seeded } from "../log/log-fixture.ts";
import { ModelMachine } from "./machine-fixture.ts";
import { FAIR, ModelNetwork } from "./model-network-fixture.ts";
import { encodePacket } from "./packets.ts";

/** The exchange over a network that loses, doubles, reorders and forgets, and under leaders that die: nothing is lost, doubled or out of order. */

const settle = async (): Promise<void> => {
  for (let count = 0; count < 3; count++) await new Promise((wake) => setImmediate(wake));
};

interface World extends Disposable {
  network: ModelNetwork;
  clock: HandClock;
  machines: ModelMachine[];
  /** Delivers what there is, and lets time pass, for so long. */
  run(ms: number): Promise<void>;
}

async function world(names: string[], below = seeded(1)): Promise<World> {
  const clock = new HandClock();
  const network = new ModelNetwork(below, clock);
  const machines = names.map((name) => new ModelMachine(name, network, clock));
  for (const machine of machines) await machine.start();
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) {
      await settle();
      while (network.deliver()) await settle();
      clock.leap(50);
    }
    await settle();
  };
  await run(1_000);
  return {
    network,
    clock,
    machines,
    run,
    [Symbol.dispose]: () => {
      for (const machine of machines) machine[Symbol.dispose]();
    },
  };
}

const states = (machine: ModelMachine): Record<string, unknown>[] =>
  machine.rows("select recipient, state from deliveries order by seq, recipient");

test("machines: a message goes, is stored once, and its receipts come back; the outbox is empty then", async () => {
  using all = await world(["desk", "laptop"]);
  const [desk, laptop] = all.machines as [ModelMachine, ModelMachine];
  const { message } = desk.ask("fox", "mail.send", { to: ["owl@laptop"], body: "hi", kind: "ask" });
  assert.deepEqual(states(desk), [{ recipient: "owl@laptop", state: "queued" }]);
  await all.run(500);
  assert.deepEqual(states(desk), [{ recipient: "owl@laptop", state: "offered" }]);
  assert.deepEqual(desk.rows("select * from outbox"), []);
  const got = laptop.ask("owl", "mail.fetch", {}).messages;
  assert.deepEqual(
    got.map(({ from, body, id }) => ({ from, body, id })),
    [{ from: "fox@desk", body: "hi", id: message.id }],
  );
  laptop.ask("owl", "mail.reply", { id: message.id, body: "done" });
  await all.run(500);
  assert.deepEqual(states(desk), [
    { recipient: "owl@laptop", state: "replied" },
    { recipient: "fox", state: "queued" },
  ]);
  assert.equal(desk.ask("fox", "mail.fetch", {}).messages[0]?.reply_to, message.id);
  await all.run(500);
  assert.deepEqual(laptop.rows("select * from arrivals"), [], "told to the end");
});

test("machines: names, machines and what is refused", async () => {
  using all = await world(["desk", "laptop"]);
  const [desk, laptop] = all.machines as [ModelMachine, ModelMachine];
  laptop.ask("owl", "mail.fetch", {});
  await all.run(6_000);
  assert.throws(() => desk.ask("fox", "mail.send", { to: ["owl@lapto"], body: "" }), {
    code: "MACHINE_UNKNOWN",
    detail: { suggestion: "laptop" },
  });
  assert.throws(() => desk.ask("fox", "mail.send", { to: ["@all@laptop"], body: "" }), { code: "INVALID_NAME" });
  const [told] = desk.ask("fox", "mail.send", { to: ["owl"], body: "" }).recipients;
  assert.equal(told?.suggestion, "owl@laptop", "a name that is unknown here and known on one other machine");
  assert.deepEqual(
    desk.ask("fox", "mail.send", { to: ["ann@desk"], body: "" }).recipients.map(({ name }) => name),
    ["ann"],
    "a machine's own name is local",
  );
  const known = desk.ask("fox", "mail.send", { to: ["owl@laptop", "elk@laptop"], body: "" }).recipients;
  assert.deepEqual(
    known.map(({ known }) => known),
    [true, false],
  );
});

test("machines: two machines cannot have one name: the second says so, and gets nothing", async () => {
  using all = await world(["desk", "laptop"]);
  using other = new ModelMachine("desk", all.network, all.clock);
  await other.start();
  await all.run(1_000);
  assert.match(other.problem ?? "", /Another machine is called "desk"/);
  for (let at = 0; at < 20; at++) all.machines[1]!.ask("owl", "mail.send", { to: ["fox@desk"], body: `${at}` });
  other.ask("fox", "mail.send", { to: ["fox"], body: "local mail goes on" });
  await all.run(1_000);
  assert.equal(all.machines[0]!.rows("select * from messages").length, 20);
  assert.equal(other.rows("select * from messages").length, 1);
});

test("machines: what cannot be of that machine, is nonsense or of another time is not taken", async () => {
  using all = await world(["desk", "laptop"]);
  const [desk] = all.machines as [ModelMachine];
  const nowMs = all.clock.wallMs();
  const copy = {
    n: 1,
    prev: 0,
    from: "owl",
    to: "fox",
    id: "a",
    seq: 1,
    kind: "message" as const,
    sent_at_ms: nowMs,
    body: "",
    thread: "a",
    hops: 0,
    expires_at_ms: nowMs + 60_000,
  };
  const packet = {
    v: 1 as const,
    from: "laptop",
    to: "desk",
    log_id: "x",
    at_ms: nowMs,
    said: { type: "mail" as const, copy },
  };
  const said = (change: object): Buffer =>
    Buffer.from(encodePacket({ ...packet, said: { type: "mail", copy: { ...copy, ...change } } }));
  const sent: Uint8Array[] = [
    Buffer.from("{"),
    Buffer.from("null"),
    encodePacket({ ...packet, from: "oak" }),
    encodePacket({ ...packet, to: "oak" }),
    encodePacket({ ...packet, at_ms: nowMs + 3_600_000 }),
    said({ from: "owl@desk" }),
    said({ to: "@all" }),
    said({ to: "fox@laptop" }),
    said({ expires_at_ms: nowMs + 90 * 24 * 3_600_000 }),
    said({ body: "x".repeat(1024 * 1024 + 1) }),
    said({ n: -1 }),
    said({ kind: "order" }),
    Buffer.from(
      said({ data: { deep: "HERE" } })
        .toString()
        .replace('"HERE"', `${"[".repeat(100_000)}${"]".repeat(100_000)}`),
    ),
  ];
  for (const [at, bytes] of sent.entries()) all.network.keep("desk", "laptop", bytes, `${at}`);
  await all.run(200);
  assert.deepEqual(desk.rows("select * from messages"), []);
  assert.ok(all.network.isEmpty, "none is delivered again and again");
  all.network.keep("desk", "laptop", encodePacket(packet), "good");
  await all.run(200);
  assert.equal(desk.rows("select * from messages").length, 1);
});

test("machines: two bots on two machines that thank each other for ever are stopped", async () => {
  using all = await world(["desk", "laptop"]);
  const [desk, laptop] = all.machines as [ModelMachine, ModelMachine];
  desk.ask("fox", "mail.send", { to: ["owl@laptop"], body: "thanks" });
  for (let round = 0; round < 40; round++) {
    for (const [machine, name] of [
      [laptop, "owl"],
      [desk, "fox"],
    ] as const) {
      await all.run(100);
      for (const { id, from } of machine.ask(name, "mail.fetch", {}).messages)
        if (from !== "system") machine.ask(name, "mail.reply", { id, from, body: "thank you" });
    }
  }
  const count = Number(desk.rows("select count(*) as count from messages where sender = 'fox'")[0]?.count);
  assert.ok(count < 20, `${count} thanks`);
  const notices = [desk, laptop].flatMap((one) => one.rows("select subject from messages where sender = 'system'"));
  assert.equal(notices[0]?.subject, "LOOP_SUSPECTED");
});

test("machines: one that is away gets all in order when it is back, also when the server has lost everything meanwhile", async () => {
  using all = await world(["desk", "laptop"]);
  const [desk, laptop] = all.machines as [ModelMachine, ModelMachine];
  all.network.disconnect(laptop.transport!);
  for (let at = 0; at < 600; at++) desk.ask("fox", "mail.send", { to: ["owl@laptop"], body: `${at}` });
  await all.run(60_000);
  const before = all.network.publishedCount;
  await all.run(60_000);
  assert.ok(all.network.publishedCount - before < 5, "nothing is published again and again for one that is away");
  all.network.wipe();
  all.network.disconnect(laptop.transport!);
  await all.run(5_000);
  all.network.reconnect(laptop.transport!);
  await all.run(5_000);
  const bodies = laptop.rows("select body from messages order by seq").map(({ body }) => Number(body));
  assert.deepEqual(
    bodies,
    Array.from({ length: 600 }, (_, at) => at),
  );
});

test("machines: receipts get past copies that are only seen, and past more copies than go at once", async () => {
  using all = await world(["desk", "laptop"]);
  const [desk, laptop] = all.machines as [ModelMachine, ModelMachine];
  for (let at = 0; at < 200; at++) desk.ask("fox", "mail.send", { to: ["owl@laptop", "elk@laptop"], body: `${at}` });
  await all.run(5_000);
  const ids = { owl: [] as string[], elk: [] as string[] };
  for (const name of ["owl", "elk"] as const) {
    ids[name] = laptop.ask(name, "mail.fetch", { limit: 1_000 }).messages.map(({ id }) => id);
    laptop.ask(name, "mail.ack", { ids: ids[name], state: "seen" });
  }
  await all.run(5_000);
  const count = (state: string): number => states(desk).filter((one) => one.state === state).length;
  assert.equal(count("seen"), 400, "those of one moment");
  all.network.disconnect(laptop.transport!);
  laptop.ask("elk", "mail.ack", { ids: ids.elk.slice(-1) });
  all.network.reconnect(laptop.transport!);
  await all.run(5_000);
  assert.equal(count("handled"), 1, "that which stands behind all the others");
});

test("machines: a reason of any length is told, cut and never within a character", async () => {
  using all = await world(["desk", "laptop"]);
  const [desk, laptop] = all.machines as [ModelMachine, ModelMachine];
  const { id } = desk.ask("fox", "mail.send", { to: ["owl@laptop", "elk@laptop"], body: "hi" }).message;
  await all.run(500);
  laptop.ask("owl", "mail.fetch", {});
  laptop.rows("update deliveries set offers = 10 where recipient = 'owl' returning seq");
  laptop.ask("owl", "mail.nak", { ids: [id], reason: `no ${"🦉".repeat(2_000)}` });
  laptop.ask("elk", "mail.fetch", {});
  laptop.ask("elk", "mail.ack", { ids: [id] });
  await all.run(1_000);
  const [owl, elk] = desk.rows("select state, reason from deliveries order by recipient desc");
  assert.deepEqual([owl?.state, elk?.state], ["dead", "handled"], "one packet");
  assert.equal(owl?.reason, `no ${"🦉".repeat(498)}…`);
});

test("machines: a full mailbox holds up its sender alone, and goes on when it is read", async () => {
  using all = await world(["desk", "laptop"]);
  const [desk, laptop] = all.machines as [ModelMachine, ModelMachine];
  laptop.ask("owl", "mail.fetch", {});
  laptop.rows("update participants set unread = 10000 where name = 'owl' returning name");
  desk.ask("fox", "mail.send", { to: ["owl@laptop"], body: "1" });
  desk.ask("fox", "mail.send", { to: ["elk@laptop"], body: "2" });
  desk.ask("bee", "mail.send", { to: ["elk@laptop"], body: "3" });
  await all.run(10_000);
  const bodies = (): unknown[] => laptop.rows("select body from messages order by seq").map(({ body }) => body);
  assert.deepEqual(bodies(), ["3"]);
  assert.match((await desk.list())[0]?.problem ?? "", /owl.*10000 unread/);
  laptop.rows("update participants set unread = 0 where name = 'owl' returning name");
  await all.run(70_000);
  assert.deepEqual(bodies(), ["3", "1", "2"]);
  assert.equal((await desk.list())[0]?.problem, undefined);
});

test("machines: what is on its way to one machine is bounded, whether its bytes are in bodies, subjects or data", async () => {
  using all = await world(["desk", "laptop"]);
  const [desk, laptop] = all.machines as [ModelMachine, ModelMachine];
  all.network.disconnect(laptop.transport!);
  const long = "x".repeat(900_000);
  const said = [{ body: long }, { body: "", subject: long }, { body: "", data: { long } }];
  for (let at = 0; at < 18; at++) desk.ask("fox", "mail.send", { to: ["owl@laptop"], ...said[at % 3]! });
  await all.run(500);
  const onTheirWay = states(desk).filter(({ state }) => state === "offered").length;
  assert.ok(onTheirWay * long.length < 12 * 1024 * 1024, `${onTheirWay} are on their way`);
});

test("machines: what has expired for a machine that is away makes room for more", async () => {
  using all = await world(["desk", "laptop"]);
  const [desk, laptop] = all.machines as [ModelMachine, ModelMachine];
  all.network.disconnect(laptop.transport!);
  desk.ask("fox", "mail.send", { to: ["owl@laptop"], body: "long" });
  desk.ask("fox", "mail.send", { to: ["owl@laptop", "elk@laptop"], body: "short", ttl_ms: 60_000 });
  await all.run(30_000);
  desk.rows("update machines set waiting = 10000 where name = 'laptop' returning name");
  assert.throws(() => desk.ask("fox", "mail.send", { to: ["owl@laptop"], body: "" }), { code: "MAILBOX_FULL" });
  all.clock.leap(31_000);
  desk.sweep();
  assert.deepEqual(desk.rows("select recipient from outbox"), [{ recipient: "owl@laptop" }]);
  assert.deepEqual(desk.rows("select waiting from machines where name = 'laptop'"), [{ waiting: 9_998 }]);
  desk.ask("fox", "mail.send", { to: ["owl@laptop"], body: "later" });
  all.network.reconnect(laptop.transport!);
  await all.run(10_000);
  assert.deepEqual(laptop.rows("select body from messages order by seq"), [{ body: "long" }, { body: "later" }]);
  assert.deepEqual(desk.rows("select * from outbox"), []);
});

test("machines: what waited when the log was carried to another home is sent from there, and what had gone is not sent again", async () => {
  using all = await world(["desk", "laptop"]);
  const [desk, laptop] = all.machines as [ModelMachine, ModelMachine];
  desk.ask("fox", "mail.send", { to: ["owl@laptop"], body: "gone" });
  await all.run(500);
  all.network.disconnect(desk.transport!);
  desk.ask("fox", "mail.send", { to: ["owl@laptop"], body: "put off", delay_ms: 20_000 });
  desk.ask("fox", "mail.send", { to: ["owl@laptop", "bee"], body: "waits" });
  await all.run(500);
  const rows = desk.exported();
  desk.die();
  using home = new ModelMachine("home", all.network, all.clock);
  home.ask("x", "mail.import", { rows });
  assert.equal(home.ask("x", "mail.import", { rows }).imported, 0);
  assert.deepEqual(home.rows("select unread, dead from totals"), desk.rows("select unread, dead from totals"));
  assert.deepEqual(states(home), states(desk));
  assert.deepEqual(home.rows("select name from participants where name like '%@%'"), []);
  await home.start();
  await all.run(10_000);
  const come = () => laptop.ask("owl", "mail.fetch", { limit: 10 }).messages.map(({ from, body }) => [from, body]);
  assert.deepEqual(come(), [
    ["fox@desk", "gone"],
    ["fox@home", "waits"],
  ]);
  await all.run(15_000);
  assert.deepEqual(come(), [["fox@home", "put off"]]);
  assert.deepEqual(home.rows("select * from outbox"), []);
  assert.deepEqual(home.rows("select waiting from machines where name = 'laptop'"), [{ waiting: 0 }]);
});

test("machines: what has expired on its way is not waited for", async () => {
  using all = await world(["desk", "laptop"]);
  const [desk, laptop] = all.machines as [ModelMachine, ModelMachine];
  all.network.disconnect(desk.transport!);
  desk.ask("fox", "mail.send", { to: ["owl@laptop"], body: "short", ttl_ms: 1_000 });
  desk.ask("fox", "mail.send", { to: ["owl@laptop"], body: "long" });
  all.clock.leap(2_000);
  desk.sweep();
  all.network.reconnect(desk.transport!);
  await all.run(10_000);
  assert.deepEqual(laptop.rows("select body from messages"), [{ body: "long" }]);
  assert.deepEqual(
    states(desk).map(({ state }) => state),
    ["expired", "offered"],
  );
  assert.deepEqual(desk.rows("select * from outbox"), []);
});

const SEEDS = process.env.WARREN_PROOF === "1" ? 300 : 8;

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`machines: whatever happens on the way and to the leaders, each message is there once and in order (${seed})`, async () => {
    const below = seeded(seed * 7919);
    using all = await world(["ash", "elm", "oak"], below);
    const { network, machines, clock } = all;
    network.weather = { lost: 9, unheard: 9, doubled: 7, early: 5, vanished: 11 };
    for (let step = 0; step < 400; step++) {
      const machine = machines[below(3)]!;
      const chance = below(40);
      if (chance < 24) {
        const other = machines[below(3)]!;
        const [from, to] = [`s${below(2)}`, `r${below(2)}`];
        machine.ask(from, "mail.send", {
          to: [`${to}@${other.name}`, ...(below(4) === 0 ? [`r0@${machines[0]!.name}`] : [])],
          body: `${step}`,
          message_id: `m${step}`,
        });
      } else if (chance < 30) {
        const name = `r${below(2)}`;
        const { messages } = machine.ask(name, "mail.fetch", { limit: 5 });
        if (messages.length > 0) machine.ask(name, "mail.ack", { ids: messages.map(({ id }) => id) });
      } else if (chance === 30) network.disconnect(machine.transport!);
      else if (chance < 34) network.reconnect(machine.transport!);
      else if (chance === 34) {
        machine.die();
        await settle();
        await machine.start();
      } else if (chance === 35 && below(4) === 0) network.wipe();
      else clock.leap(below(400));
      await settle();
      for (let count = below(6); count > 0; count--) {
        network.deliver();
        await settle();
      }
    }
    network.weather = FAIR;
    for (const machine of machines) network.reconnect(machine.transport!);
    await all.run(400_000);
    check(machines);
    for (const machine of machines)
      for (const name of ["r0", "r1"]) {
        const { messages } = machine.ask(name, "mail.fetch", { limit: 1_000 });
        machine.ask(name, "mail.ack", { ids: messages.map(({ id }) => id) });
      }
    await all.run(20_000);
    for (const machine of machines) {
      const open = machine.rows("select * from deliveries where instr(recipient, '@') > 0 and state <> 'handled'");
      assert.deepEqual(open, [], "every receipt is back");
      assert.deepEqual(machine.rows("select * from arrivals"), []);
    }
  });
}

/** Every copy is at its recipient once, in the order of its sender; nothing is on its way; and after reading, every receipt is back. */
function check(machines: readonly ModelMachine[]): void {
  for (const machine of machines) {
    assert.deepEqual(machine.rows("select * from outbox"), [], `${machine.name} has sent everything`);
    const doubled = machine.rows("select id, sender from messages group by id, sender having count(*) > 1");
    assert.deepEqual(doubled, []);
  }
  for (const origin of machines) {
    const copies = origin.rows(
      "select m.id, d.sender, d.recipient, d.seq from deliveries d join messages m on m.seq = d.seq where instr(d.recipient, '@') > 0 order by d.seq",
    );
    for (const there of machines) {
      if (there === origin) continue;
      const expected = copies.filter(({ recipient }) => String(recipient).endsWith(`@${there.name}`));
      const arrived = there.rows(
        `select m.id, d.sender, d.recipient from deliveries d join messages m on m.seq = d.seq where d.sender like '%@${origin.name}' order by d.seq`,
      );
      const key = (id: unknown, sender: unknown, recipient: unknown) => `${id} ${sender} ${recipient}`;
      assert.deepEqual(
        arrived.map(({ id, sender, recipient }) => key(id, sender, recipient)).sort(),
        expected
          .map(({ id, sender, recipient }) => key(id, `${sender}@${origin.name}`, String(recipient).split("@")[0]))
          .sort(),
        `${origin.name} → ${there.name}`,
      );
      for (const pair of new Set(arrived.map(({ sender, recipient }) => `${sender} ${recipient}`))) {
        const ids = arrived
          .filter(({ sender, recipient }) => `${sender} ${recipient}` === pair)
          .map(({ id }) => Number(String(id).slice(1)));
        assert.deepEqual(
          ids,
          ids.toSorted((a, b) => a - b),
          `${pair} in order`,
        );
      }
    }
  }
}
