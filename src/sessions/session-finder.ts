import type { Session } from "../protocol/units.ts";
import * as errors from "./errors.ts";
import type { LiveSession } from "./live-session.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { SessionRecord, SessionRecords } from "./record.ts";
import type { SavedSessions } from "./saved-sessions.ts";
import { TerminalSession } from "./terminal-session.ts";
import { viewSession } from "./views.ts";

/** What a name or an id means among the sessions of a server: a live one, one that is on its way, or one that has ended. */
export interface SessionFinderOptions {
  live: LiveSessions;
  saved: SavedSessions;
  records: SessionRecords;
  /** The server's name. */
  server: string;
}

/** On its way to another server. */
export interface Leaving {
  record: SessionRecord;
  to: string;
  /** Settles when it is there, or back. */
  gone: Promise<void>;
}

export class SessionFinder {
  readonly #options: SessionFinderOptions;
  readonly #leaving = new Set<Leaving>();

  constructor(options: SessionFinderOptions) {
    this.#options = options;
  }

  /** One that is on its way to another server is waited for. @throws SESSION_MOVED once it is there */
  async live(reference: string): Promise<LiveSession | undefined> {
    const { live } = this.#options;
    if (!live.named(reference) && live.isOpening) await live.settled(); // it may be on its way to us
    const found = live.named(reference);
    if (found) return found;
    const leaving = [...this.#leaving].find(({ record: { id, name } }) => id === reference || name === reference);
    if (!leaving) return undefined;
    await leaving.gone.catch(() => {});
    const back = live.named(reference);
    if (back) return back;
    throw errors.sessionMoved(leaving.record.name, leaving.to);
  }

  /** @throws SESSION_NOT_LIVE, SESSION_NOT_FOUND, SESSION_MOVED */
  async mustLive(reference: string): Promise<LiveSession> {
    const live = await this.live(reference);
    if (live) return live;
    throw errors.sessionNotLive((await this.saved(reference)).name);
  }

  /** @throws NOT_A_TERMINAL, and as `mustLive` */
  async mustTerminal(reference: string): Promise<TerminalSession> {
    const live = await this.mustLive(reference);
    if (live instanceof TerminalSession) return live;
    throw errors.notATerminal(live.record.name);
  }

  /** @throws SESSION_NOT_FOUND */
  saved(reference: string): Promise<SessionRecord> {
    const { live, saved, server } = this.#options;
    const liveNames = live.members().map(({ name }) => name);
    return saved.named(reference, { liveNames, server });
  }

  /** By its id, as it is now. @throws SESSION_NOT_FOUND */
  viewOf(id: string): Session {
    const live = this.#options.live.get(id);
    if (live) return viewSession(live.record, live.live());
    const record = this.#options.records.read(id);
    if (!record) throw errors.sessionNotFound(id, []);
    return viewSession(record, undefined);
  }

  /** Who asks for it meanwhile waits. */
  async whileLeaving(leaving: Leaving): Promise<void> {
    this.#leaving.add(leaving);
    await leaving.gone.finally(() => this.#leaving.delete(leaving));
  }
}
