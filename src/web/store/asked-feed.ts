import type { Session } from "../../protocol/units.ts";
import type { Machine } from "../link/machine.ts";
import { type Asked, type AskedAction, isOpen, reduceAsked } from "../model/asked.ts";
import { type Home, sessionsOf } from "../model/home.ts";
import { EMPTY_TALK, openQuestions, reduceTalk, type Talk } from "../model/talk.ts";
import type { AskedMemory } from "./asked-memory.ts";
import { Store } from "./store.ts";
import { TalkFeed } from "./talk-feed.ts";

/**
 * Knows what the agents of one machine ask, whatever page is open: of each session that needs somebody the conversation is followed, until nothing of it is open any more.
 *
 * 1. While the machine is away nothing changes: what was asked last is still what there is to answer.
 * 2. That a question is over is told by its conversation, which says by whom; of one whose session is no more, by that.
 */
export interface AskedFeedOptions {
  machine: Machine;
  version: string;
  home: Pick<Store<Home, never>, "get" | "subscribe">;
  memory: AskedMemory;
  nowMs?: () => number;
  /** For tests; default: the conversation's stream. */
  follow?: (session: string, onTalk: (talk: Talk) => void) => { close(): void };
}

/** Sessions that are followed at the same time, those that wait longest first; of the others the list says that they ask. */
const FOLLOWED_MAX = 20;

export class AskedFeed {
  readonly #options: AskedFeedOptions;
  readonly #store = new Store<Asked, AskedAction>(new Map(), reduceAsked);
  readonly #followed = new Map<string, { close(): void; talk: Talk | undefined }>();
  readonly #ends: (() => void)[];
  #isClosed = false;

  constructor(options: AskedFeedOptions) {
    this.#options = options;
    const { home, memory } = options;
    void memory.read().then((asked) => {
      if (asked && !this.#isClosed) this.#store.dispatch({ type: "remembered", asked });
      this.#look();
    });
    const write = (): void => memory.write(this.#store.get());
    this.#ends = [home.subscribe(() => this.#look()), this.#store.subscribe(write)];
    this.#look();
  }

  readonly get = (): Asked => this.#store.get();
  readonly subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener);

  putAway(key: string): void {
    this.#store.dispatch({ type: "put-away", key });
  }

  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends) end();
    this.#endAll();
  }

  #look(): void {
    if (this.#isClosed) return;
    const home = this.#options.home.get();
    if (home.way.kind !== "live") return this.#endAll();
    if (!isWhole(home)) return;
    const sessions = new Map(sessionsOf(home).map((session) => [session.id, session]));
    for (const session of new Set([...this.#open(), ...this.#followed.keys()])) this.#mayEnd(session, sessions);
    for (const { id } of waiting(sessions)) this.#follow(id);
  }

  #open(): string[] {
    return [...this.get().values()].filter(isOpen).map(({ session }) => session);
  }

  /** Of a session that waits no more: over when its conversation has said how, or at once when there is none to say it. */
  #mayEnd(id: string, sessions: ReadonlyMap<string, Session>): void {
    const session = sessions.get(id);
    if (session?.state === "needs_you") return;
    const followed = this.#followed.get(id);
    const isTold = followed?.talk !== undefined && openQuestions(followed.talk).length === 0;
    if (followed && session?.status === "running" && !isTold) return;
    followed?.close();
    this.#followed.delete(id);
    this.#store.dispatch({ type: "quiet", session: id, nowMs: this.#nowMs() });
  }

  #follow(id: string): void {
    if (this.#followed.has(id) || this.#followed.size >= FOLLOWED_MAX) return;
    const follow = this.#options.follow ?? this.#followStream;
    const entry: { close(): void; talk: Talk | undefined } = { close: () => {}, talk: undefined };
    this.#followed.set(id, entry);
    entry.close = follow(id, (talk) => {
      if (this.#followed.get(id) !== entry) return;
      entry.talk = talk;
      const directory = sessionsOf(this.#options.home.get()).find((session) => session.id === id)?.workdir ?? "";
      this.#store.dispatch({ type: "talk", session: id, directory, talk, nowMs: this.#nowMs() });
      this.#look();
    }).close;
  }

  #followStream = (session: string, onTalk: (talk: Talk) => void): { close(): void } => {
    const { machine, version } = this.#options;
    let talk = EMPTY_TALK;
    const feed = new TalkFeed({
      machine,
      version,
      session,
      dispatch: (action) => {
        talk = reduceTalk(talk, action);
        onTalk(talk);
      },
      onFailed: () => {}, // the page of the session says it
    });
    return { close: () => feed.close() };
  };

  #endAll(): void {
    for (const { close } of this.#followed.values()) close();
    this.#followed.clear();
  }

  #nowMs(): number {
    return (this.#options.nowMs ?? Date.now)();
  }
}

/** Every server of the home has said which sessions it has: what is missing now is no more. */
const isWhole = ({ servers, sessions }: Home): boolean =>
  servers.length > 0 && servers.every(({ name, sessions: named }) => named.length === 0 || sessions.has(name));

const waiting = (sessions: ReadonlyMap<string, Session>): Session[] =>
  [...sessions.values()]
    .filter(({ kind, state }) => kind === "agent" && state === "needs_you")
    .sort((a, b) => (a.active_at < b.active_at ? -1 : 1));
