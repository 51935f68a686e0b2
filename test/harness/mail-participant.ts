import { createInterface } from "node:readline";
import { Client } from "../../src/client/client.ts";
import { dialMailbox } from "../../src/local/mail-link.ts";
import { MailMember } from "../../src/local/mail-member.ts";
import type { Build } from "../../src/platform/build.ts";
import { resolvePlaces } from "../../src/platform/paths.ts";
import { isWarrenError } from "../../src/protocol/errors.ts";
import type { OfferedMessage } from "../../src/protocol/mail-units.ts";
import type { Handled } from "./mail-history.ts";
import { type Entry, HistoryFile, monotonicMs } from "./mail-history-file.ts";
import { type Random, randomOf } from "./random.ts";

/**
 * A process that takes part in a mailbox while leaders die: it sends, fetches, acknowledges, returns, forgets and answers by chance, repeats what is left
 * open, and writes down all of it. Told on its standard input: `finish` (send nothing new; then it says `finished`), `end`.
 */
export interface Role {
  name: string;
  /** Whom it writes to by itself; answers go anywhere. One way only between two, or the mailbox suspects a loop. */
  writesTo: string[];
  broadcasts: boolean;
  /** It holds its connection and starts leaders; others dial when they want something. */
  isMember: boolean;
  seed: number;
  /** Counts the processes; one that goes on in the place of another has a higher one. */
  generation: number;
  history: string;
  build: Build;
  /** Between two sends. */
  pauseMs: number;
}

/** The most that two participants answer each other in a minute; fewer than the mailbox suspects. */
const REPLIES_A_MINUTE = 8;
const MINUTE_MS = 60_000;
const REQUESTS_MAX = 1_000_000;
const PIPELINED_MAX = 8;
const RETRY_MS = 20;
const GIVEN_UP: readonly string[] = ["CLOSED", "ABORTED"];
/** Answers after which the request may have been carried out. */
const LEFT_OPEN: readonly string[] = [
  ...GIVEN_UP,
  "CONNECTION_LOST",
  "TIMEOUT",
  "SERVER_SILENT",
  "MAIL_FENCED",
  "MAIL_NOT_STORED",
  "MAIL_NOT_LEADING",
  "MAIL_CLOSED",
  "NO_LEADER",
  "MAIL_START_FAILED",
];

export class MailParticipant {
  readonly #role: Role;
  readonly #client: Pick<Client, "request" | "close">;
  readonly #file: HistoryFile;
  readonly #random: Random;
  readonly #repliesMs = new Map<string, number[]>();
  #counter: number;
  #nextMessage = 1;
  #nextOp = 1;
  #isFinishing = false;
  #isEnding = false;
  readonly longest = { sendMs: 0 };

  constructor(role: Role, client: Pick<Client, "request" | "close">) {
    this.#role = role;
    this.#client = client;
    this.#counter = role.generation * REQUESTS_MAX;
    this.#random = randomOf(role.seed);
    this.#file = new HistoryFile(role.history, role.name);
  }

  async run(): Promise<void> {
    const { name } = this.#role;
    await this.#persist(() => this.#client.request("mail.register", { name, key: `key of ${name}` }));
    say("ready");
    const reading = this.#readMail();
    await this.#sendMail();
    say("finished");
    await reading;
    this.#client.close();
  }

  finish(): void {
    this.#isFinishing = true;
  }

  end(): void {
    this.#isFinishing = true;
    this.#isEnding = true;
  }

  async #sendMail(): Promise<void> {
    const { writesTo, broadcasts, pauseMs } = this.#role;
    while (!this.#isFinishing) {
      const count = this.#random.oneIn(5) ? this.#random.between(2, PIPELINED_MAX) : 1;
      const sends = Array.from({ length: count }, () => {
        const to = broadcasts && this.#random.oneIn(20) ? ["@all"] : [this.#random.pick(writesTo)];
        return this.#send(to);
      });
      await Promise.all(sends);
      await pause(this.#random.between(0, 2 * pauseMs));
    }
  }

  /** Until it is answered, as an agent does who wants it to arrive: the same message again. */
  async #send(to: string[]): Promise<void> {
    const message_id = this.#newId();
    const body = "x".repeat(this.#random.between(1, 2_000));
    await this.#persist(() => this.#sendOnce(to, { message_id, body }));
  }

  async #sendOnce(to: string[], content: { message_id: string; body: string }): Promise<void> {
    const beganMs = monotonicMs();
    const id = content.message_id;
    await this.#tell({ kind: "send", id, to, counter: ++this.#counter }, async () => {
      const { message, is_new, recipients, epoch } = await this.#client.request("mail.send", { to, ...content });
      const reached = recipients.filter(({ problem }) => problem === undefined).map(({ name }) => name);
      return { kind: "sent", seq: message.seq, ...(is_new ? { to: reached } : {}), ...inEpoch(epoch) };
    });
    this.longest.sendMs = Math.max(this.longest.sendMs, monotonicMs() - beganMs);
  }

  async #readMail(): Promise<void> {
    while (!this.#isEnding) {
      const messages = await this.#fetch().catch(() => undefined);
      if (!messages) await pause(RETRY_MS);
      else if (messages.length > 0) await this.#handle(messages);
    }
  }

  async #fetch(): Promise<OfferedMessage[]> {
    const limit = this.#random.between(1, 60);
    const lease_ms = this.#random.between(1_500, 4_000);
    let messages: OfferedMessage[] = [];
    await this.#tell({ kind: "fetch" }, async () => {
      const answer = await this.#client.request("mail.fetch", { limit, lease_ms, wait_ms: 300 });
      messages = answer.messages;
      const copies = messages.map(({ from, id, seq }) => ({ from, id, seq }));
      return { kind: "fetched", messages: copies, epoch: answer.epoch };
    });
    return messages;
  }

  /** Mostly acknowledges them; at times one by one, or returns some, or forgets them, or answers. */
  async #handle(messages: OfferedMessage[]): Promise<void> {
    const attempt = (work: Promise<unknown>): Promise<unknown> => work.catch(() => {}); // it is offered again
    const chance = this.#random.between(1, 20);
    if (chance === 1) return; // its lease will end
    const answered = this.#isFinishing ? undefined : messages.find(({ from }) => this.#mayAnswer(from));
    if (answered) await attempt(this.#reply(answered));
    const rest = messages.filter((one) => one !== answered);
    if (chance === 2) {
      const ids = rest.map(({ id }) => id);
      await attempt(this.#client.request("mail.nak", { ids, delay_ms: this.#random.between(0, 300) }));
    } else if (chance <= 5) await Promise.all(rest.map((one) => attempt(this.#acknowledge([one]))));
    else if (rest.length > 0) await attempt(this.#acknowledge(rest));
  }

  #acknowledge(messages: readonly OfferedMessage[]): Promise<void> {
    const handled: Handled[] = messages.map(({ from, id }) => ({ from, id }));
    return this.#tell({ kind: "ack", messages: handled }, async () => {
      const { acknowledged, epoch } = await this.#client.request("mail.ack", { ids: handled.map(({ id }) => id) });
      return { kind: "acked", messages: handled.filter(({ id }) => acknowledged.includes(id)), ...inEpoch(epoch) };
    });
  }

  #reply({ from, id }: OfferedMessage): Promise<void> {
    const message_id = this.#newId();
    const handles = { from, id };
    const counter = ++this.#counter;
    return this.#tell({ kind: "send", id: message_id, to: [from], counter, handles }, async () => {
      const { message, epoch } = await this.#client.request("mail.reply", { id, from, body: "done", message_id });
      return { kind: "sent", seq: message.seq, to: [from], ...inEpoch(epoch) };
    });
  }

  #newId = (): string => `${this.#role.name}-${this.#role.generation}-${this.#nextMessage++}`;

  #mayAnswer(name: string): boolean {
    const recent = (this.#repliesMs.get(name) ?? []).filter((atMs) => monotonicMs() - atMs < MINUTE_MS);
    if (recent.length >= REPLIES_A_MINUTE || !this.#random.oneIn(20)) return false;
    this.#repliesMs.set(name, [...recent, monotonicMs()]);
    return true;
  }

  /** Writes down the request and its end. */
  async #tell(begun: EntryOf<"send" | "fetch" | "ack">, work: () => Promise<EndOf>): Promise<void> {
    const op = `${this.#role.name} ${process.pid} ${this.#nextOp++}`;
    this.#file.write({ ...begun, op } as Entry);
    try {
      this.#file.write({ ...(await work()), op } as Entry);
    } catch (error) {
      const code = isWarrenError(error) ? error.code : String(error);
      this.#file.write({ kind: LEFT_OPEN.includes(code) || !isWarrenError(error) ? "unknown" : "refused", op, code });
      throw error;
    }
  }

  async #persist<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (!this.#isEnding) {
      try {
        return await work();
      } catch (error) {
        if (isWarrenError(error) && !LEFT_OPEN.includes(error.code)) throw error;
        await pause(RETRY_MS);
      }
    }
    return undefined;
  }
}

type EntryOf<K> = DistributiveOmit<Extract<Entry, { kind: K }>, "op">;
type EndOf = EntryOf<"sent" | "fetched" | "acked">;

const inEpoch = (epoch: number | undefined): { epoch?: number } => (epoch === undefined ? {} : { epoch });
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

const say = (word: string): void => void process.stdout.write(`${word}\n`);
const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

function clientOf({ name, build, isMember }: Role): Client {
  const register = { type: "mail.register", payload: { name, key: `key of ${name}` } } as const;
  const link = { places: resolvePlaces(process.env), build, env: process.env, introduce: () => [register] };
  if (isMember) return new MailMember({ ...link, kind: "serve", name }).client;
  const randomId = (): string => crypto.randomUUID();
  return new Client({ dial: dialMailbox({ ...link, mode: "start" }), name, version: "0", randomId });
}

if (process.argv[1] === import.meta.filename) {
  const role = JSON.parse(process.argv[2] ?? "{}") as Role;
  const participant = new MailParticipant(role, clientOf(role));
  createInterface({ input: process.stdin })
    .on("line", (line) => (line === "finish" ? participant.finish() : participant.end()))
    .on("close", () => participant.end());
  await participant.run();
  say(`longest ${participant.longest.sendMs.toFixed(1)}`);
  process.exit(); // a member's heartbeat would hold it
}
