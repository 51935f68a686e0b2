import assert from "node:assert/strict";
import type { Client } from "../../src/client/client.ts";
import type { Session } from "../../src/protocol/units.ts";
import { COUNTER_STATUS, checkCount, journalText, startCounters } from "../harness/counting-terminals.ts";
import { waitUntil } from "../harness/wait-until.ts";
import { WatchingTerminal } from "../harness/watching-terminal.ts";
import { type Ground, type Part, pause, rounds } from "./ground.ts";

/** Terminals that count from the beginning to the end, some of them looked at all the time; and short ones that come, exit and are removed. */
const COUNTERS = 6;
/** Between two lines: what a journal keeps (64 MiB) is not reached within eight hours, so that it has all of it at the end. */
const LINE_MS = 30;
const WATCHED = 2;
const SHORT_PAUSE_MS = 2_000;
const END_MS = 30_000;

export class Sessions implements Part {
  readonly name = "sessions";
  counters: Session[] = [];
  readonly #ground: Ground;
  readonly #client: Client;
  #watching: WatchingTerminal[] = [];
  #short = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#client = ground.house.client();
  }

  async open(): Promise<void> {
    const { house } = this.#ground;
    this.counters = await startCounters(house, COUNTERS, { lineMs: LINE_MS });
    const watched = this.counters.slice(0, WATCHED);
    this.#watching = await Promise.all(watched.map(({ id }) => WatchingTerminal.attach(house.places, id)));
  }

  work(): Promise<void> {
    return rounds(this.#ground, this.name, () => this.#oneShort());
  }

  say(): string {
    return `sessions ${this.#ground.ledger.count("short sessions")}`;
  }

  async check(): Promise<void> {
    const { sessions } = await this.#client.request("session.list", {});
    for (const { id, pid, name } of this.counters)
      assert.equal(sessions.find((one) => one.id === id)?.pid, pid, `${name}: the same program`);
    for (const { pid } of this.counters) process.kill(pid, "SIGUSR1");
    for (const session of this.counters) {
      await this.#ends(session, COUNTER_STATUS);
      const last = checkCount(await journalText(this.#ground.house, session), session.name);
      this.#ground.ledger.add("counted lines", last);
    }
    for (const terminal of this.#watching) await checkWatching(terminal, "a terminal that was attached");
  }

  /** Closes what looks on. */
  [Symbol.dispose](): void {
    for (const terminal of this.#watching) terminal[Symbol.dispose]();
  }

  async #oneShort(): Promise<void> {
    const { house, random, ledger, over } = this.#ground;
    const status = random.between(0, 99);
    const words = `short ${this.#short++}`;
    const { session } = await this.#client.request("session.new", {
      command: ["sh", "-c", `echo ${words}; exit ${status}`],
      workdir: house.dir,
      env: [`PATH=${house.env.PATH}`],
    });
    await this.#ends(session, status);
    assert.equal(await journalText(house, session), `${words}\r\n`, session.name);
    await this.#client.request("session.remove", { session: session.id });
    ledger.add("short sessions");
    await pause(random.between(0, SHORT_PAUSE_MS), over);
  }

  async #ends({ id, name }: Session, status: number): Promise<void> {
    const conditions = [{ kind: "exit" as const }];
    const { session } = await this.#client.request("session.wait", { session: id, conditions, timeout_ms: END_MS });
    assert.deepEqual(session.outcome, { kind: "exited", status }, name);
  }
}

/** It has seen everything from where it came in, once, and the true end. */
export async function checkWatching(terminal: WatchingTerminal, what: string): Promise<void> {
  await waitUntil(() => terminal.outcome !== undefined || terminal.failure !== undefined, {
    what: `the end at ${what}`,
    deadlineMs: END_MS,
    everyMs: 50,
  });
  assert.equal(terminal.failure, undefined, what);
  assert.deepEqual(terminal.outcome, { kind: "exited", status: COUNTER_STATUS }, what);
  assert.equal(terminal.skippedBytes, 0, `${what}: nothing was skipped`);
  checkCount(terminal.output, what);
}
