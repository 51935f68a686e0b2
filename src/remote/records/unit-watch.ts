import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import type { ConversationSnapshot } from "../../protocol/conversation.ts";
import { GATEWAY_EVENTS } from "../../protocol/envelope.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/units.ts";
import type { UnitRow } from "../../sealing/unit-row.ts";
import { targetGone } from "../errors.ts";
import type { ConnectUnit } from "../network.ts";
import type { ReadTalk } from "./talk-book.ts";
import { type ListedUnit, rowOfSession, rowOfUnit } from "./unit-rows.ts";
import { UnitTalk } from "./unit-talk.ts";

/**
 * Follows the units of this home, as any client does: the jobs, workers and sessions of the primary, and the sessions of the other servers, each asked when
 * its streams tell that something is different. Changes that come together are one.
 */
export interface UnitWatchOptions {
  connect: ConnectUnit;
  clock: Clock;
  log: Log;
  /** All of them, each time; whether they differ is for the caller. */
  onRows(rows: UnitRow[]): void;
  /** Those that run, each time, and how to read an agent's conversation; of one that runs no more as well. */
  onSessions?(sessions: Session[], read: ReadTalk): void;
}

/** Opens one; the answer ends it. */
export type WatchUnits = (options: UnitWatchOptions) => { close(): void };

const GATHER_MS = 250;
/** A save is several changes of its worker: what it comes to is told. */
const WORKERS_GATHER_MS = 1_000;
const RETRY_MS = 1_000;
/** What no stream tells of is seen after this at the latest. */
const LOOK_MS = 30_000;
/** An answer of a server that is not the primary; and a conversation, of any. */
const OTHER_MS = 2_000;
const READ_MS = 10_000;
const OF_WORKERS: ReadonlySet<string> = new Set(GATEWAY_EVENTS);
const PRIMARY = "primary";
const OF_PRIMARY = ["jobs", "gateway", "sessions"];
const GREETING = { scopes: ["view"] as const, by: "records" };

interface HomeServer {
  name: string;
  primary: boolean;
  sessions: string[];
}

export class UnitWatch {
  readonly #options: UnitWatchOptions;
  /** By server; the primary's is called so. */
  readonly #talks = new Map<string, UnitTalk>();
  readonly #opening = new Set<string>();
  /** What each said last: a server that is being replaced keeps them. */
  readonly #sessions = new Map<string, Session[]>();
  /** Lists that were asked for and have not come. */
  readonly #asked = new Map<UnitTalk, Promise<unknown>>();
  /** Those of them that did not come in time: their servers are asked for no conversation. */
  readonly #late = new Set<UnitTalk>();
  #isLooking = false;
  #isStale = false;
  #dueMs = 0;
  #cancelLook: (() => void) | undefined;
  #cancelAgain: (() => void) | undefined;
  #isClosed = false;

  constructor(options: UnitWatchOptions) {
    this.#options = options;
    void this.#follow(PRIMARY, PRIMARY);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook?.();
    this.#cancelAgain?.();
    for (const talk of [...this.#talks.values()]) talk.close();
  }

  /** @param target the server by what it has */
  async #follow(server: string, target: string): Promise<void> {
    if (this.#opening.has(server) || this.#talks.has(server)) return;
    this.#opening.add(server);
    try {
      const { connect, clock } = this.#options;
      const talk = await UnitTalk.open({
        connect,
        target,
        greeting: GREETING,
        clock,
        onEvent: (event) => this.#plan(OF_WORKERS.has(event) ? WORKERS_GATHER_MS : GATHER_MS),
      });
      if (this.#isClosed) return talk.close();
      if (server !== PRIMARY && talk.server !== server) return this.#misled(talk);
      this.#talks.set(server, talk);
      void talk.ended.then(() => this.#lost(server, talk));
      await talk.ask({
        type: "subscribe",
        payload: { streams: server === PRIMARY ? OF_PRIMARY : ["sessions"] },
      });
      this.#plan(0);
    } catch (error) {
      this.#options.log.debug("units_not_followed", { server, error: messageOf(error) });
      this.#talks.get(server)?.close();
      if (server === PRIMARY && !this.#talks.has(PRIMARY)) this.#again();
    } finally {
      this.#opening.delete(server);
    }
  }

  /** The session by which it was to be reached is no more, and the way leads to the primary: what that one has is not the other's. */
  #misled(talk: UnitTalk): void {
    talk.close();
    this.#plan(RETRY_MS);
  }

  #lost(server: string, talk: UnitTalk): void {
    if (this.#talks.get(server) === talk) this.#talks.delete(server);
    if (server === PRIMARY) this.#again();
    else this.#plan(RETRY_MS);
  }

  #again(): void {
    if (this.#isClosed) return;
    this.#cancelAgain?.();
    this.#cancelAgain = this.#options.clock.timer(RETRY_MS, () => void this.#follow(PRIMARY, PRIMARY));
  }

  /** The sooner one counts. */
  #plan(delayMs: number): void {
    const { clock } = this.#options;
    const dueMs = clock.monotonicMs() + delayMs;
    if (this.#isLooking) this.#isStale = true;
    if (this.#isClosed || this.#isLooking || (this.#cancelLook && this.#dueMs <= dueMs)) return;
    this.#cancelLook?.();
    this.#dueMs = dueMs;
    this.#cancelLook = clock.timer(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#cancelLook = undefined;
    this.#isLooking = true;
    this.#isStale = false;
    try {
      await this.#gather();
    } catch (error) {
      this.#options.log.debug("units_not_listed", { error: messageOf(error) });
    } finally {
      this.#isLooking = false;
      this.#plan(this.#isStale ? GATHER_MS : LOOK_MS);
    }
  }

  async #gather(): Promise<void> {
    const primary = this.#talks.get(PRIMARY);
    if (!primary) return;
    const { units = [] } = (await primary.ask({ type: "unit.list", payload: {} })) as { units?: ListedUnit[] };
    const ofUnits = units.map(rowOfUnit);
    await Promise.all([...this.#talks].map((one) => this.#list(...one)));
    const areAllKnown = await this.#followOthers(primary);
    if (!areAllKnown || this.#isClosed) return;
    const { onRows, onSessions } = this.#options;
    const sessions = [...this.#sessions.values()].flat();
    onRows([...ofUnits, ...sessions.map(rowOfSession)]);
    onSessions?.(sessions, (session) => this.#read(session));
  }

  /** A server that does not answer holds up no other one: what it said last counts until it does. */
  async #list(server: string, talk: UnitTalk): Promise<void> {
    const asked = this.#asked.get(talk) ?? talk.ask({ type: "session.list", payload: {} });
    this.#asked.set(talk, asked);
    void asked.catch(() => {}).finally(() => this.#heard(talk));
    const answer = (await (server === PRIMARY ? asked : this.#inTime(asked, OTHER_MS))) as { sessions?: Session[] };
    if (answer) this.#sessions.set(server, answer.sessions ?? []);
    else if (this.#asked.has(talk)) this.#late.add(talk);
  }

  #heard(talk: UnitTalk): void {
    this.#asked.delete(talk);
    this.#late.delete(talk);
  }

  /** Undefined: it was not there in time. */
  #inTime<T>(work: Promise<T>, mostMs: number): Promise<T | undefined> {
    const late = Promise.withResolvers<undefined>();
    const cancel = this.#options.clock.timer(mostMs, () => late.resolve(undefined));
    return Promise.race([work, late.promise]).finally(cancel);
  }

  /** Of the server that has it; the primary knows of those that run no more. Nobody waits for a server that is known not to answer. */
  async #read(session: string): Promise<ConversationSnapshot> {
    const [server = PRIMARY] = [...this.#sessions].find(([, some]) => some.some(({ id }) => id === session)) ?? [];
    const talk = this.#talks.get(server);
    if (!talk || this.#late.has(talk)) throw targetGone();
    const answer = await this.#inTime(talk.ask({ type: "session.conversation", payload: { session } }), READ_MS);
    if (!answer) throw targetGone();
    return (answer as { conversation: ConversationSnapshot }).conversation;
  }

  /** Those that have sessions, by one of them. False: one is being asked for the first time. */
  async #followOthers(primary: UnitTalk): Promise<boolean> {
    // A subscription's answer brings the list; asked anew it replaces the one before.
    const answer = await primary.ask({ type: "subscribe", payload: { streams: OF_PRIMARY } });
    const { streams } = answer as { streams?: { sessions?: { snapshot?: { servers?: HomeServer[] } | null } } };
    const others = (streams?.sessions?.snapshot?.servers ?? []).filter(
      (one) => !one.primary && one.sessions.length > 0,
    );
    const names = new Set(others.map(({ name }) => name));
    for (const [name, talk] of [...this.#talks]) if (name !== PRIMARY && !names.has(name)) talk.close();
    for (const name of [...this.#sessions.keys()])
      if (name !== PRIMARY && !names.has(name)) this.#sessions.delete(name);
    const missing = others.filter(({ name }) => !this.#talks.has(name));
    const areAllKnown = missing.every(({ name }) => this.#sessions.has(name));
    for (const { name, sessions } of missing) {
      if (!this.#sessions.has(name)) this.#sessions.set(name, []); // of one that cannot be asked nothing is told
      void this.#follow(name, sessions[0]!);
    }
    return areAllKnown;
  }
}
