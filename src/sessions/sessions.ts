import { randomBytes, randomInt } from "node:crypto";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { signalName, signalNumber } from "../platform/process.ts";
import type { ConversationEvent } from "../protocol/conversation.ts";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import type { ChannelExit, KeeperChannel } from "../protocol/keeper-calls.ts";
import type { DataOf, NewSession, PayloadOf } from "../protocol/messages.ts";
import { NAME_PATTERN } from "../protocol/names.ts";
import type { Outcome, SignalledBy } from "../protocol/outcome.ts";
import type { Session } from "../protocol/units.ts";
import { pickSessionName } from "../registry/session-names.ts";
import { resolveProgram } from "../runs/resolve-program.ts";
import { dropConversationAhead } from "./agent-files.ts";
import { AgentSession } from "./agent-session.ts";
import { KeeperTerminals, TERMINAL_MARK } from "./agent-terminals.ts";
import { AgentVerbs } from "./agent-verbs.ts";
import { Attachment } from "./attachment.ts";
import type { ByteStream } from "./byte-stream.ts";
import { EndedSession } from "./ended-session.ts";
import * as errors from "./errors.ts";
import { openJournal } from "./journal/open-journal.ts";
import type { KeeperPort } from "./keeper-port.ts";
import type { LiveSession } from "./live-session.ts";
import { outcomeOfExit } from "./outcome-of-exit.ts";
import { environmentOfSession } from "./program.ts";
import { type SessionRecord, SessionRecords } from "./record.ts";
import { Screens } from "./screen/screens.ts";
import { hash64, sourceFor } from "./stable-hash.ts";
import { stopSession } from "./stop-session.ts";
import { TerminalSession } from "./terminal-session.ts";
import { viewSession } from "./views.ts";
import { waitForSession } from "./wait.ts";

/**
 * The sessions of one server. What runs is the keeper's: this takes their leases, follows their journals and serves their clients; a later generation,
 * or another server, can do the same from what is on disk and in the keeper.
 *
 * Invariants
 * 1. A session's record is written before its program is started, and its end before the keeper forgets it.
 * 2. A name belongs to one running program of the home: the keeper says so.
 * 3. Whoever steers a session has its lease; who has lost it is refused by the keeper.
 */
export interface SessionsOptions {
  sessionsDir: string;
  /** The server's name. */
  server: string;
  keeper: KeeperPort;
  clock: Clock;
  log: Log;
  /** Which sessions are live has changed, or a name: the registry is to know. */
  onMembers: () => void;
  /** What happens in an agent's conversation. */
  onConversation?: (session: { id: string; directory: string }, event: ConversationEvent) => void;
  /** Another server has it now, and says so in the registry. */
  onMoved?: (id: string) => void;
  /** Our own, for agents to know. */
  version: string;
  /** A request to another server of this home. */
  askServer: (server: string, type: "session.take", payload: { id: string }) => Promise<unknown>;
}

/** Journal of a terminal: past it the oldest segments go. */
const JOURNAL_BYTES_MAX = 64 * 1024 * 1024;
const DEFAULT_SIZE = { cols: 80, rows: 24 };
const NAME_TRIES_MAX = 50;

/** A terminal after `session.attach` was answered: `start` begins the frames. */
export interface Attached {
  data: DataOf<"session.attach">;
  attachment: Attachment;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #records: SessionRecords;
  readonly #screens: Screens;
  /** By the session's id. */
  readonly #live = new Map<string, LiveSession>();
  readonly #stopping = new Map<string, SignalledBy>();
  /** Those that the server's end ends: they are saved, and not ended by themselves. */
  readonly #savedByUs = new Set<string>();
  readonly #opening = new Set<Promise<unknown>>();
  readonly #watchers = new Set<() => void>();
  #isClosed = false;
  /** What is done with agents alone. */
  readonly agents: AgentVerbs;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#records = new SessionRecords(options.sessionsDir);
    this.#screens = new Screens({ log: options.log, onEvent: (id, event) => this.#terminalOf(id)?.onScreen(event) });
    this.agents = new AgentVerbs({
      live: async (reference) => {
        const session = await this.#mustLive(reference);
        if (session instanceof AgentSession) return session;
        throw errors.notAnAgent(session.record.name);
      },
      liveById: (id) => {
        const session = this.#live.get(id);
        return session instanceof AgentSession ? session : undefined;
      },
      saved: async (reference) => {
        if (this.#liveNamed(reference)) return undefined;
        const record = await this.#savedNamed(reference);
        if (record.kind !== "agent") throw errors.notAnAgent(record.name);
        return { record, ...this.#placesOf(record.id) };
      },
      log: options.log,
    });
  }

  /** Takes up what runs under this server's name. */
  async start(): Promise<void> {
    const { keeper, server, log } = this.#options;
    const { channels } = await keeper.call({ call: "lease.take", server });
    const programs = channels.filter(({ id }) => !isCommand(id));
    await Promise.all(
      programs.map(async (channel) => {
        const record = this.#records.read(sessionIdOf(channel.id));
        if (record) await this.#adopt(record, channel, commandsOf(record.id, channels));
        else log.error("session_without_record", { channel: channel.id, pid: channel.pid });
      }),
    );
    await this.#endOrphans(channels);
    if (channels.length > 0) log.info("sessions_adopted", { count: this.#live.size });
  }

  /** Those that are being started among them: they need the server as well. */
  get liveCount(): number {
    return this.#live.size + this.#opening.size;
  }

  /** Resolves when nothing is being started any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#opening);
  }

  /** For the registry. */
  members(): { id: string; name: string; kind?: "agent" }[] {
    return [...this.#live.values()].map(({ record: { id, name, kind } }) =>
      kind === "agent" ? { id, name, kind } : { id, name },
    );
  }

  /** @throws COMMAND_EMPTY, WORKDIR_MISSING, PROGRAM_NOT_FOUND, PROGRAM_NOT_EXECUTABLE, NAME_INVALID, NAME_TAKEN, SIZE_INVALID */
  async create(request: NewSession, requestId?: string): Promise<{ session: Session }> {
    const id = requestId === undefined ? newSessionId() : sessionIdFor(requestId);
    if (this.#isKnown(id)) return this.#greeted(id, "remove");
    const { cols = DEFAULT_SIZE.cols, rows = DEFAULT_SIZE.rows, agent, workdir, env, name } = request;
    if (agent && request.command) throw errors.twoPrograms();
    const command = agent ?? request.command;
    if (name !== undefined && !NAME_PATTERN.test(name)) throw errors.nameInvalid(name);
    if (cols < 1 || rows < 1 || cols > 1000 || rows > 1000) throw errors.sizeInvalid(cols, rows);
    if (!command?.length) throw errors.noProgram();
    const nowMs = this.#options.clock.wallMs();
    const record: SessionRecord = {
      format: 1,
      oldest_reader: 1,
      id,
      name: name ?? "",
      kind: agent ? "agent" : "session",
      command,
      directory: workdir,
      env,
      server: this.#options.server,
      labels: request.labels ?? {},
      tag: randomInt(2 ** 47),
      created_at_ms: nowMs,
      started_at_ms: nowMs,
      active_at_ms: nowMs,
      cols,
      rows,
      resume_count: 0,
      ended: null,
    };
    await resolveProgram(command, workdir, env);
    this.#records.prepare(id);
    try {
      await this.#begin(this.#open(record, name === undefined ? "any" : "exact"));
    } catch (error) {
      await this.#records.remove(id);
      throw error;
    }
    return this.#greeted(id, "remove");
  }

  list({ saved = false }: PayloadOf<"session.list">): Promise<DataOf<"session.list">> | DataOf<"session.list"> {
    if (saved) return this.#listSaved();
    return { sessions: [...this.#live.values()].map((session) => viewSession(session.record, session.live())) };
  }

  async get({ session }: PayloadOf<"session.get">): Promise<{ session: Session }> {
    const live = this.#liveNamed(session);
    return {
      session: live ? viewSession(live.record, live.live()) : viewSession(await this.#savedNamed(session), undefined),
    };
  }

  async attach(request: PayloadOf<"session.attach">, stream: ByteStream): Promise<Attached> {
    const { client, cols, rows, view = false, since, label = "terminal" } = request;
    if (since !== undefined && !this.#liveNamed(request.session)) return this.#attachEnded(request, since, stream);
    const session = await this.#mustTerminal(request.session);
    const { attachment, continued, inputBytes } = await session.attach({
      client,
      label,
      cols,
      rows,
      stream,
      isViewer: view,
      ...(since === undefined ? {} : { since }),
    });
    const data = { session: viewSession(session.record, session.live()), continued, input_bytes: inputBytes };
    return { attachment, data };
  }

  /** It ended while the client was away: the client gets the rest of what it wrote, and its end. */
  async #attachEnded(request: PayloadOf<"session.attach">, since: number, stream: ByteStream): Promise<Attached> {
    const record = await this.#savedNamed(request.session);
    const journalDir = this.#records.journalDirOf(record.id);
    const { output } = await openJournal(journalDir);
    const { client, label = "terminal", cols, rows } = request;
    const view = viewSession(record, undefined);
    const to = new EndedSession({
      journalDir,
      size: { cols: record.cols, rows: record.rows },
      outputBytes: output,
      outcome: view.outcome as Outcome,
    });
    const size = { cols, rows };
    const options = { client, label, isViewer: true, size, stream, to, since };
    const { attachment, continued } = await Attachment.open(options);
    return { attachment, data: { session: view, continued, input_bytes: 0 } };
  }

  async send({ session, data }: PayloadOf<"session.send">, requestId?: string): Promise<DataOf<"session.send">> {
    const live = await this.#mustTerminal(session);
    const bytes = Buffer.from(data);
    live.send(sourceFor(requestId ?? newSessionId()), bytes);
    return { session: viewSession(live.record, live.live()), bytes: bytes.length };
  }

  /** Ends the program and its whole tree; resolves when they are gone. One that has ended already is no error. */
  async stop({ session, force, grace_ms }: PayloadOf<"session.stop">): Promise<DataOf<"session.stop">> {
    const live = this.#liveNamed(session);
    if (!live) return { session: viewSession(await this.#savedNamed(session), undefined), stopped: false };
    await this.#end(live, "stop", { force: force === true, ...(grace_ms === undefined ? {} : { graceMs: grace_ms }) });
    return { session: this.#viewOf(live.record.id), stopped: true };
  }

  async signal({ session, signal }: PayloadOf<"session.signal">): Promise<DataOf<"session.signal">> {
    const live = await this.#mustLive(session);
    const number = signalNumber(signal);
    const { id, epoch } = live.channel;
    this.#stopping.set(live.record.id, "user");
    await this.#options.keeper.call({ call: "signal", id, epoch, signal: number, foreground: true });
    return { session: viewSession(live.record, live.live()), signal: number, name: signalName(number) };
  }

  async rename({ session, name }: PayloadOf<"session.rename">): Promise<{ session: Session }> {
    if (!NAME_PATTERN.test(name)) throw errors.nameInvalid(name);
    const live = this.#liveNamed(session);
    const record = live?.record ?? (await this.#savedNamed(session));
    if (live && record.name !== name) {
      const { id, epoch } = live.channel;
      await this.#options.keeper.call({ call: "rename", id, epoch, name }).catch((error) => {
        throw isWarrenError(error, "NAME_TAKEN") ? errors.nameTaken(name) : error;
      });
    }
    record.name = name;
    this.#records.write(record);
    if (live) this.#changed("members");
    return { session: viewSession(record, live?.live()) };
  }

  async remove({ session }: PayloadOf<"session.remove">): Promise<{ session: Session }> {
    const live = this.#liveNamed(session);
    if (live) throw errors.sessionLive(live.record.name);
    const record = await this.#savedNamed(session);
    await this.#records.remove(record.id);
    return { session: viewSession(record, undefined) };
  }

  async wait(request: PayloadOf<"session.wait">, signal: AbortSignal): Promise<DataOf<"session.wait">> {
    const live = this.#liveNamed(request.session);
    const record = live?.record ?? (await this.#savedNamed(request.session));
    return waitForSession(
      {
        look: () => ({ session: this.#viewOf(record.id), outputBytes: this.#live.get(record.id)?.outputBytes ?? 0 }),
        openOutput: (offset) => live?.openReader(offset) ?? Promise.resolve(undefined),
        watch: (listener) => {
          this.#watchers.add(listener);
          return () => this.#watchers.delete(listener);
        },
        clock: this.#options.clock,
      },
      request,
      signal,
    );
  }

  async screen({ session }: PayloadOf<"session.screen">): Promise<DataOf<"session.screen">> {
    const live = await this.#mustTerminal(session);
    const { lines, cursor } = await this.#screens.text(live.record.id);
    return { session: viewSession(live.record, live.live()), lines, cursor };
  }

  /** Starts an ended one again, on this server, with its journal going on. @throws SESSION_LIVE, SESSION_NOT_FOUND and those of `create` */
  async resume(request: PayloadOf<"session.resume">): Promise<{ session: Session }> {
    const live = this.#liveNamed(request.session);
    if (live) throw errors.sessionLive(live.record.name);
    const record = await this.#savedNamed(request.session);
    const isAgent = record.kind === "agent";
    const { cols = record.cols, rows = record.rows, env = record.env } = request;
    await resolveProgram(record.command, record.directory, env);
    const journal = await openJournal(this.#records.journalDirOf(record.id));
    if (isAgent) await dropConversationAhead(this.#records.directoryOf(record.id), journal);
    const next: SessionRecord = {
      ...record,
      env,
      cols,
      rows,
      server: this.#options.server,
      started_at_ms: this.#options.clock.wallMs(),
      resume_count: record.resume_count + 1,
      ...(isAgent ? { starts: [...(record.starts ?? []), journal.segment + 1] } : {}),
      ended: null,
    };
    try {
      const from = {
        startOutput: journal.output,
        startInput: journal.input,
        startSegment: journal.segment + 1,
      };
      await this.#begin(this.#open(next, "preferred", from));
    } catch (error) {
      this.#records.write({ ...record, ended: record.ended ?? lostNow(this.#options.clock) });
      throw error;
    }
    return this.#greeted(record.id, "save");
  }

  /** Gives a live one to another server. Its program does not notice; its clients come back there. */
  async move({ session, to }: PayloadOf<"session.move">): Promise<{ session: Session }> {
    const { server, keeper, askServer } = this.#options;
    const live = await this.#mustLive(session);
    const { record } = live;
    if (to === server) return { session: viewSession(record, live.live()) };
    await this.#letGo(live);
    try {
      await askServer(to, "session.take", { id: record.id });
    } catch (error) {
      const ids = [live.channel.id, ...(await this.#commandIdsOf(record))];
      const { channels } = await keeper.call({ call: "lease.take", server, ids });
      const channel = channels.find(({ id }) => !isCommand(id));
      if (channel) await this.#adopt(record, channel, commandsOf(record.id, channels));
      this.#changed("members");
      throw errors.moveFailed(record.name, to, messageOf(error));
    }
    this.#changed("members");
    this.#options.onMoved?.(record.id);
    return { session: viewSession({ ...record, server: to }, undefined) };
  }

  /** The other side of `move`. */
  async take({ id }: PayloadOf<"session.take">): Promise<{ session: Session }> {
    const { server, keeper } = this.#options;
    const record = this.#records.read(id);
    if (!record) throw errors.sessionNotFound(id, []);
    const mine = this.#live.get(id);
    if (mine) return { session: viewSession(record, mine.live()) };
    const ids = [channelIdOf(record), ...(await this.#commandIdsOf(record))];
    const { channels } = await keeper.call({ call: "lease.take", server, ids });
    const channel = channels.find(({ id }) => !isCommand(id));
    if (!channel) throw errors.sessionNotLive(record.name);
    record.server = server;
    this.#records.write(record);
    await this.#begin(this.#adopt(record, channel, commandsOf(id, channels)));
    this.#changed("members");
    return { session: this.#viewOf(id) };
  }

  /** Ends all, saved: they can be resumed. For the end of the server. */
  async endAll(options: { force: boolean; graceMs?: number }): Promise<number> {
    const all = [...this.#live.values()];
    await Promise.all(all.map((session) => this.#end(session, "stop", options, true)));
    return all.length;
  }

  /** The keeper is gone, and with it every program of its terminals. */
  keeperLost(): void {
    for (const session of this.#live.values()) {
      const { record } = session;
      // A terminal's programs are told by its end; those that were held by pipes are not.
      if (session instanceof AgentSession) void this.#begin(session.kill()).catch(() => {});
      record.ended = lostNow(this.#options.clock);
      this.#records.write(record);
    }
  }

  /** Lets go of everything; what runs goes on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const sessions = [...this.#live.values()];
    for (const session of sessions) this.#noteDown(session);
    await Promise.all(sessions.map((session) => session.close()));
    this.#live.clear();
    await this.#screens.close();
  }

  /** The server stays for what is being started. */
  #begin<T>(starting: Promise<T>): Promise<T> {
    this.#opening.add(starting);
    return starting.finally(() => this.#opening.delete(starting));
  }

  async #open(
    record: SessionRecord,
    naming: "any" | "exact" | "preferred",
    from: { startOutput?: number; startInput?: number; startSegment?: number } = {},
  ): Promise<void> {
    const file = await resolveProgram(record.command, record.directory, record.env);
    const taken = new Set(this.members().map(({ name }) => name));
    const wanted = record.name;
    for (let attempt = 0; ; attempt++) {
      if (naming === "any" || (naming === "preferred" && attempt > 0)) record.name = pickSessionName(taken);
      if (record.name !== wanted && naming === "preferred") record.former_name = wanted;
      this.#records.write(record);
      try {
        const spec = {
          id: channelIdOf(record),
          name: record.name,
          server: this.#options.server,
          command: [file, ...record.command.slice(1)],
          directory: record.directory,
          env: environmentOfSession(record),
          journalDir: this.#records.journalDirOf(record.id),
          ...from,
        };
        const { cols, rows } = record;
        const channel = await this.#options.keeper.call(
          record.kind === "agent"
            ? { call: "pipe.open", ...spec, journalBytesMax: 0 } // the conversation is folded from all of it
            : { call: "terminal.open", ...spec, journalBytesMax: JOURNAL_BYTES_MAX, cols, rows },
        );
        await this.#adopt(record, channel);
        this.#changed("members");
        return;
      } catch (error) {
        if (!isWarrenError(error, "NAME_TAKEN") || attempt >= NAME_TRIES_MAX) throw error;
        if (naming === "exact") throw errors.nameTaken(record.name);
        taken.add(record.name);
      }
    }
  }

  async #adopt(record: SessionRecord, channel: KeeperChannel, commands: readonly KeeperChannel[] = []): Promise<void> {
    record.server = this.#options.server;
    if (channel.name !== undefined) record.name = channel.name; // a rename that was not written down
    if (record.kind === "agent") await this.#adoptAgent(record, channel, commands);
    else this.#adoptTerminal(record, channel);
  }

  #adoptTerminal(record: SessionRecord, channel: KeeperChannel): void {
    const { keeper, clock, log } = this.#options;
    const session = new TerminalSession({
      record,
      channel,
      keeper,
      screens: this.#screens,
      clock,
      log,
      journalDir: this.#records.journalDirOf(record.id),
      stoppedBy: () => this.#stopping.get(record.id) ?? "unknown",
      onChange: () => this.#changed("state"),
      onEnded: (exit) => void this.#ended(session, exit),
    });
    this.#live.set(record.id, session);
  }

  async #adoptAgent(record: SessionRecord, channel: KeeperChannel, commands: readonly KeeperChannel[]): Promise<void> {
    const { keeper, clock, log, version, onConversation } = this.#options;
    const adopted = AgentSession.open({
      record,
      channel,
      commands,
      ...this.#placesOf(record.id),
      keeper,
      clock,
      log,
      version,
      onChange: () => this.#changed("state"),
      onRecord: () => this.#records.write(record),
      onEvent: (event) => onConversation?.(record, event),
      onEnded: (exit) => void adopted.then((session) => this.#ended(session, exit)),
    }).then((session) => {
      this.#live.set(record.id, session);
      return session;
    });
    await adopted;
  }

  /** An agent is there when it has been greeted. One that cannot be spoken to is ended, but for one that wants a login. */
  async #greeted(id: string, otherwise: "remove" | "save"): Promise<{ session: Session }> {
    const session = this.#live.get(id);
    if (!(session instanceof AgentSession)) return { session: this.#viewOf(id) };
    try {
      await session.opened;
    } catch (error) {
      if (isWarrenError(error, "AGENT_DETACHED")) throw error; // the next server goes on with it
      if (!isWarrenError(error, "AGENT_NEEDS_LOGIN") && !session.hasHistory) {
        await this.#end(session, "stop", { force: true }, true);
        if (otherwise === "remove") await this.#records.remove(id);
        throw errors.withErrorOutput(error, session.errorsText);
      }
    }
    return { session: this.#viewOf(id) };
  }

  /** Commands of agents whose end nobody has seen. */
  async #endOrphans(channels: readonly KeeperChannel[]): Promise<void> {
    const orphans = channels.filter(({ id }) => isCommand(id) && !this.#live.has(sessionIdOf(id)));
    for (const channel of orphans) {
      const record = this.#records.read(sessionIdOf(channel.id));
      if (!record) continue;
      const { keeper, log, server } = this.#options;
      const { directory } = this.#placesOf(record.id);
      const commands = new KeeperTerminals({ record, directory, server, keeper, log });
      commands.adopt(channel);
      await commands.endAll();
    }
  }

  async #commandIdsOf({ id, kind }: SessionRecord): Promise<string[]> {
    if (kind !== "agent") return [];
    const { channels } = await this.#options.keeper.call({ call: "channels" });
    return commandsOf(id, channels).map((channel) => channel.id);
  }

  async #end(
    session: LiveSession,
    by: SignalledBy,
    { force, graceMs }: { force: boolean; graceMs?: number },
    saved = false,
  ): Promise<void> {
    const { record, channel } = session;
    this.#stopping.set(record.id, by);
    const ended = new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.#live.has(record.id)) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
    if (saved) this.#savedByUs.add(record.id);
    await stopSession({ record, channel, force, ...(graceMs === undefined ? {} : { graceMs }) });
    await ended;
  }

  async #ended(session: LiveSession, exit: ChannelExit): Promise<void> {
    if (this.#isClosed) return; // the next generation is told as well
    const { record, channel } = session;
    const { keeper, log } = this.#options;
    const outcome = outcomeOfExit(exit, this.#stopping.get(record.id) ?? "unknown");
    this.#stopping.delete(record.id);
    record.ended = { outcome, at_ms: Date.parse(exit.at), saved: this.#savedByUs.delete(record.id) };
    this.#noteDown(session);
    keeper.forget(channel.channel);
    if (record.kind === "session") this.#screens.forget(record.id);
    await keeper.call({ call: "close", id: channel.id, epoch: channel.epoch }).catch((error) => {
      log.warn("channel_not_closed", { session: record.name, error: messageOf(error) });
    });
    await session.told();
    this.#live.delete(record.id);
    this.#changed("members");
  }

  async #letGo(session: LiveSession): Promise<void> {
    this.#noteDown(session);
    this.#live.delete(session.record.id);
    await session.close();
  }

  #noteDown(session: LiveSession): void {
    const { record } = session;
    const { activeAtMs, title } = session.live();
    record.active_at_ms = activeAtMs;
    Object.assign(record, record.kind === "session" ? session.size : {}, title === undefined ? {} : { title });
    this.#records.write(record);
  }

  async #listSaved(): Promise<{ sessions: Session[] }> {
    const running = await this.#runningIds();
    const records = this.#records.readAll().filter(({ id }) => !running.has(id));
    return { sessions: records.map((record) => viewSession(record, undefined)) };
  }

  /** Of the whole home: one without an end may be another server's, or the keeper's loss. */
  async #runningIds(): Promise<Set<string>> {
    const { channels } = await this.#options.keeper.call({ call: "channels" });
    return new Set(channels.filter(({ id }) => !isCommand(id)).map(({ id }) => sessionIdOf(id)));
  }

  #liveNamed(reference: string): LiveSession | undefined {
    const byId = this.#live.get(reference);
    return byId ?? [...this.#live.values()].find(({ record }) => record.name === reference);
  }

  #terminalOf(id: string): TerminalSession | undefined {
    const live = this.#live.get(id);
    return live instanceof TerminalSession ? live : undefined;
  }

  #placesOf(id: string): { directory: string; journalDir: string } {
    return { directory: this.#records.directoryOf(id), journalDir: this.#records.journalDirOf(id) };
  }

  async #mustTerminal(reference: string): Promise<TerminalSession> {
    const live = await this.#mustLive(reference);
    if (live instanceof TerminalSession) return live;
    throw errors.notATerminal(live.record.name);
  }

  async #mustLive(reference: string): Promise<LiveSession> {
    const live = this.#liveNamed(reference);
    if (live) return live;
    throw errors.sessionNotLive((await this.#savedNamed(reference)).name);
  }

  /** The newest of that name that is not live anywhere. */
  async #savedNamed(reference: string): Promise<SessionRecord> {
    const running = await this.#runningIds();
    const records = this.#records.readAll().filter(({ id }) => !running.has(id));
    const found = records.find(({ id, name }) => id === reference || name === reference);
    if (found) return found;
    throw errors.sessionNotFound(
      reference,
      [...this.members(), ...records].map(({ name }) => name),
    );
  }

  #viewOf(id: string): Session {
    const live = this.#live.get(id);
    if (live) return viewSession(live.record, live.live());
    const record = this.#records.read(id);
    if (!record) throw errors.sessionNotFound(id, []);
    return viewSession(record, undefined);
  }

  /** A request that was answered before, or whose server was killed before it could. */
  #isKnown(id: string): boolean {
    return this.#live.has(id) || Boolean(this.#records.read(id)?.ended);
  }

  #changed(what: "members" | "state"): void {
    if (what === "members") this.#options.onMembers();
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** Ten characters, the first a digit, so that no id is a name. */
const newSessionId = (): string => digits(randomBytes(8).readBigUInt64BE());

/** The same for the same request: a repeat after a lost answer finds what the first made. */
function sessionIdFor(requestId: string): string {
  return digits(hash64(requestId));
}

const digits = (value: bigint): string => `${value % 10n}${(value / 10n).toString(36).padStart(9, "0").slice(-9)}`;

/** One program of a session: each resume has a channel of its own. */
const channelIdOf = ({ id, resume_count }: SessionRecord): string =>
  resume_count === 0 ? id : `${id}.${resume_count}`;
/** A command that an agent runs, and not a session's program. */
const isCommand = (channelId: string): boolean => channelId.includes(TERMINAL_MARK);
const commandsOf = (id: string, channels: readonly KeeperChannel[]): KeeperChannel[] =>
  channels.filter((channel) => channel.id.startsWith(`${id}${TERMINAL_MARK}`));
const sessionIdOf = (channelId: string): string => channelId.split(".", 1)[0]!;

const lostNow = (clock: Clock): NonNullable<SessionRecord["ended"]> => ({
  outcome: { kind: "lost", reason: "the keeper ended" },
  at_ms: clock.wallMs(),
  saved: true,
});
