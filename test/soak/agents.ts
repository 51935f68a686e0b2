import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../src/client/client.ts";
import type { Session } from "../../src/protocol/units.ts";
import { linesOf, newAgent } from "../harness/busy-agents.ts";
import { WatchingAgent } from "../harness/watching-agent.ts";
import { type Ground, type Part, pause, rounds } from "./ground.ts";

/** Scripted agents: some that work all the time, turn after turn, every second with a question; and now and then one that comes for one turn and goes. */
const AGENTS = 2;
const STEPS = 3;
const TURN_PAUSE_MS = 3_000;
const GUEST_PAUSE_MS = 30_000;

interface Worker {
  session: Session;
  watching: WatchingAgent;
  turns: number;
  effects: string[];
  prompts: string[];
}

export class Agents implements Part {
  readonly name = "agents";
  readonly #ground: Ground;
  readonly #client: Client;
  readonly #workers: Worker[] = [];
  readonly #promptsOfGuests: string[] = [];

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#client = ground.house.client();
  }

  async open(): Promise<void> {
    mkdirSync(join(this.#ground.house.dir, "effects"));
    for (let at = 0; at < AGENTS; at++) this.#workers.push(await this.#hire());
  }

  async work(): Promise<void> {
    const { ledger, over, random } = this.#ground;
    const working = this.#workers.map((worker) =>
      rounds(this.#ground, this.name, async () => {
        await this.#turn(worker);
        ledger.add("turns");
        await pause(random.between(0, TURN_PAUSE_MS), over);
      }),
    );
    await Promise.all([...working, rounds(this.#ground, this.name, () => this.#guest())]);
  }

  say(): string {
    return `turns ${this.#ground.ledger.count("turns")}`;
  }

  async check(): Promise<void> {
    for (const worker of this.#workers) {
      this.#checkEffects(worker);
      await worker.watching.assertSame();
    }
    const log = linesOf(join(this.#ground.house.dir, "prompts.log")).map((line) => JSON.parse(line).text as string);
    const asked = [...this.#workers.flatMap(({ prompts }) => prompts), ...this.#promptsOfGuests];
    assert.deepEqual(log.toSorted(), asked.toSorted(), "each agent was asked everything once");
  }

  [Symbol.dispose](): void {
    for (const { watching } of this.#workers) watching[Symbol.dispose]();
  }

  async #hire(): Promise<Worker> {
    const session = await newAgent(this.#ground.house);
    const watching = await WatchingAgent.watch(this.#ground.house.places, session.id);
    return { session, watching, turns: 0, effects: [], prompts: [] };
  }

  /** A sentence and a tool call for each step; every second turn asks before it ends. */
  async #turn(worker: Worker): Promise<void> {
    const { watching, effects, prompts } = worker;
    const turn = ++worker.turns;
    const asks = turn % 2 === 0;
    const file = `effects/${worker.session.id}`;
    const steps = Array.from({ length: STEPS }, (_, step) => `${turn}.${step}`);
    const lines = steps.flatMap((step) => [`say part ${step};`, `run echo ${step} >> ${file}`, "wait 80ms"]);
    if (asks) lines.push(`ask "go on after ${turn}?" allow|deny`, `run echo ${turn}.allowed >> ${file}`);
    const script = lines.join("\n");
    prompts.push(script);
    effects.push(...steps, ...(asks ? [`${turn}.allowed`] : []));
    await watching.prompt(script);
    if (asks) {
      await watching.untilAsked();
      await watching.answer("allow", "ann");
    }
    const isOver = (): boolean =>
      watching.state === "idle" && linesOf(join(this.#ground.house.dir, file)).length >= effects.length;
    await watching.until(isOver, `turn ${turn} of ${worker.session.name} to be over`);
  }

  #checkEffects({ session, effects }: Worker): void {
    const found = linesOf(join(this.#ground.house.dir, "effects", session.id));
    assert.deepEqual(found, effects, `${session.name}: each tool call once, and in order`);
  }

  async #guest(): Promise<void> {
    const { over, random, ledger } = this.#ground;
    const worker = await this.#hire();
    try {
      await this.#turn(worker);
      this.#checkEffects(worker);
      await this.#client.request("session.stop", { session: worker.session.id });
      await this.#client.request("session.remove", { session: worker.session.id });
    } finally {
      this.#promptsOfGuests.push(...worker.prompts);
      worker.watching[Symbol.dispose]();
    }
    ledger.add("guests");
    await pause(random.between(0, GUEST_PAUSE_MS), over);
  }
}
