import type { Client } from "../../src/client/client.ts";
import { isWarrenError } from "../../src/protocol/errors.ts";
import { MailHome } from "./mail.ts";
import type { HistoryLine } from "./mail-history.ts";
import { monotonicMs } from "./mail-history-file.ts";
import { killProcess } from "./processes.ts";
import { waitUntil } from "./wait-until.ts";

/** A home as one machine among others, with a client of its own. */
const JOIN_MS = 30_000;
const CAUGHT_UP_MS = 60_000;
const RETRY_MS = 20;

export class Machine implements AsyncDisposable {
  readonly name: string;
  readonly home: MailHome;
  readonly client: Client;

  private constructor(name: string) {
    this.name = name;
    this.home = new MailHome();
    this.client = this.home.client();
  }

  static async join(name: string, url: string, { ca }: { ca?: string } = {}): Promise<Machine> {
    const machine = new Machine(name);
    const asked = { url, machine: name, ...(ca === undefined ? {} : { ca }) };
    try {
      await machine.client.request("mail.join_machines", asked, { timeoutMs: JOIN_MS });
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Resolves when it is connected, and sees that one. */
  async sees(other: string, state: "connected" | "away" = "connected"): Promise<void> {
    await waitUntil(
      async () => {
        const { machines } = (await this.client.request("mail.machines", {})).machines;
        return machines.some((one) => one.name === other && one.state === state);
      },
      { what: `${this.name} to see ${other} ${state}`, deadlineMs: CAUGHT_UP_MS },
    );
  }

  /** Resolves when nothing of it is on its way. */
  async hasSentAll(): Promise<void> {
    await waitUntil(() => this.home.query<{ count: number }>("select count(*) as count from outbox")[0]?.count === 0, {
      what: `everything of ${this.name} to arrive`,
      deadlineMs: CAUGHT_UP_MS,
    });
  }

  async killLeader(): Promise<void> {
    const leader = await this.home.leader();
    killProcess(leader);
    await this.home.leader({ afterEpoch: leader.epoch });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.home[Symbol.asyncDispose]();
  }
}

/** Somebody who writes to one on another machine, and reads what comes; all is written down for the judge. */
export class Correspondent {
  readonly #machine: Machine;
  readonly #name: string;
  readonly #lines: HistoryLine[] = [];
  #count = 0;
  #isReading = true;

  constructor(machine: Machine, name: string) {
    this.#machine = machine;
    this.#name = name;
  }

  get address(): string {
    return `${this.#name}@${this.#machine.name}`;
  }

  async write(to: string, count: number): Promise<void> {
    for (let at = 0; at < count; at++) await this.#writeOne(to);
  }

  async read(): Promise<void> {
    while (this.#isReading) {
      try {
        await this.#readSome();
      } catch {
        await new Promise((wake) => setTimeout(wake, RETRY_MS)); // offered again
      }
    }
  }

  stop(): void {
    this.#isReading = false;
  }

  /** `seqOf`: where the message of this one is in the log of its recipient, which is what readers saw. */
  history(seqOf: (sender: string, id: string) => number | undefined): HistoryLine[] {
    const ids = new Map(this.#lines.flatMap((line) => (line.kind === "send" ? [[line.op, line.id]] : [])));
    return this.#lines.map((line) =>
      line.kind === "sent" ? { ...line, seq: seqOf(this.address, ids.get(line.op)!) ?? -1 } : line,
    );
  }

  async #writeOne(to: string): Promise<void> {
    const id = `${this.#name}-${this.#machine.name}-${++this.#count}`;
    const counter = this.#count;
    for (let attempt = 0; ; attempt++) {
      const base = { by: this.address, op: `${id}.${attempt}` };
      this.#lines.push({ ...base, kind: "send", id, to: [to], counter, atMs: monotonicMs() });
      try {
        const payload = { as: this.#name, to: [to], body: `${this.#count}`, message_id: id };
        const { message } = await this.#machine.client.request("mail.send", payload);
        this.#lines.push({ ...base, kind: "sent", seq: message.seq, to: [to], atMs: monotonicMs() });
        return;
      } catch (error) {
        const code = isWarrenError(error) ? error.code : String(error);
        this.#lines.push({ ...base, kind: "unknown", code, atMs: monotonicMs() });
        await new Promise((wake) => setTimeout(wake, RETRY_MS));
      }
    }
  }

  async #readSome(): Promise<void> {
    const fetch = { by: this.address, op: `f${this.#lines.length} ${this.address}` };
    this.#lines.push({ ...fetch, kind: "fetch", atMs: monotonicMs() });
    const { messages } = await this.#machine.client.request("mail.fetch", {
      as: this.#name,
      wait_ms: 200,
      lease_ms: 2_000,
    });
    const copies = messages.map(({ from, id, seq }) => ({ from, id, seq }));
    this.#lines.push({ ...fetch, kind: "fetched", messages: copies, atMs: monotonicMs() });
    if (messages.length === 0) return;
    const ack = { by: this.address, op: `a${this.#lines.length} ${this.address}` };
    this.#lines.push({ ...ack, kind: "ack", messages: copies, atMs: monotonicMs() });
    const { acknowledged } = await this.#machine.client.request("mail.ack", {
      as: this.#name,
      ids: copies.map(({ id }) => id),
    });
    const done = copies.filter(({ id }) => acknowledged.includes(id));
    this.#lines.push({ ...ack, kind: "acked", messages: done, atMs: monotonicMs() });
  }
}
