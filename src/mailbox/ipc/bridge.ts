import { createHash } from "node:crypto";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { type Log, silentLog } from "../../platform/log.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { OfferedMessage, Participant } from "../../protocol/mail-units.ts";
import { isRemote } from "../log/addresses.ts";
import type { By } from "../log/operations.ts";
import { askBroker, type BrokerPlace, FOREIGN_REQUEST_BYTES_MAX } from "./foreign-broker.ts";
import { contentOf, isObject, toMail } from "./ipc-content.ts";
import { type IpcLog, IpcMail } from "./ipc-log.ts";
import { type StoreLarge, shorten } from "./large-message.ts";
import { pythonDumps } from "./python-json.ts";
import { type IpcMessage, naiveTimestamp } from "./replies.ts";
import { secretProof } from "./session-tokens.ts";

/**
 * While claude-ipc's own broker has the port: our participants have a name there, and its names are participants here, held by this bridge.
 *
 * 1. Mail to one of its names is sent there by the name of its sender, and acknowledged here when the broker has said `ok`: that is all that can be known of it
 *    from then on. Before that it is only looked at: what finds no room there waits as long as it lives, and no number of attempts makes it dead.
 * 2. Mail there to one of our names is taken by `check`, and stored here. `check` there takes away what it shows: if this process is killed in that moment, that
 *    is lost, as with any client of that broker. A message that is taken twice is stored once.
 * 3. A name that is registered here is never given to somebody there: what comes in such a name is said to come from the bridge.
 * 4. When the broker is gone, its names are free here, and their mail stays for them.
 */

/** The bridge's own name, there and here. */
const BRIDGE_NAME = "warren-bridge";

/** Their names here are in this group, so that the next leader knows them too. */
const GROUP = "claude-ipc";
/** Their broker admits 100 requests a minute of one name: 40 for looking, the others for sending. */
const ROUND_MS = 1_500;
/** After a full queue there, or too many requests, and for what could not be sent. */
const AGAIN_MS = 15_000;
/** A round fails as a whole so often, one after the other, before the broker counts as gone; one that refuses connections is gone at once. */
const FAILED_ROUNDS_MAX = 5;

export interface BridgeOptions {
  broker: BrokerPlace;
  mail: IpcLog;
  storeLarge: StoreLarge;
  /** The process that the foreign names are held by. */
  self: { pid: number; pidStart: string };
  secret?: string | undefined;
  clock?: Clock;
  log?: Log;
  roundMs?: number;
}

export class IpcBridge {
  /** Resolves when the broker is gone, or after `close`. */
  readonly closed: Promise<"gone" | "closed">;
  readonly #options: BridgeOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #mail: IpcMail;
  /** Of the names that we have there. */
  readonly #tokens = new Map<string, string>();
  /** The names of others there, that we hold here. */
  readonly #held = new Set<string>();
  /** By name: when its mail is tried again; monotonic. */
  readonly #againMs = new Map<string, number>();
  /** By name: taken there, and not stored here yet. */
  readonly #taken = new Map<string, Record<string, unknown>[]>();
  readonly #end = new AbortController();

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
    this.#mail = new IpcMail(options.mail, () => this.#clock.wallMs());
    this.closed = this.#run();
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.closed;
  }

  async #run(): Promise<"gone" | "closed"> {
    let failed = 0;
    while (!this.#end.signal.aborted) {
      try {
        await this.#round();
        failed = 0;
      } catch (error) {
        failed += 1;
        const isGone = isWarrenError(error, "BROKER_GONE");
        this.#log.warn("mail_bridge_failed", { error: messageOf(error), failed });
        if (isGone || failed >= FAILED_ROUNDS_MAX) break;
      }
      await this.#pause();
    }
    await this.#letGo();
    return this.#end.signal.aborted ? "closed" : "gone";
  }

  async #round(): Promise<void> {
    const theirs = await this.#namesThere();
    const { participants } = await this.#mail.read("mail.list", {});
    const ours = participants.filter((each) => this.#isOurs(each)).map(({ name }) => name);

    for (const name of theirs) if (!ours.includes(name) && !this.#tokens.has(name)) await this.#hold(name);
    for (const name of this.#held) await this.#passOn(name).catch((error: unknown) => this.#unlessGone(name, error));
    for (const name of ours) await this.#takeIn(name, ours).catch((error: unknown) => this.#unlessGone(name, error));
  }

  /** One name's trouble is not the others'. */
  #unlessGone(name: string, error: unknown): void {
    if (isWarrenError(error, "BROKER_GONE")) throw error;
    this.#log.warn("mail_bridge_name_failed", { name, error: messageOf(error) });
  }

  /** Registered here by somebody else than a bridge. */
  #isOurs({ name, presence, registered_at, forwards_to, groups, owner }: Participant): boolean {
    if (registered_at === undefined || forwards_to !== undefined || this.#held.has(name) || name === BRIDGE_NAME)
      return false;
    return owner !== "nobody" || !groups.includes(GROUP) || presence !== "gone";
  }

  async #namesThere(): Promise<string[]> {
    const reply = await this.#as(BRIDGE_NAME, { action: "list" });
    const instances = Array.isArray(reply.instances) ? reply.instances : [];
    return instances.flatMap((each) => (isObject(each) && typeof each.id === "string" ? [each.id] : []));
  }

  async #hold(name: string): Promise<void> {
    const { pid, pidStart } = this.#options.self;
    const payload = { name, pid, pid_start: pidStart, groups: [GROUP] };
    try {
      await this.#mail.perform("mail.register", bridgeAs(name), payload);
      this.#held.add(name);
    } catch (error) {
      this.#log.warn("mail_bridge_name_refused", { name, error: messageOf(error) });
    }
  }

  /** Ours to theirs. */
  async #passOn(name: string): Promise<void> {
    if ((this.#againMs.get(name) ?? 0) > this.#clock.monotonicMs()) return;
    while (!this.#end.signal.aborted) {
      const look = { as: name, peek: true, limit: 1 };
      const [message] = (await this.#mail.perform("mail.fetch", bridgeAs(name), look)).messages;
      if (message === undefined) return;
      const reply = await this.#sendThere(name, message).catch(async (error: unknown) => {
        if (!isWarrenError(error, "BROKER_GONE")) await this.#return(name, message, messageOf(error));
        throw error;
      });
      if (reply.status !== "ok") return this.#wait(name, String(reply.message));
      await this.#offer(name, message);
      await this.#mail.perform("mail.ack", bridgeAs(name), { as: name, ids: [message.id], from: message.from });
    }
  }

  #wait(name: string, reason: string): void {
    this.#log.warn("mail_bridge_waits", { name, reason });
    this.#againMs.set(name, this.#clock.monotonicMs() + AGAIN_MS);
  }

  /** It alone: what others wrote to that name is not held up. */
  async #return(name: string, message: OfferedMessage, reason: string): Promise<void> {
    const { id, from } = message;
    this.#log.warn("mail_bridge_returned", { name, id, reason });
    await this.#offer(name, message);
    await this.#mail.perform("mail.nak", bridgeAs(name), { as: name, ids: [id], from, reason, delay_ms: AGAIN_MS });
  }

  async #offer(name: string, { from, thread }: OfferedMessage): Promise<void> {
    await this.#mail.perform("mail.fetch", bridgeAs(name), { as: name, from, thread, limit: 1 });
  }

  async #sendThere(to: string, message: OfferedMessage): Promise<Record<string, unknown>> {
    const isElsewhere = isRemote(message.from); // no name that their broker takes
    const from = isElsewhere || message.kind === "notice" ? BRIDGE_NAME : message.from;
    const whole: IpcMessage = {
      from,
      to,
      timestamp: naiveTimestamp(Date.parse(message.sent_at)),
      message: contentOf(isElsewhere ? { ...message, subject: namingSender(message) } : message),
    };
    const request = (content: IpcMessage): object => ({
      action: "send",
      from_id: from,
      to_id: to,
      message: content.message,
    });
    const isLong = pythonDumps({ ...request(whole), session_token: "x".repeat(64) }).length > FOREIGN_REQUEST_BYTES_MAX;
    return await this.#as(from, request(isLong ? await shorten(whole, message.id, this.#options.storeLarge) : whole));
  }

  /** Theirs to ours. */
  async #takeIn(name: string, ours: readonly string[]): Promise<void> {
    await this.#storeTaken(name, ours);
    const reply = await this.#as(name, { action: "check", instance_id: name });
    const messages = Array.isArray(reply.messages) ? reply.messages : [];
    this.#taken.set(name, messages.filter(isObject));
    await this.#storeTaken(name, ours);
  }

  /** What is refused here (a full mailbox) is tried again in the next round, before more is taken. */
  async #storeTaken(name: string, ours: readonly string[]): Promise<void> {
    const taken = this.#taken.get(name) ?? [];
    for (let each = taken[0]; each !== undefined; each = taken[0]) {
      if (isObject(each.message)) await this.#store(name, each, ours);
      taken.shift();
    }
    this.#taken.delete(name);
  }

  async #store(to: string, taken: Record<string, unknown>, ours: readonly string[]): Promise<void> {
    const from = typeof taken.from === "string" ? taken.from : BRIDGE_NAME;
    const isTheirs = this.#held.has(from) && !ours.includes(from);
    const sender = isTheirs ? from : BRIDGE_NAME;
    const content = toMail(taken.message as Record<string, unknown>);
    await this.#mail.perform("mail.send", bridgeAs(sender), {
      as: sender,
      to: [to],
      ...content,
      ...(isTheirs ? {} : { subject: `from ${from}, by claude-ipc` }),
      message_id: identityOf(taken),
    });
  }

  /** A request of one of our names there; registers it first, and anew when its session has ended. */
  async #as(name: string, request: object): Promise<Record<string, unknown>> {
    for (let attempt = 0; ; attempt += 1) {
      const token = this.#tokens.get(name) ?? (await this.#registerThere(name));
      const reply = await askBroker(this.#options.broker, { ...request, session_token: token });
      const isExpired = reply.status === "error" && String(reply.message).includes("session token");
      if (!isExpired || attempt > 0) return reply;
      this.#tokens.delete(name);
    }
  }

  async #registerThere(name: string): Promise<string> {
    const { broker, secret } = this.#options;
    const proof = secret === undefined ? {} : { auth_token: secretProof(name, secret) };
    const reply = await askBroker(broker, { action: "register", instance_id: name, ...proof });
    if (typeof reply.session_token !== "string") throw new Error(`the broker refused "${name}": ${reply.message}`);
    this.#tokens.set(name, reply.session_token);
    return reply.session_token;
  }

  async #letGo(): Promise<void> {
    for (const name of this.#held) {
      const by = bridgeAs(name);
      // The log may be closed by now; then the end of this process frees the name.
      await this.#mail.perform("mail.groups", by, { as: name, leave: [GROUP] }).catch(() => undefined);
      await this.#mail.perform("mail.unregister", by, { name }).catch(() => undefined);
    }
    this.#held.clear();
  }

  async #pause(): Promise<void> {
    const { signal } = this.#end;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.timer(this.#options.roundMs ?? ROUND_MS, done);
      function done(): void {
        cancel();
        signal.removeEventListener("abort", done);
        resolve();
      }
      signal.addEventListener("abort", done);
    });
  }
}

const namingSender = ({ from, subject }: OfferedMessage): string =>
  subject === undefined ? `from ${from}` : `from ${from}: ${subject}`;

const bridgeAs = (name: string): By => ({ name, client: "ipc-bridge" });

/** The same message taken twice is the same. Their messages have no id. */
const identityOf = ({ from, to, timestamp, message }: Record<string, unknown>): string =>
  `ipc-${createHash("sha256")
    .update(pythonDumps([from, to, timestamp, message]))
    .digest("hex")
    .slice(0, 32)}`;
