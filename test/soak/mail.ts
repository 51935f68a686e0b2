import assert from "node:assert/strict";
import { MailSite, strike } from "../harness/mail-chaos.ts";
import { judge } from "../harness/mail-history.ts";
import { type Ground, type Part, pause, rounds } from "./ground.ts";

/** Participants that write to each other, while leaders die, are stopped and hand over. The histories of all of them are judged at the end. */
const PARTICIPANTS = 6;
const PAUSE_MS = 500;
const BLOW_PAUSE_MS = { min: 3_000, max: 15_000 };

export class Mail implements Part {
  readonly name = "mail";
  readonly #ground: Ground;
  readonly #site: MailSite;
  #longestMs = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#site = new MailSite(ground.house);
  }

  async open(): Promise<void> {
    const names = Array.from({ length: PARTICIPANTS }, (_, at) => `p${at}`);
    for (const [at, name] of names.entries())
      await this.#site.start({
        name,
        // Each pair one way, so that the mailbox does not take them for two bots in a loop.
        writesTo: [1, 2].map((step) => names[(at + step) % PARTICIPANTS]!),
        broadcasts: false,
        isMember: at % 2 === 0,
        seed: this.#ground.random.between(0, 2 ** 31),
        pauseMs: PAUSE_MS,
      });
  }

  work(): Promise<void> {
    const { random, over, ledger } = this.#ground;
    return rounds(this.#ground, this.name, async () => {
      await pause(random.between(BLOW_PAUSE_MS.min, BLOW_PAUSE_MS.max), over);
      if (over.aborted) return;
      const { afterMs } = await strike(this.#site, random);
      this.#longestMs = Math.max(this.#longestMs, afterMs);
      ledger.add("leader deaths");
    });
  }

  say(): string {
    return `leader deaths ${this.#ground.ledger.count("leader deaths")}`;
  }

  async check(): Promise<void> {
    const { ledger } = this.#ground;
    await this.#site.drain();
    const { findings, counts } = judge(this.#site.history());
    ledger.add("messages", counts.sent);
    ledger.add("messages handled", counts.handled);
    assert.deepEqual(findings.slice(0, 10), [], `${findings.length} findings`);
    assert.equal(counts.left, 0, "nothing is left, and nothing dead");
    assert.ok(counts.handled > 0, "mail was handled");
  }

  /** The longest time from a blow to a leader that answers. */
  get longestMs(): number {
    return this.#longestMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#site[Symbol.asyncDispose]();
  }
}
