import { type FSWatcher, watch } from "node:fs";
import { timestamp } from "../platform/clock.ts";
import type { Session } from "../protocol/units.ts";
import { readEntries } from "../registry/entries.ts";
import type { EventSource, RoutedEvent } from "../serving/subscriptions.ts";

/**
 * The stream `sessions`: those of this server as they are, and which sessions the home's servers have, so that whoever follows the primary's knows of all, and may
 * follow the others' at their servers. Its snapshot is `{ sessions, servers }`; events are `session_changed` (`{ session }`), `session_gone` (`{ id }`) and
 * `servers_changed` (`{ servers }`).
 *
 * What happened is found by comparing: with a change that somebody tells of, while somebody follows, and whenever somebody asks. Changes that come together
 * are one. `seq` begins at the server's start, in ms × 1,024, so that no generation repeats one of a former.
 */
export interface SessionsStreamOptions {
  /** As they are now. */
  sessions: () => Session[];
  /** Calls the listener when one has changed, come or gone; the answer ends that. */
  watch: (listener: () => void) => () => void;
  serversDir: string;
  publish: (event: RoutedEvent) => void;
  nowMs?: () => number;
}

export interface HomeServer {
  name: string;
  icon: string;
  version: string;
  primary: boolean;
  /** Ids of its live sessions. */
  sessions: string[];
}

const STREAM = "sessions";
const GATHER_MS = 30;
/** For those who come back; whoever missed more gets a snapshot. */
const KEPT_EVENTS = 1_000;
const SEQ_PER_MS = 1_024;

export class SessionsStream implements EventSource {
  readonly #options: SessionsStreamOptions;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, { session: Session; said: string }>();
  readonly #kept: RoutedEvent[] = [];
  #servers: HomeServer[] = [];
  #seq: number;
  #followers = 0;
  #unwatch: (() => void)[] = [];
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: SessionsStreamOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#seq = this.#nowMs() * SEQ_PER_MS;
  }

  snapshot(): { seq: number; snapshot: { sessions: Session[]; servers: HomeServer[] } } {
    this.#look();
    const sessions = [...this.#known.values()].map(({ session }) => session);
    return { seq: this.#seq, snapshot: { sessions, servers: this.#servers } };
  }

  after(seq: number, limit: number): RoutedEvent[] | undefined {
    this.#look();
    if (seq === this.#seq) return [];
    const at = this.#kept.findIndex(({ event }) => event.seq === seq + 1);
    return at === -1 ? undefined : this.#kept.slice(at, at + limit);
  }

  joined(): () => void {
    this.#followers += 1;
    if (this.#followers === 1) this.#follow();
    return () => {
      this.#followers -= 1;
      if (this.#followers === 0) this.close();
    };
  }

  close(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    for (const end of this.#unwatch.splice(0)) end();
  }

  #follow(): void {
    this.#unwatch.push(this.#options.watch(() => this.#lookSoon()));
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(this.#options.serversDir, { persistent: false }, () => this.#lookSoon());
      watcher.on("error", () => {}); // the directory has gone, and with it every server
    } catch {
      return; // no watches left: other servers are seen with the next change here
    }
    this.#unwatch.push(() => watcher.close());
  }

  #lookSoon(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#look();
    }, GATHER_MS).unref();
  }

  #look(): void {
    const now = this.#options.sessions();
    const ids = new Set(now.map(({ id }) => id));
    for (const id of [...this.#known.keys()]) {
      if (ids.has(id)) continue;
      this.#known.delete(id);
      this.#tell("session_gone", "", { id });
    }
    for (const session of now) {
      const said = JSON.stringify(shown(session));
      if (this.#known.get(session.id)?.said === said) continue;
      this.#known.set(session.id, { session, said });
      this.#tell("session_changed", session.workdir, { session });
    }
    const servers = serversIn(this.#options.serversDir);
    if (JSON.stringify(servers) === JSON.stringify(this.#servers)) return;
    this.#servers = servers;
    this.#tell("servers_changed", "", { servers });
  }

  #tell(event: string, workdir: string, data: Record<string, unknown>): void {
    this.#seq += 1;
    const at = timestamp(this.#nowMs());
    const routed = { workdir, event: { event, stream: STREAM, seq: this.#seq, at, data } };
    this.#kept.push(routed);
    if (this.#kept.length > KEPT_EVENTS) this.#kept.shift();
    if (this.#followers > 0) this.#options.publish(routed);
  }
}

/** Without what changes with every byte. */
function shown({ output_bytes: _, active_at: __, ...rest }: Session): object {
  return rest;
}

const serversIn = (serversDir: string): HomeServer[] =>
  readEntries(serversDir).map(({ name, icon, version, primary, sessions = [] }) => ({
    name,
    icon,
    version,
    primary,
    sessions: sessions.map(({ id }) => id),
  }));
