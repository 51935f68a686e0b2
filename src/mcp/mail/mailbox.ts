import type { Client, RequestOptions } from "../../client/client.ts";
import type { Introduction } from "../../local/mail-link.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { readProcess } from "../../platform/process.ts";
import { isWarrenError, messageOf, WarrenError } from "../../protocol/errors.ts";
import type { OfferedMessage, Participant } from "../../protocol/mail-units.ts";
import type { DataOf, MessageType, PayloadOf } from "../../protocol/messages.ts";
import { harmlessLine } from "../../protocol/untrusted-mail.ts";
import { GivenMail } from "./given-mail.ts";
import type { Claim, Identity } from "./identity.ts";
import { InboxWatch } from "./inbox-watch.ts";

/**
 * This process's part in the mailbox: one name, one connection to whoever leads, and what was given to the client and is not acknowledged yet.
 *
 * 1. Nobody is asked, and no leader is started, before a tool needs mail or a name is known.
 * 2. A message is `seen` when the client has called any tool after the answer that had it: then it has read that answer. Never before.
 */
export interface MailboxOptions {
  /** Becomes a member; `introduce` is what is said first on each new connection, so that every leader knows who we are. */
  open: (introduce: () => Introduction[]) => MailLink;
  identity: Identity;
  clock: Clock;
  log: Log;
}

/** A connection to whoever leads, through their deaths. */
export interface MailLink {
  client: Client;
  close(): void;
}

/** What listeners are told: something has come (or may have, while nobody heard it), or we have another name. */
export type InboxChange = { kind: "mail" | "name"; name: string };

type MailType = Extract<MessageType, `mail.${string}`>;
/** Messages whose payload says who asks. */
type SpokenType =
  | "mail.send"
  | "mail.reply"
  | "mail.fetch"
  | "mail.ack"
  | "mail.nak"
  | "mail.extend"
  | "mail.wait"
  | "mail.groups"
  | "mail.rename"
  | "mail.history";

/** What stands at the end of every answer. */
export interface MailNote {
  as: string;
  unread: number;
  /** The first who waits for a reply, else the oldest. */
  top?: string;
}

/** How long a message is held for us, unless we say again that it is in hand: a model may think for minutes before it calls again, and a process that dies holds nothing for long. */
export const LEASE_MS = 30_000;
const EXTEND_EVERY_MS = 10_000;
/** A tool that has nothing to do with mail is not held up by it. */
const NOTE_TIMEOUT_MS = 300;
const NOTE_LOOKED_AT = 20;
const TOP_CHARACTERS = 120;

export class Mailbox {
  readonly identity: Identity;
  readonly given = new GivenMail();
  readonly #options: MailboxOptions;
  readonly #watch: InboxWatch;
  readonly #listeners = new Set<(change: InboxChange) => void>();
  #link: MailLink | undefined;
  #cancelHold = (): void => {};
  #claimed: { name: string | undefined; participant: Promise<Participant> } | undefined;
  #introduction: PayloadOf<"mail.register"> | undefined;

  constructor(options: MailboxOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.#watch = new InboxWatch(options);
  }

  /** Takes the name that is known already, so that we are there for others; without one nothing happens. */
  begin(): void {
    if (this.identity.name() === undefined) return;
    this.claim().catch((error) => this.#options.log.warn("claim_failed", { error: messageOf(error) }));
  }

  /** Tells of changes until `signal` aborts. */
  onChange(listener: (change: InboxChange) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
  }

  /** Of nobody in particular: lists and states. */
  request<T extends MailType>(type: T, payload: PayloadOf<T>, options?: RequestOptions): Promise<DataOf<T>> {
    return this.client().request(type, payload, options);
  }

  /** In our name, which is claimed first, and again when a leader does not know it. @throws NAME_NEEDED, NAME_OWNED, NAME_TAKEN */
  async speak<T extends SpokenType>(type: T, payload: PayloadOf<T>, options?: RequestOptions): Promise<DataOf<T>> {
    const { name } = await this.claim();
    try {
      return await this.client().request(type, { ...payload, as: name }, options);
    } catch (error) {
      if (!isWarrenError(error, "NAME_OWNED") && !isWarrenError(error, "NAME_TAKEN")) throw error;
      this.#claimed = undefined;
      await this.claim();
      return this.client().request(type, { ...payload, as: name }, options);
    }
  }

  /** Takes the name at the mailbox, once. */
  claim(): Promise<Participant> {
    const name = this.identity.name();
    if (this.#claimed && this.#claimed.name === name) return this.#claimed.participant;
    const participant = this.identity.claim().then((claim) => this.#register(claim));
    const claimed = { name, participant };
    this.#claimed = claimed;
    participant.catch(() => {
      if (this.#claimed === claimed) this.#claimed = undefined;
    });
    return participant;
  }

  /** Another name from now on; what was given in the old one is forgotten. @throws NAME_OWNED, NAME_TAKEN, INVALID_NAME */
  async take(name: string, groups?: string[]): Promise<{ participant: Participant; isNew: boolean }> {
    const claim = await this.identity.claim(name);
    const participant = await this.#register(claim);
    if (this.identity.name() !== name) this.given.clear();
    this.identity.take(name);
    this.#claimed = { name, participant: Promise.resolve(participant) };
    if (groups === undefined) return { participant, isNew: claim.isNew };
    return { ...(await this.speak("mail.groups", { join: groups })), isNew: claim.isNew };
  }

  /** The mailbox has given the name that we had another: what is kept goes with it. */
  async renamed(name: string): Promise<void> {
    await this.identity.rename(name);
    this.#claimed = undefined;
  }

  /** These were put into an answer: they are held until a call proves that it was read. */
  give(messages: readonly OfferedMessage[], proves?: "seen" | "handled"): void {
    this.given.give(messages, proves);
    if (messages.length > 0) this.#hold();
  }

  /** A call has come: what earlier answers had in them was read (2). */
  confirm(): void {
    for (const state of ["seen", "handled"] as const) {
      const ids = this.given.takeProven(state);
      if (ids.length === 0) continue;
      this.speak("mail.ack", { ids, state }).catch((error) =>
        this.#options.log.warn("confirm_failed", { count: ids.length, error: messageOf(error) }),
      );
    }
  }

  /** What is unread now; undefined when nobody is meant, or the mailbox does not answer in time. Never throws. */
  async note(): Promise<MailNote | undefined> {
    const name = this.identity.name();
    if (name === undefined) return undefined;
    try {
      const limits = { peek: true, limit: NOTE_LOOKED_AT };
      const { messages, unread } = await this.#inTime(this.speak("mail.fetch", limits), NOTE_TIMEOUT_MS);
      const top = messages.find(({ kind }) => kind === "ask") ?? messages[0];
      const count = Math.max(messages.length, unread + messages.length - this.given.unproven().length);
      return { as: name, unread: count, ...(top ? { top: topLine(top) } : {}) };
    } catch (error) {
      this.#options.log.debug("no_note", { error: messageOf(error) });
      return undefined;
    }
  }

  client(): Client {
    this.#link ??= this.#options.open(() =>
      this.#introduction ? [{ type: "mail.register", payload: this.#introduction }] : [],
    );
    return this.#link.client;
  }

  close(): void {
    this.#cancelHold();
    this.#watch.close();
    this.#link?.close();
  }

  async #inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = this.#options.clock.timer(timeoutMs, () =>
      reject(new WarrenError("TIMEOUT", `nothing in ${timeoutMs} ms`)),
    );
    answer.catch(() => {}); // when it comes too late, nobody hears it
    return Promise.race([answer, late]).finally(cancel);
  }

  async #register(claim: Claim): Promise<Participant> {
    const { name, proof } = claim;
    const participant = (await this.#unitOf(claim)) ?? (await this.#registered({ name, ...proof }, claim));
    this.#tell({ kind: "name", name });
    this.#watch.follow(this.client(), name, () => this.#tell({ kind: "mail", name }));
    return participant;
  }

  async #registered(wanted: PayloadOf<"mail.register">, claim: Claim): Promise<Participant> {
    const start = readProcess(process.pid)?.startTicks;
    const payload = { ...wanted, pid: process.pid, ...(start === undefined ? {} : { pid_start: String(start) }) };
    try {
      const { participant } = await this.client().request("mail.register", payload);
      this.#introduction = payload;
      return participant;
    } catch (error) {
      if (isWarrenError(error, "NAME_OWNED") || isWarrenError(error, "NAME_TAKEN")) await this.identity.refused(claim);
      throw error;
    }
  }

  /** A session that its server has registered is there while its program is, and not while we are: it stays as it is. */
  async #unitOf({ name, proof: { unit } }: Claim): Promise<Participant | undefined> {
    if (unit === undefined) return undefined;
    this.#introduction = undefined;
    const { participants } = await this.client().request("mail.list", {});
    return participants.find((participant) => participant.name === name && participant.unit === unit);
  }

  #hold(): void {
    this.#cancelHold();
    this.#cancelHold = this.#options.clock.timer(EXTEND_EVERY_MS, () => {
      const ids = this.given.unproven();
      if (ids.length === 0) return;
      this.speak("mail.extend", { ids, lease_ms: LEASE_MS }).catch((error) =>
        this.#options.log.warn("extend_failed", { count: ids.length, error: messageOf(error) }),
      );
      this.#hold();
    });
  }

  #tell(change: InboxChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function topLine({ kind, from, subject, body }: OfferedMessage): string {
  const text = harmlessLine(subject ?? body, TOP_CHARACTERS);
  return kind === "ask" ? `${from} waits for your reply: "${text}"` : `${from}: "${text}"`;
}
