import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Client } from "../src/client/client.ts";
import { systemClock } from "../src/platform/clock.ts";
import { silentLog } from "../src/platform/log.ts";
import type { Participant } from "../src/protocol/mail-units.ts";
import type { Session } from "../src/protocol/units.ts";
import { deliverMail, type MailedAgent } from "../src/server/mail-agent.ts";
import { MailBells } from "../src/server/mail-bells.ts";
import { joining } from "../src/server/mail-presence.ts";
import { temporaryHome } from "./harness/home.ts";
import { MailHome } from "./harness/mail.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { WatchingAgent } from "./harness/watching-agent.ts";

/** What a server does for the agents that it holds: wakes each by its mail, and tells which of them work. */
const TIMEOUT_MS = 120_000;
const SCRIPTED = join(import.meta.dirname, "..", "examples", "agents", "scripted.ts");
/** More than one connection may have requests in hand. */
const MANY = 300;

/** One that takes everything at once. */
class TakingAgent implements MailedAgent {
  readonly prompts: string[] = [];
  readonly #over = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly name: string;
  isFree = true;
  readonly isSteered = true;

  constructor(name: string) {
    this.name = name;
  }

  async prompt(text: string, requestId: string): Promise<void> {
    this.prompts.push(text);
    this.#over.add(requestId);
  }

  isOver(requestId: string): boolean | undefined {
    return this.#over.has(requestId) || undefined;
  }

  isWaiting(_requestId: string): boolean {
    return false;
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** What a server does for agents, by a connection of its own. */
class AgentsServer implements Disposable {
  readonly client: Client;
  readonly #bells: MailBells;

  constructor(mail: MailHome) {
    this.client = mail.member({
      kind: "server",
      introduce: () => [{ type: "mail.join", payload: joining({}, "test") }],
    }).client;
    this.#bells = new MailBells({ client: this.client, clock: systemClock, log: silentLog });
  }

  /** Until the answer is called, which resolves when nothing of it goes on. */
  serve(agents: readonly MailedAgent[]): () => Promise<void> {
    const over = new AbortController();
    const common = { client: this.client, bells: this.#bells, clock: systemClock, log: silentLog, signal: over.signal };
    const delivering = agents.map((agent) => deliverMail({ agent, ...common }));
    return async () => {
      over.abort();
      await Promise.all(delivering);
    };
  }

  [Symbol.dispose](): void {
    this.#bells.close();
  }
}

test(
  `mail: ${MANY} idle agents of one server hold up nothing, and each is woken by its mail`,
  { timeout: TIMEOUT_MS },
  async () => {
    await using mail = new MailHome();
    const person = mail.client();
    using server = new AgentsServer(mail);
    const { client } = server;
    const agents = Array.from({ length: MANY }, (_, at) => new TakingAgent(`agent-${at}`));
    const names = agents.map(({ name }) => name);
    await Promise.all(names.map((name) => client.request("mail.register", { name, unit: `unit of ${name}` })));
    const stop = server.serve(agents);
    const prompted = (count: number) =>
      waitUntil(() => agents.every(({ prompts }) => prompts.length === count), { what: `${count} prompts of each` });
    await person.request("mail.send", { as: "you", to: names, body: "one" });
    await prompted(1);
    await client.request("mail.ping", {}, { timeoutMs: 20_000 });
    const { pid, epoch } = await mail.leader();
    await mail.standby(person);
    process.kill(pid, "SIGKILL");
    await mail.leader({ afterEpoch: epoch });
    await person.request("mail.send", { as: "you", to: names, body: "two" });
    await prompted(2);
    await person.request("mail.send", { as: "you", to: names, body: "three" });
    await prompted(3);
    await waitUntil(async () => (await person.request("mail.status", {})).status.unread === 0, { what: "all handled" });
    assert.ok(agents.every(({ prompts }) => prompts[0]!.includes("\none\n") && prompts[1]!.includes("\ntwo\n")));
    await stop();
  },
);

/** One whose prompts wait until the test says what becomes of them. */
class WaitingAgent extends TakingAgent {
  readonly #waiting = new Set<string>();
  readonly #done = new Set<string>();
  readonly requestIds: string[] = [];

  override async prompt(text: string, requestId: string): Promise<void> {
    this.prompts.push(text);
    this.requestIds.push(requestId);
    this.#waiting.add(requestId);
  }

  override isOver(requestId: string): boolean | undefined {
    return this.#done.has(requestId) || undefined;
  }

  override isWaiting(requestId: string): boolean {
    return this.#waiting.has(requestId);
  }

  /** Somebody cancels what waits, or it has its turn. */
  end(how: "cancelled" | "done"): void {
    if (how === "done") for (const id of this.#waiting) this.#done.add(id);
    this.#waiting.clear();
    this.changed();
  }
}

test(
  "mail: a prompt of mail that is cancelled before its turn goes back, and is a prompt again",
  { timeout: TIMEOUT_MS },
  async () => {
    await using mail = new MailHome();
    const person = mail.client();
    using server = new AgentsServer(mail);
    const { client } = server;
    const agent = new WaitingAgent("owl");
    await client.request("mail.register", { name: "owl", unit: "unit of owl" });
    const stateOf = async (): Promise<string | undefined> => {
      const { messages } = await person.request("mail.history", { with: "owl" });
      return messages[0]?.receipts.find(({ to }) => to === "owl")?.state;
    };
    const first = server.serve([agent]);
    await person.request("mail.send", { as: "you", to: ["owl"], body: "hello" });
    await waitUntil(async () => (await stateOf()) === "seen", { what: "the prompt to wait" });
    agent.end("cancelled");
    await waitUntil(() => agent.prompts.length === 2, { what: "it to be a prompt again" });
    assert.equal(agent.requestIds[0], agent.requestIds[1]);
    await waitUntil(async () => (await stateOf()) === "seen", { what: "the prompt to wait again" });
    await first();
    const second = server.serve([agent]); // another server, which finds it in the queue
    agent.end("done");
    await waitUntil(async () => (await stateOf()) === "handled", { what: "its turn to be over" });
    assert.equal(agent.prompts.length, 2);
    await second();
  },
);

test(
  "mail: an agent that works is busy, and idle when its turn is over; a terminal is neither",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome({ env: { WARREN_MAIL_PORT: "0", SCRIPTED_AGENT_LOG: "prompts.log" } });
    const run = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await house.warren(args);
      assert.equal(status, 0, stderr);
      return stdout;
    };
    const is = (name: string, presence: string) =>
      waitUntil(
        async () => {
          const all = JSON.parse(await run("mail", "list", "--all", "--json")) as Participant[];
          return all.find((one) => one.name === name)?.presence === presence;
        },
        { what: `${name} to be ${presence}` },
      );
    await run("mail", "send", "somebody", "the mailbox is used");
    await run("new", "--agent", `${process.execPath} ${SCRIPTED}`, "--name", "owl");
    await run("new", "-d", "--name", "fox", "--", "cat");
    await is("owl", "idle");
    await is("fox", "live");
    const go = join(house.dir, "go");
    await run("mail", "send", "owl", `run until [ -e ${go} ]; do sleep 0.02; done`);
    await is("owl", "busy");
    const { recipients } = JSON.parse(await run("mail", "send", "owl", "say next", "--json")) as {
      recipients: Participant[];
    };
    assert.equal(recipients[0]?.name, "owl");
    // The one who leads now was never told: the server says it again.
    process.kill(JSON.parse(await run("mail", "status", "--json")).leader.pid, "SIGKILL");
    await is("owl", "busy");
    writeFileSync(go, "");
    await is("owl", "idle");
    await run("stop", "owl");
    await is("owl", "gone");
  },
);

test(
  "mail: after a move that failed an agent is woken by its mail as before, and followed as before",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome({ env: { WARREN_MAIL_PORT: "0" } });
    const run = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await house.warren(args);
      assert.equal(status, 0, stderr);
      return stdout;
    };
    const command = `${process.execPath} ${SCRIPTED}`;
    const owl = JSON.parse(await run("new", "--agent", command, "--name", "owl", "--json")) as Session;
    using watching = await WatchingAgent.watch(house.places, owl.id);
    await run("mail", "send", "owl", "say before");
    await watching.untilTurns(1);
    const moved = house.client().request("session.move", { session: owl.id, to: "nobody" });
    await assert.rejects(moved, { code: "MOVE_FAILED" });
    await run("mail", "send", "owl", "say after");
    await watching.untilTurns(2);
    await watching.assertSame();
  },
);
