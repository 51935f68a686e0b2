import { type FSWatcher, watch } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "../../client/client.ts";
import { dialUnix } from "../../local/unix-wire.ts";
import { type Build, compareBuilds } from "../../platform/build.ts";
import type { Places } from "../../platform/paths.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/units.ts";
import { isServing, readEntries, type ServerEntry } from "../../registry/entries.ts";
import type { Action, LatestServer, ServerView } from "../model/model.ts";
import { namedBy, refreshed, withItem } from "./told-sessions.ts";

/**
 * All servers of the home and their sessions, kept fresh. The registry's directory is watched: a server that comes or goes is seen at once. What sessions do
 * is told by the servers that have some, as it happens, while the screen is shown. Nothing is said when nothing has changed.
 *
 * Invariants
 * 1. Each server is followed on its own: one that is stopped or hangs delays nobody. Its sessions stay as they were, and it is said to be silent.
 * 2. What no server tells by itself (when a session was active last, how much mail waits for it) comes with what each uses, every few seconds; so does the
 *    silence of a server that has stopped since it was heard.
 * 3. A build that does not tell of sessions is asked whenever somebody looks.
 */

/** Before a server that cannot be reached is tried again. */
const RETRY_MS = 1_000;
/** A server answers in a millisecond; one that is being replaced in some fifty. */
const ANSWER_TIMEOUT_MS = 2_000;
/** A server writes its entry more than once while it starts; of many sessions that change at once each is told on its own. */
const SETTLE_MS = 20;

export interface ServersOptions {
  places: Places;
  build: Build;
  dispatch: (action: Action) => void;
  signal: AbortSignal;
  /** Default 1 s. */
  retryMs?: number;
  /** After which a server counts as silent; default 2 s. */
  answerTimeoutMs?: number;
}

interface Watched {
  entry: ServerEntry;
  client: Client;
  /** Another array when one has changed. */
  sessions: readonly Session[];
  /** Of its sessions more is known than what the entry says. */
  isHeard: boolean;
  isSilent: boolean;
  /** Invariant 3. */
  isMute: boolean;
  /** Aborted when it need not tell any more. */
  following: AbortController | undefined;
}

export class Servers {
  readonly #options: ServersOptions;
  readonly #watched = new Map<string, Watched>();
  #watcher: FSWatcher | undefined;
  #settling: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;
  #isShown = true;
  #said = "";
  #saidSessions: readonly (readonly Session[])[] = [];

  constructor(options: ServersOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.#close(), { once: true });
  }

  /** Off while another program has the terminal. */
  setShown(isShown: boolean): void {
    this.#isShown = isShown;
    for (const one of this.#watched.values()) {
      if (isShown) this.#follow(one);
      else stopFollowing(one);
    }
  }

  /** Looks now: at the start, and when something was done to a session. */
  refresh(): void {
    this.#read();
  }

  /** The client of the server that has the session; undefined when none does. */
  clientOf(sessionId: string): Client | undefined {
    for (const { entry, client, sessions } of this.#watched.values()) {
      const isThere = (entry.sessions ?? []).some(({ id }) => id === sessionId);
      if (isThere || sessions.some(({ id }) => id === sessionId)) return client;
    }
    return undefined;
  }

  /** The sessions of all servers with what each uses: a server looks at all processes for it. Of one that does not answer there are none. */
  async measured(): Promise<readonly Session[]> {
    const asked = [...this.#watched.values()].filter(({ sessions }) => sessions.length > 0);
    return (await Promise.all(asked.map((one) => this.#measure(one)))).flat();
  }

  /** The server of the newest build, unless this build is newer than all. */
  latest(): ServerEntry | undefined {
    const { build } = this.#options;
    let latest: ServerEntry | undefined;
    for (const { entry } of this.#watched.values()) {
      if (!latest || compareBuilds(orderOf(entry), orderOf(latest)) > 0) latest = entry;
    }
    if (!latest || latest.git_hash === build.hash) return latest;
    return compareBuilds(build, orderOf(latest)) > 0 ? undefined : latest;
  }

  #watchRegistry(): void {
    try {
      this.#watcher = watch(this.#options.places.serversDir, () => {
        this.#settling ??= setTimeout(() => {
          this.#settling = undefined;
          this.#read();
        }, SETTLE_MS);
      });
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // No home yet: the first connection makes it, and after it we look again.
    }
  }

  #read(): void {
    if (this.#options.signal.aborted) return;
    if (!this.#watcher) this.#watchRegistry();
    const entries = readEntries(this.#options.places.serversDir).filter(isExpected);
    const names = new Set(entries.map(({ name }) => name));
    for (const [name, one] of this.#watched) if (!names.has(name)) this.#forget(name, one);
    for (const entry of entries) {
      const known = this.#watched.get(entry.name);
      const isSame = known?.entry.socket === entry.socket;
      if (known && !isSame) this.#forget(entry.name, known);
      const one = isSame && known ? known : this.#watch(entry);
      one.entry = entry;
      this.#follow(one);
    }
    this.#tell();
  }

  #watch(entry: ServerEntry): Watched {
    const { build } = this.#options;
    const client = new Client({
      dial: (events) => dialUnix(entry.socket, events),
      name: "warren-tui",
      version: build.version,
      randomId: () => crypto.randomUUID(),
    });
    const one: Watched = {
      entry,
      client,
      sessions: [],
      isHeard: false,
      isSilent: false,
      isMute: false,
      following: undefined,
    };
    this.#watched.set(entry.name, one);
    return one;
  }

  #forget(name: string, one: Watched): void {
    stopFollowing(one);
    one.client.close();
    this.#watched.delete(name);
  }

  /** Nothing to hear: the entry says that there are no sessions. */
  #follow(one: Watched): void {
    if (this.#options.signal.aborted || !this.#isShown) return;
    if (one.isMute) void this.#ask(one);
    if (one.following) return;
    if ((one.entry.sessions ?? []).length === 0) return this.#heard(one, []);
    one.following = new AbortController();
    void this.#run(one, one.following.signal);
  }

  async #run(one: Watched, signal: AbortSignal): Promise<void> {
    const { answerTimeoutMs = ANSWER_TIMEOUT_MS, retryMs = RETRY_MS } = this.#options;
    while (!signal.aborted) {
      const waiting = setTimeout(() => signal.aborted || this.#heard(one, undefined), answerTimeoutMs);
      try {
        for await (const item of one.client.subscribe({ streams: ["sessions"] }, signal)) {
          clearTimeout(waiting);
          if (!signal.aborted) this.#heard(one, withItem(one.sessions, item));
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        one.isMute = isWarrenError(error, "UNKNOWN_STREAM") || isWarrenError(error, "UNKNOWN_TYPE");
        if (one.isMute) return void this.#ask(one);
        this.#heard(one, undefined);
      } finally {
        clearTimeout(waiting);
      }
      await pause(retryMs, undefined, { signal }).catch(() => {}); // not shown any more
    }
  }

  async #ask(one: Watched): Promise<void> {
    const sessions = await this.#sessionsOf(one);
    if (this.#isWatched(one)) this.#heard(one, sessions);
  }

  async #measure(one: Watched): Promise<readonly Session[]> {
    const measured = await this.#sessionsOf(one, true);
    if (this.#isWatched(one)) this.#heard(one, measured && (one.isMute ? measured : refreshed(one.sessions, measured)));
    return measured ?? [];
  }

  #isWatched(one: Watched): boolean {
    return this.#watched.get(one.entry.name) === one && !this.#options.signal.aborted;
  }

  /** Undefined when it does not answer. */
  async #sessionsOf({ client }: Watched, usage = false): Promise<readonly Session[] | undefined> {
    const { answerTimeoutMs: timeoutMs = ANSWER_TIMEOUT_MS } = this.#options;
    try {
      const { sessions } = await client.request("session.list", usage ? { usage } : {}, { timeoutMs });
      return sessions;
    } catch (error) {
      return isWarrenError(error, "UNKNOWN_TYPE") ? [] : undefined; // older than sessions
    }
  }

  /** @param sessions undefined: it does not answer */
  #heard(one: Watched, sessions: readonly Session[] | undefined): void {
    one.isSilent = sessions === undefined;
    if (sessions === undefined && !one.isHeard) one.sessions = namedBy(one.entry);
    else if (sessions) one.sessions = sessions;
    one.isHeard ||= sessions !== undefined;
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.#tell();
    }, SETTLE_MS);
  }

  /** Only when there is news. */
  #tell(): void {
    const { dispatch, signal } = this.#options;
    if (signal.aborted) return;
    const latest = this.latest();
    const servers = [...this.#watched.values()].map((one) => this.#viewOf(one, latest));
    const said = JSON.stringify([servers.map(({ sessions: _, ...head }) => head), latest?.name]);
    const before = this.#saidSessions;
    if (said === this.#said && servers.every(({ sessions }, at) => isSame(sessions, before[at]!))) return;
    this.#said = said;
    this.#saidSessions = servers.map(({ sessions }) => sessions);
    const latestView: LatestServer = latest ? { name: latest.name, icon: latest.icon } : null;
    dispatch({ type: "sessions", servers, latest: latestView, nowMs: Date.now() });
  }

  #viewOf({ entry, sessions, isSilent }: Watched, latest: ServerEntry | undefined): ServerView {
    const { name, icon, version, git_hash: hash } = entry;
    return {
      name,
      icon,
      version,
      hash,
      isOld: hash !== (latest?.git_hash ?? this.#options.build.hash),
      isSilent,
      sessions,
    };
  }

  #close(): void {
    this.#watcher?.close();
    clearTimeout(this.#settling);
    clearTimeout(this.#telling);
    for (const [name, one] of [...this.#watched]) this.#forget(name, one);
  }
}

function stopFollowing(one: Watched): void {
  one.following?.abort();
  one.following = undefined;
}

const isSame = (some: readonly Session[], others: readonly Session[]): boolean =>
  some === others || JSON.stringify(some) === JSON.stringify(others);

const orderOf = ({ version, built_at_ms }: ServerEntry): Pick<Build, "version" | "builtAtMs"> => ({
  version,
  builtAtMs: built_at_ms,
});

const isExpected = (entry: ServerEntry): boolean =>
  // One that was killed is replaced within milliseconds: with sessions, its entry stands for the next generation.
  (entry.sessions ?? []).length > 0 || isServing(entry);
