import { type FSWatcher, watch } from "node:fs";
import { Client } from "../../client/client.ts";
import { dialUnix } from "../../local/unix-wire.ts";
import { type Build, compareBuilds } from "../../platform/build.ts";
import type { Places } from "../../platform/paths.ts";
import { isAlive } from "../../platform/process.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/units.ts";
import { readEntries, type ServerEntry } from "../../registry/entries.ts";
import { sessionIcon } from "../../registry/session-names.ts";
import type { Action, LatestServer, ServerView } from "../model/model.ts";

/**
 * All servers of the home and their sessions, kept fresh. The registry's directory is watched: a server that comes or goes, and a session that does, is
 * seen at once. What sessions do is asked for every second, of those servers alone that have sessions, while the screen is shown. Nothing is said when
 * nothing has changed.
 *
 * Invariants
 * 1. Each server is asked on its own: one that is stopped or hangs delays nobody. Its sessions stay as they were, and it is said to be silent.
 * 2. One request in hand for each server. The pause after an answer is at least PAUSE_FACTOR times what it took, so that thousands of sessions cost little.
 */

const POLL_MS = 1_000;
const PAUSE_FACTOR = 30;
/** A server answers in a millisecond; one that is being replaced in some fifty. */
const ANSWER_TIMEOUT_MS = 2_000;
/** A server writes its entry more than once while it starts. */
const SETTLE_MS = 20;

export interface ServersOptions {
  places: Places;
  build: Build;
  dispatch: (action: Action) => void;
  signal: AbortSignal;
  /** Between two questions to one server; default 1 s. */
  pollMs?: number;
  /** After which a server counts as silent; default 2 s. */
  answerTimeoutMs?: number;
}

interface Watched {
  entry: ServerEntry;
  client: Client;
  sessions: readonly Session[];
  /** `sessions` as text, to see whether an answer says anything new; empty before the first. */
  said: string;
  isSilent: boolean;
  isAsking: boolean;
  isAskedAgain: boolean;
  timer: NodeJS.Timeout | undefined;
}

export class Servers {
  readonly #options: ServersOptions;
  readonly #watched = new Map<string, Watched>();
  #watcher: FSWatcher | undefined;
  #settling: NodeJS.Timeout | undefined;
  #isShown = true;
  #said = "";

  constructor(options: ServersOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.#close(), { once: true });
  }

  /** Off while another program has the terminal. */
  setShown(isShown: boolean): void {
    this.#isShown = isShown;
    for (const one of this.#watched.values()) {
      clearTimeout(one.timer);
      if (isShown) this.#ask(one);
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
    return (await Promise.all(asked.map(async (one) => (await this.#sessionsOf(one, true)) ?? []))).flat();
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
    const entries = readEntries(this.#options.places.serversDir).filter(isServing);
    const names = new Set(entries.map(({ name }) => name));
    for (const [name, one] of this.#watched) if (!names.has(name)) this.#forget(name, one);
    for (const entry of entries) {
      const known = this.#watched.get(entry.name);
      const isSame = known?.entry.socket === entry.socket;
      if (known && !isSame) this.#forget(entry.name, known);
      const one = isSame && known ? known : this.#watch(entry);
      one.entry = entry;
      this.#ask(one);
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
      said: "",
      isSilent: false,
      isAsking: false,
      isAskedAgain: false,
      timer: undefined,
    };
    this.#watched.set(entry.name, one);
    return one;
  }

  #forget(name: string, one: Watched): void {
    clearTimeout(one.timer);
    one.client.close();
    this.#watched.delete(name);
  }

  /** Nothing to ask for: the entry says that there are no sessions. */
  #ask(one: Watched): void {
    if (this.#options.signal.aborted || !this.#isShown) return;
    clearTimeout(one.timer);
    if ((one.entry.sessions ?? []).length === 0) {
      this.#heard(one, []);
      return;
    }
    one.isAskedAgain = one.isAsking;
    if (one.isAsking) return;
    one.isAsking = true;
    const startedMs = performance.now();
    void this.#sessionsOf(one).then((sessions) => {
      one.isAsking = false;
      if (this.#watched.get(one.entry.name) !== one || this.#options.signal.aborted) return;
      this.#heard(one, sessions);
      const { pollMs = POLL_MS } = this.#options;
      const pauseMs = Math.max(pollMs, PAUSE_FACTOR * (performance.now() - startedMs));
      if (one.isAskedAgain) this.#ask(one);
      else one.timer = setTimeout(() => this.#ask(one), sessions ? pauseMs : pollMs);
    });
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

  #heard(one: Watched, sessions: readonly Session[] | undefined): void {
    one.isSilent = sessions === undefined;
    const isUnheard = one.said === "";
    const known = sessions ?? (isUnheard ? namedBy(one.entry) : one.sessions);
    const said = sessions || isUnheard ? JSON.stringify(known) : one.said;
    if (said !== one.said) one.sessions = known;
    one.said = said;
    this.#tell();
  }

  /** Only when there is news. */
  #tell(): void {
    const { dispatch, signal } = this.#options;
    if (signal.aborted) return;
    const latest = this.latest();
    const servers = [...this.#watched.values()].map((one) => this.#viewOf(one, latest));
    const heads = servers.map(({ sessions: _, ...head }) => head);
    const said = JSON.stringify([heads, latest?.name]) + [...this.#watched.values()].map((one) => one.said).join();
    if (said === this.#said) return;
    this.#said = said;
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
    for (const [name, one] of [...this.#watched]) this.#forget(name, one);
  }
}

/** The sessions of a server that has never answered, as its entry names them. All that is not known is left empty. */
const namedBy = ({ name: server, started_at, sessions = [] }: ServerEntry): Session[] =>
  sessions.map(({ id, name, kind }) => ({
    id,
    name,
    icon: sessionIcon(name),
    kind: kind ?? "session",
    server,
    pid: 0,
    status: "running",
    state: "unknown" as Session["state"],
    outcome: null,
    command: [],
    workdir: "",
    labels: {},
    created_at: started_at,
    started_at,
    active_at: started_at,
    cols: 0,
    rows: 0,
    client_count: 0,
    viewer_count: 0,
    output_bytes: 0,
    resume_count: 0,
  }));

const orderOf = ({ version, built_at_ms }: ServerEntry): Pick<Build, "version" | "builtAtMs"> => ({
  version,
  builtAtMs: built_at_ms,
});

const isServing = ({ boot_id, pid, start_ticks, sessions = [] }: ServerEntry): boolean =>
  // One that was killed is replaced within milliseconds: with sessions, its entry stands for the next generation.
  sessions.length > 0 || isAlive({ bootId: boot_id, pid, startTicks: start_ticks });
