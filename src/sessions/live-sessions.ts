import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { ConversationEvent } from "../protocol/conversation.ts";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import type { ChannelExit, KeeperChannel } from "../protocol/keeper-calls.ts";
import type { SignalledBy } from "../protocol/outcome.ts";
import type { EntrySession } from "../registry/entries.ts";
import { SharedSearches } from "../runs/shared-searches.ts";
import { AgentSession } from "./agent-session.ts";
import * as errors from "./errors.ts";
import type { KeeperPort } from "./keeper-port.ts";
import type { LiveSession } from "./live-session.ts";
import { outcomeOfExit } from "./outcome-of-exit.ts";
import type { SessionRecord, SessionRecords } from "./record.ts";
import { Screens } from "./screen/screens.ts";
import { commandsOf, isCommand, sessionIdOf } from "./session-ids.ts";
import { type JournalStart, type Naming, SessionPrograms } from "./session-programs.ts";
import { stopSession } from "./stop-session.ts";
import { TerminalSession } from "./terminal-session.ts";

/**
 * The sessions whose programs run under this server's lease: how they come (started, taken up after another generation, taken over from another server)
 * and how they go (ended, saved, given away). How a program is started, and what is made of one, is in `SessionPrograms`.
 *
 * Invariants
 * 1. A session's record is written before its program is started, and its end before the keeper forgets it; but for one that ends with the server, and whose end
 *    has no room: it is lost.
 * 2. A name belongs to one running program of the home: the keeper says so.
 * 3. Whoever steers a session has its lease; who has lost it is refused by the keeper.
 */
export interface LiveSessionsOptions {
  records: SessionRecords;
  /** The server's name. */
  server: string;
  keeper: KeeperPort;
  clock: Clock;
  log: Log;
  /** Our own version, for agents to know. */
  version: string;
  /** Which sessions are live has changed, or a name: the registry is to know. */
  onMembers: () => void;
  /** What happens in an agent's conversation. */
  onConversation?: (session: { id: string; directory: string }, event: ConversationEvent) => void;
}

/** By then, who was attached has come back. */
const SCREENS_AFTER_MS = 250;
/** Between two tries to write an end down: a full disk may have room by then. */
const END_AGAIN_MS = 1_000;

export class LiveSessions {
  readonly screens: Screens;
  readonly #options: LiveSessionsOptions;
  readonly #records: SessionRecords;
  readonly #programs: SessionPrograms;
  /** By the session's id. */
  readonly #live = new Map<string, LiveSession>();
  readonly #stopping = new Map<string, SignalledBy>();
  /** Those that the server's end ends: they are saved, and not ended by themselves. */
  readonly #savedByUs = new Set<string>();
  /** By the session's id, why the end of its program could not be written down so far. */
  readonly #endFailures = new Map<string, unknown>();
  readonly #opening = new Set<Promise<unknown>>();
  readonly #watchers = new Set<() => void>();
  readonly #searches = new SharedSearches();
  #isClosed = false;

  constructor(options: LiveSessionsOptions) {
    this.#options = options;
    this.#records = options.records;
    this.screens = new Screens({
      log: options.log,
      onEvent: (id, event) => {
        const session = this.#live.get(id);
        if (session instanceof TerminalSession) session.onScreen(event);
      },
    });
    this.#programs = new SessionPrograms({ ...options, screens: this.screens });
  }

  /** Takes up what runs under this server's name. */
  async start(): Promise<void> {
    const { keeper, server, log } = this.#options;
    const { channels } = await keeper.call({ call: "lease.take", server });
    const programs = channels.filter(({ id }) => !isCommand(id));
    this.screens.defer(SCREENS_AFTER_MS);
    await Promise.all(
      programs.map(async (channel) => {
        const record = this.#records.read(sessionIdOf(channel.id));
        if (record) await this.#adopt(record, channel, commandsOf(record.id, channels));
        else log.error("session_without_record", { channel: channel.id, pid: channel.pid });
      }),
    );
    await this.#programs.endOrphans(channels, (id) => this.#live.has(id));
    if (channels.length > 0) log.info("sessions_adopted", { count: this.#live.size });
  }

  /** Those that are being started among them: they need the server as well. */
  get count(): number {
    return this.#live.size + this.#opening.size;
  }

  /** Some are being started or taken over, and not there yet. */
  get isOpening(): boolean {
    return this.#opening.size > 0;
  }

  /** Resolves when nothing is being started any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#opening);
  }

  all(): LiveSession[] {
    return [...this.#live.values()];
  }

  /** For the registry. */
  members(): EntrySession[] {
    return this.all().map(({ record: { id, name, kind, port } }) => ({
      id,
      name,
      ...(kind === "agent" ? { kind } : {}),
      ...(port === undefined ? {} : { port }),
    }));
  }

  get(id: string): LiveSession | undefined {
    return this.#live.get(id);
  }

  /** By id or name. */
  named(reference: string): LiveSession | undefined {
    return this.#live.get(reference) ?? this.all().find(({ record }) => record.name === reference);
  }

  /** Tells when one has changed, come or gone; the answer ends that. */
  watch(listener: () => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  /** Starts the program of a record. `from`: where its journal goes on. @throws NAME_TAKEN */
  open(record: SessionRecord, naming: Naming, from: JournalStart = {}): Promise<void> {
    return this.begin(this.#open(record, naming, from));
  }

  /**
   * An agent is there when it has been greeted; one that cannot be spoken to is ended, but for one that wants a login.
   * @throws what its agent has said instead; AGENT_DETACHED when the next server goes on with it
   */
  async greeted(id: string, otherwise: "remove" | "save"): Promise<void> {
    const session = this.#live.get(id);
    if (!(session instanceof AgentSession)) return;
    try {
      await session.opened;
    } catch (error) {
      if (isWarrenError(error, "AGENT_DETACHED")) throw error;
      if (isWarrenError(error, "AGENT_NEEDS_LOGIN") || session.hasHistory) return;
      await this.end(session, "stop", { force: true }, true);
      if (otherwise === "remove") await this.#records.remove(id);
      throw errors.withErrorOutput(error, session.errorsText);
    }
  }

  /**
   * Takes over one that another server has, or takes back one that was given away.
   * @param epoch of the lease under which it was given away: when somebody has taken it since, it is theirs
   * @throws SESSION_NOT_LIVE, STALE_EPOCH
   */
  async takeOver(record: SessionRecord, epoch?: number): Promise<void> {
    const { server, keeper } = this.#options;
    const ids = await this.#programs.channelIdsOf(record);
    const from = epoch === undefined ? {} : { from: { id: ids[0]!, epoch } };
    const { channels } = await keeper.call({ call: "lease.take", server, ids, ...from }).catch((error) => {
      throw isWarrenError(error, "CHANNEL_NOT_FOUND") ? errors.sessionNotLive(record.name) : error;
    });
    const channel = channels.find(({ id }) => !isCommand(id));
    if (!channel) throw errors.sessionNotLive(record.name);
    record.server = server;
    this.#records.write(record);
    await this.begin(this.#adopt(record, channel, commandsOf(record.id, channels)));
    this.changed("members");
  }

  /** Lets go of one; its program goes on, for whoever takes the lease. */
  async letGo(session: LiveSession): Promise<void> {
    this.#noteDown(session);
    this.#live.delete(session.record.id);
    await session.close();
  }

  /**
   * Ends its program and the whole tree; resolves when its end is written down. `saved`: by the end of the server, which no disk holds up.
   * @throws SESSION_END_NOT_NOTED after the first try, while it is tried again
   */
  async end(
    session: LiveSession,
    by: SignalledBy,
    { force, graceMs }: { force: boolean; graceMs?: number },
    saved = false,
  ): Promise<void> {
    const { record, channel } = session;
    this.#stopping.set(record.id, by);
    if (saved) this.#savedByUs.add(record.id);
    await stopSession({
      record,
      channel,
      force,
      searches: this.#searches,
      ...(graceMs === undefined ? {} : { graceMs }),
    });
    await this.#left(session, saved);
  }

  /** Somebody sends it a signal: an end by it is theirs. */
  noteSignal(id: string, by: SignalledBy): void {
    this.#stopping.set(id, by);
  }

  /** A record was changed by a verb. */
  changed(what: "members" | "state"): void {
    if (what === "members") this.#options.onMembers();
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** The keeper is gone, and with it every program of its terminals. */
  keeperLost(): void {
    for (const session of this.#live.values()) {
      const { record } = session;
      // A terminal's programs are told by its end; those that were held by pipes are not.
      if (session instanceof AgentSession) void this.begin(session.kill()).catch(() => {});
      record.ended ??= lostNow(this.#options.clock);
      try {
        this.#records.write(record);
      } catch (error) {
        this.#logEndNotNoted(session, error); // a record without an end is lost as well, once the keeper does not know it
      }
    }
  }

  /** Lets go of every session; what runs goes on, and another generation may take it up. */
  async release(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const sessions = [...this.#live.values()];
    // Who looks on gets what is written meanwhile. One file after the other: a sync takes its time, and those who look on are read for by the same few threads.
    for (const session of sessions) await this.#noteDownLater(session);
    await Promise.all(sessions.map((session) => session.close()));
    this.#live.clear();
  }

  /** And ends the screens' thread. */
  async close(): Promise<void> {
    await this.release();
    await this.screens.close();
  }

  /** The server stays for what is being started. */
  begin<T>(starting: Promise<T>): Promise<T> {
    this.#opening.add(starting);
    return starting.finally(() => this.#opening.delete(starting));
  }

  async #open(record: SessionRecord, naming: Naming, from: JournalStart): Promise<void> {
    const taken = new Set(this.members().map(({ name }) => name));
    await this.#adopt(record, await this.#programs.start(record, { naming, from, taken }));
    this.changed("members");
  }

  /** A terminal is live at once: its end may be told before anything else happens. */
  async #adopt(record: SessionRecord, channel: KeeperChannel, commands: readonly KeeperChannel[] = []): Promise<void> {
    record.server = this.#options.server;
    if (channel.name !== undefined) record.name = channel.name; // a rename that was not written down
    const onChange = (): void => this.changed("state");
    if (record.kind === "agent") {
      const agent = this.#programs.agent(
        { record, channel, commands },
        {
          onChange,
          onEvent: (event) => this.#options.onConversation?.(record, event),
          onEnded: (session, exit) => void live.then(() => this.#ended(session, exit)),
        },
      );
      const live = agent.then((session) => void this.#live.set(record.id, session));
      await live;
    } else {
      const session = this.#programs.terminal(
        { record, channel },
        {
          onChange,
          stoppedBy: () => this.#stopping.get(record.id) ?? "unknown",
          onEnded: (one, exit) => void this.#ended(one, exit),
        },
      );
      this.#live.set(record.id, session);
    }
  }

  async #ended(session: LiveSession, exit: ChannelExit): Promise<void> {
    if (this.#isClosed) return; // the next generation is told as well
    const { record, channel } = session;
    const { keeper, log } = this.#options;
    const outcome = outcomeOfExit(exit, this.#stopping.get(record.id) ?? "unknown");
    this.#stopping.delete(record.id);
    record.ended = { outcome, at_ms: Date.parse(exit.at), saved: this.#savedByUs.has(record.id) };
    if (!(await this.#noteEnd(session))) return;
    this.#endFailures.delete(record.id);
    keeper.forget(channel.channel);
    if (record.kind === "session") this.screens.forget(record.id);
    await keeper.call({ call: "close", id: channel.id, epoch: channel.epoch }).catch((error) => {
      log.warn("channel_not_closed", { session: record.name, error: messageOf(error) });
    });
    await session.told();
    this.#live.delete(record.id);
    this.#savedByUs.delete(record.id);
    this.#stopping.delete(record.id); // by a stop that was repeated while there was no room for its end
    this.changed("members");
  }

  /** Resolves when it is live no more. @throws SESSION_END_NOT_NOTED, unless it is `saved` */
  #left(session: LiveSession, saved: boolean): Promise<void> {
    const { id, name } = session.record;
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const isLive = this.#live.get(id) === session;
        if (isLive && (saved || !this.#endFailures.has(id))) return;
        this.#watchers.delete(look);
        if (isLive) reject(errors.endNotNoted(name, this.#endFailures.get(id)));
        else resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  #noteDown(session: LiveSession): void {
    this.#records.write(asItIs(session));
  }

  /**
   * Tried until there is room for it; the keeper remembers the end meanwhile. That of one that ends with the server is given up at a failure: it counts as lost.
   * False when this server lets go of it first.
   */
  async #noteEnd(session: LiveSession): Promise<boolean> {
    const { id } = session.record;
    for (let isFirst = true; !this.#isClosed; isFirst = false) {
      try {
        this.#noteDown(session);
        return true;
      } catch (error) {
        if (isFirst) this.#logEndNotNoted(session, error);
        if (this.#savedByUs.has(id)) return true;
        this.#endFailures.set(id, error);
        if (isFirst) this.changed("state");
      }
      await new Promise<void>((resolve) => this.#options.clock.timer(END_AGAIN_MS, resolve));
    }
    return false;
  }

  #logEndNotNoted({ record }: LiveSession, error: unknown): void {
    this.#options.log.error("session_end_not_noted", { session: record.name, error: messageOf(error) });
  }

  /** What cannot be written is known to the one who has it next, but for when it was active. */
  async #noteDownLater(session: LiveSession): Promise<void> {
    await this.#records.writeLater(asItIs(session)).catch((error) => {
      this.#options.log.warn("session_not_noted", { session: session.record.name, error: messageOf(error) });
    });
  }
}

/** Its record, with what only the live session knows. */
function asItIs(session: LiveSession): SessionRecord {
  const { record } = session;
  const { activeAtMs, title } = session.live();
  record.active_at_ms = activeAtMs;
  return Object.assign(record, record.kind === "session" ? session.size : {}, title === undefined ? {} : { title });
}

export const lostNow = (clock: Clock): NonNullable<SessionRecord["ended"]> => ({
  outcome: { kind: "lost", reason: "the keeper ended" },
  at_ms: clock.wallMs(),
  saved: true,
});
