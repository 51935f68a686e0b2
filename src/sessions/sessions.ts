import { randomBytes, randomInt } from "node:crypto";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { signalName, signalNumber } from "../platform/process.ts";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import type { ChannelExit, KeeperChannel } from "../protocol/keeper-calls.ts";
import type { DataOf, NewSession, PayloadOf } from "../protocol/messages.ts";
import { NAME_PATTERN } from "../protocol/names.ts";
import type { Outcome, SignalledBy } from "../protocol/outcome.ts";
import type { Session } from "../protocol/units.ts";
import { pickSessionName } from "../registry/session-names.ts";
import { resolveProgram } from "../runs/resolve-program.ts";
import { Attachment } from "./attachment.ts";
import type { ByteStream } from "./byte-stream.ts";
import { EndedSession } from "./ended-session.ts";
import * as errors from "./errors.ts";
import { openJournal } from "./journal/open-journal.ts";
import type { KeeperPort } from "./keeper-port.ts";
import { outcomeOfExit } from "./outcome-of-exit.ts";
import { environmentOfSession } from "./program.ts";
import { type SessionRecord, SessionRecords } from "./record.ts";
import { Screens } from "./screen/screens.ts";
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
  readonly #live = new Map<string, TerminalSession>();
  readonly #stopping = new Map<string, SignalledBy>();
  readonly #opening = new Set<Promise<unknown>>();
  readonly #watchers = new Set<() => void>();
  #isClosed = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#records = new SessionRecords(options.sessionsDir);
    this.#screens = new Screens({ log: options.log, onEvent: (id, event) => this.#live.get(id)?.onScreen(event) });
  }

  /** Takes up what runs under this server's name. */
  async start(): Promise<void> {
    const { keeper, server, log } = this.#options;
    const { channels } = await keeper.call({ call: "lease.take", server });
    for (const channel of channels) {
      const record = this.#records.read(sessionIdOf(channel.id));
      if (record) this.#adopt(record, channel);
      else log.error("session_without_record", { channel: channel.id, pid: channel.pid });
    }
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
  members(): { id: string; name: string }[] {
    return [...this.#live.values()].map(({ record: { id, name } }) => ({ id, name }));
  }

  /** @throws COMMAND_EMPTY, WORKDIR_MISSING, PROGRAM_NOT_FOUND, PROGRAM_NOT_EXECUTABLE, NAME_INVALID, NAME_TAKEN, SIZE_INVALID */
  async create(request: NewSession, requestId?: string): Promise<{ session: Session }> {
    const id = requestId === undefined ? newSessionId() : sessionIdFor(requestId);
    const before = this.#repeated(id);
    if (before) return { session: before };
    const { cols = DEFAULT_SIZE.cols, rows = DEFAULT_SIZE.rows, command, workdir, env, name } = request;
    if (name !== undefined && !NAME_PATTERN.test(name)) throw errors.nameInvalid(name);
    if (cols < 1 || rows < 1 || cols > 1000 || rows > 1000) throw errors.sizeInvalid(cols, rows);
    if (!command?.length) throw errors.noProgram();
    const nowMs = this.#options.clock.wallMs();
    const record: SessionRecord = {
      format: 1,
      oldest_reader: 1,
      id,
      name: name ?? "",
      kind: "session",
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
      return await this.#begin(this.#open(record, name === undefined ? "any" : "exact"));
    } catch (error) {
      await this.#records.remove(id);
      throw error;
    }
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
    const session = await this.#mustLive(request.session);
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
    const live = await this.#mustLive(session);
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
    const live = await this.#mustLive(session);
    const { lines, cursor } = await this.#screens.text(live.record.id);
    return { session: viewSession(live.record, live.live()), lines, cursor };
  }

  /** Starts an ended one again, on this server, with its journal going on. @throws SESSION_LIVE, SESSION_NOT_FOUND and those of `create` */
  async resume(request: PayloadOf<"session.resume">): Promise<{ session: Session }> {
    const live = this.#liveNamed(request.session);
    if (live) throw errors.sessionLive(live.record.name);
    const record = await this.#savedNamed(request.session);
    const { cols = record.cols, rows = record.rows, env = record.env } = request;
    await resolveProgram(record.command, record.directory, env);
    const journal = await openJournal(this.#records.journalDirOf(record.id));
    const next: SessionRecord = {
      ...record,
      env,
      cols,
      rows,
      server: this.#options.server,
      started_at_ms: this.#options.clock.wallMs(),
      resume_count: record.resume_count + 1,
      ended: null,
    };
    try {
      const from = {
        startOutput: journal.output,
        startInput: journal.input,
        startSegment: journal.segment + 1,
      };
      return await this.#begin(this.#open(next, "preferred", from));
    } catch (error) {
      this.#records.write({ ...record, ended: record.ended ?? lostNow(this.#options.clock) });
      throw error;
    }
  }

  /** Gives a live one to another server. Its program does not notice; its clients come back there. */
  async move({ session, to }: PayloadOf<"session.move">): Promise<{ session: Session }> {
    const { server, keeper, askServer } = this.#options;
    const live = await this.#mustLive(session);
    const { record } = live;
    if (to === server) return { session: viewSession(record, live.live()) };
    this.#letGo(live);
    try {
      await askServer(to, "session.take", { id: record.id });
    } catch (error) {
      const { channels } = await keeper.call({ call: "lease.take", server, ids: [live.channel.id] });
      for (const channel of channels) this.#adopt(record, channel);
      this.#changed("members");
      throw errors.moveFailed(record.name, to, messageOf(error));
    }
    this.#changed("members");
    return { session: viewSession({ ...record, server: to }, undefined) };
  }

  /** The other side of `move`. */
  async take({ id }: PayloadOf<"session.take">): Promise<{ session: Session }> {
    const { server, keeper } = this.#options;
    const record = this.#records.read(id);
    if (!record) throw errors.sessionNotFound(id, []);
    const mine = this.#live.get(id);
    if (mine) return { session: viewSession(record, mine.live()) };
    const { channels } = await keeper.call({ call: "lease.take", server, ids: [channelIdOf(record)] });
    const [channel] = channels;
    if (!channel) throw errors.sessionNotLive(record.name);
    record.server = server;
    this.#records.write(record);
    this.#adopt(record, channel);
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
    for (const { record } of this.#live.values()) {
      record.ended = lostNow(this.#options.clock);
      this.#records.write(record);
    }
  }

  /** Lets go of everything; what runs goes on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const session of this.#live.values()) {
      this.#noteDown(session);
      session.close();
    }
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
  ): Promise<{ session: Session }> {
    const file = await resolveProgram(record.command, record.directory, record.env);
    const taken = new Set(this.members().map(({ name }) => name));
    const wanted = record.name;
    for (let attempt = 0; ; attempt++) {
      if (naming === "any" || (naming === "preferred" && attempt > 0)) record.name = pickSessionName(taken);
      if (record.name !== wanted && naming === "preferred") record.former_name = wanted;
      this.#records.write(record);
      try {
        const channel = await this.#options.keeper.call({
          call: "terminal.open",
          id: channelIdOf(record),
          name: record.name,
          server: this.#options.server,
          command: [file, ...record.command.slice(1)],
          directory: record.directory,
          env: environmentOfSession(record),
          journalDir: this.#records.journalDirOf(record.id),
          journalBytesMax: JOURNAL_BYTES_MAX,
          cols: record.cols,
          rows: record.rows,
          ...from,
        });
        this.#adopt(record, channel);
        this.#changed("members");
        return { session: this.#viewOf(record.id) };
      } catch (error) {
        if (!isWarrenError(error, "NAME_TAKEN") || attempt >= NAME_TRIES_MAX) throw error;
        if (naming === "exact") throw errors.nameTaken(record.name);
        taken.add(record.name);
      }
    }
  }

  #adopt(record: SessionRecord, channel: KeeperChannel): void {
    const { keeper, clock, log, server } = this.#options;
    record.server = server;
    if (channel.name !== undefined) record.name = channel.name; // a rename that was not written down
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

  async #end(
    session: TerminalSession,
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

  readonly #savedByUs = new Set<string>();

  async #ended(session: TerminalSession, exit: ChannelExit): Promise<void> {
    if (this.#isClosed) return; // the next generation is told as well
    const { record, channel } = session;
    const { keeper, log } = this.#options;
    const outcome = outcomeOfExit(exit, this.#stopping.get(record.id) ?? "unknown");
    this.#stopping.delete(record.id);
    record.ended = { outcome, at_ms: Date.parse(exit.at), saved: this.#savedByUs.delete(record.id) };
    this.#noteDown(session);
    keeper.forget(channel.channel);
    this.#screens.forget(record.id);
    await keeper.call({ call: "close", id: channel.id, epoch: channel.epoch }).catch((error) => {
      log.warn("channel_not_closed", { session: record.name, error: messageOf(error) });
    });
    await session.told();
    this.#live.delete(record.id);
    this.#changed("members");
  }

  #letGo(session: TerminalSession): void {
    this.#noteDown(session);
    session.close();
    this.#live.delete(session.record.id);
  }

  #noteDown(session: TerminalSession): void {
    const { record } = session;
    const { activeAtMs, title } = session.live();
    record.active_at_ms = activeAtMs;
    Object.assign(record, session.size, title === undefined ? {} : { title });
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
    return new Set(channels.map(({ id }) => sessionIdOf(id)));
  }

  #liveNamed(reference: string): TerminalSession | undefined {
    const byId = this.#live.get(reference);
    return byId ?? [...this.#live.values()].find(({ record }) => record.name === reference);
  }

  async #mustLive(reference: string): Promise<TerminalSession> {
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

  /** The answer to a request that was answered before, or whose server was killed before it could. */
  #repeated(id: string): Session | undefined {
    return this.#live.has(id) || this.#records.read(id)?.ended ? this.#viewOf(id) : undefined;
  }

  #changed(what: "members" | "state"): void {
    if (what === "members") this.#options.onMembers();
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** Eight characters, the first a digit, so that no id is a name. */
const newSessionId = (): string => digits(randomBytes(8).readBigUInt64BE());

/** The same for the same request: a repeat after a lost answer finds what the first made. */
function sessionIdFor(requestId: string): string {
  return digits(hash64(requestId));
}

/** 16 hex digits, the same for the same request. */
const sourceFor = (requestId: string): string => hash64(requestId).toString(16).padStart(16, "0");

/** FNV-1a, 64 bits. */
function hash64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

const digits = (value: bigint): string => `${value % 10n}${(value / 10n).toString(36).padStart(9, "0").slice(-9)}`;

/** One program of a session: each resume has a channel of its own. */
const channelIdOf = ({ id, resume_count }: SessionRecord): string =>
  resume_count === 0 ? id : `${id}.${resume_count}`;
const sessionIdOf = (channelId: string): string => channelId.split(".", 1)[0]!;

const lostNow = (clock: Clock): NonNullable<SessionRecord["ended"]> => ({
  outcome: { kind: "lost", reason: "the keeper ended" },
  at_ms: clock.wallMs(),
  saved: true,
});
