import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { listeningTcpPorts, signalName, signalNumber } from "../platform/process.ts";
import { Turns } from "../platform/turns.ts";
import type { ConversationEvent } from "../protocol/conversation.ts";
import { isWarrenError } from "../protocol/errors.ts";
import type { DataOf, NewSession, PayloadOf } from "../protocol/messages.ts";
import { NAME_PATTERN } from "../protocol/names.ts";
import type { Outcome } from "../protocol/outcome.ts";
import type { Session } from "../protocol/units.ts";
import type { EntrySession } from "../registry/entries.ts";
import type { SessionPorts } from "../registry/session-ports.ts";
import { AgentSession } from "./agent-session.ts";
import { AgentVerbs } from "./agent-verbs.ts";
import { Attachment } from "./attachment.ts";
import type { ByteStream } from "./byte-stream.ts";
import { EndedSession } from "./ended-session.ts";
import * as errors from "./errors.ts";
import { journalPage } from "./history/journal-page.ts";
import { openJournal } from "./journal/open-journal.ts";
import type { KeeperPort } from "./keeper-port.ts";
import type { LiveSession } from "./live-session.ts";
import { LiveSessions } from "./live-sessions.ts";
import { OutputReader } from "./output-reader.ts";
import { type SessionRecord, SessionRecords } from "./record.ts";
import { RemovedSessions } from "./removed-sessions.ts";
import { SavedSessions } from "./saved-sessions.ts";
import { SessionFinder } from "./session-finder.ts";
import { newSessionId } from "./session-ids.ts";
import { SessionMoves } from "./session-moves.ts";
import { SessionStarts } from "./session-starts.ts";
import { sourceFor } from "./stable-hash.ts";
import { viewSession } from "./views.ts";
import { waitForSession } from "./wait.ts";

/**
 * The sessions of one server, as its clients see them: each verb. What runs is the keeper's; who has it is `LiveSessions`; what runs nowhere is
 * `SavedSessions`; what a name means says `SessionFinder`; how they begin and go elsewhere stands in `SessionStarts` and `SessionMoves`.
 */
export interface SessionsOptions {
  sessionsDir: string;
  /** Of the home, whatever server. */
  ports: SessionPorts;
  /** The server's name. */
  server: string;
  keeper: KeeperPort;
  clock: Clock;
  log: Log;
  /** Which sessions are live has changed, or a name: the registry is to know. */
  onMembers: () => void;
  /** What happens in an agent's conversation. */
  onConversation?: (session: { id: string; directory: string }, event: ConversationEvent) => void;
  /** Another server has it now, and says so in the registry; or it is back after a move that failed. Who follows it is to come back. */
  onMoved?: (id: string) => void;
  /** Our own, for agents to know. */
  version: string;
  /** What a new session gets whose client has no environment of its own (a browser): the server's. */
  env?: Readonly<NodeJS.ProcessEnv>;
  /** A request to another server of this home. */
  askServer: (server: string, type: "session.take", payload: { id: string; epoch: number }) => Promise<unknown>;
}

/** Of `session.journal`. */
const JOURNAL_WAIT_MS_MAX = 60_000;

/** A terminal after `session.attach` was answered: `start` begins the frames. */
export interface Attached {
  data: DataOf<"session.attach">;
  attachment: Attachment;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #records: SessionRecords;
  readonly #live: LiveSessions;
  readonly #saved: SavedSessions;
  readonly #removed: RemovedSessions;
  readonly #found: SessionFinder;
  readonly #starts: SessionStarts;
  readonly #moves: SessionMoves;
  /** By the session's id: its resume, and what is done with it while it has ended. */
  readonly #turns = new Turns();
  /** What is done with agents alone. */
  readonly agents: AgentVerbs;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#records = new SessionRecords(options.sessionsDir, ({ id, port }) => {
      if (port !== undefined) options.ports.release(port, id);
    });
    this.#live = new LiveSessions({ ...options, records: this.#records });
    this.#saved = new SavedSessions(this.#records, options.keeper);
    this.#removed = new RemovedSessions(options.sessionsDir, options.clock);
    const parts = { ...options, records: this.#records, live: this.#live, saved: this.#saved };
    this.#found = new SessionFinder(parts);
    this.#starts = new SessionStarts({ ...parts, found: this.#found, turns: this.#turns });
    this.#moves = new SessionMoves({ ...parts, found: this.#found });
    this.agents = new AgentVerbs({
      live: async (reference) => {
        const session = await this.#found.mustLive(reference);
        if (session instanceof AgentSession) return session;
        throw errors.notAnAgent(session.record.name);
      },
      liveById: (id) => {
        const session = this.#live.get(id);
        return session instanceof AgentSession ? session : undefined;
      },
      saved: async (reference) => {
        if (await this.#found.live(reference)) return undefined;
        const record = await this.#found.saved(reference);
        if (record.kind !== "agent") throw errors.notAnAgent(record.name);
        return {
          record,
          directory: this.#records.directoryOf(record.id),
          journalDir: this.#records.journalDirOf(record.id),
        };
      },
      log: options.log,
    });
  }

  /** Takes up what runs under this server's name. */
  start(): Promise<void> {
    return this.#live.start();
  }

  /** Those that are being started among them: they need the server as well. */
  get liveCount(): number {
    return this.#live.count;
  }

  /** Resolves when nothing is being started any more. */
  settled(): Promise<void> {
    return this.#live.settled();
  }

  /** For the registry. */
  members(): EntrySession[] {
    return this.#live.members();
  }

  /** Those that are live here, as the wire shows them, without what has to be looked up. */
  views(): Session[] {
    return this.#live.all().map(viewOf);
  }

  /** What runs here under whose name: for the mailbox. */
  programs(): { id: string; name: string; pid: number }[] {
    return this.#live.all().map(({ record: { id, name }, channel: { pid } }) => ({ id, name, pid }));
  }

  /** Tells when one has changed, come or gone; the answer ends that. */
  watch(listener: () => void): () => void {
    return this.#live.watch(listener);
  }

  create(request: NewSession, requestId?: string): Promise<{ session: Session }> {
    return this.#starts.create(request, requestId);
  }

  list({ saved, usage }: PayloadOf<"session.list">): Promise<DataOf<"session.list">> | DataOf<"session.list"> {
    if (saved) return this.#listSaved();
    if (!usage) return { sessions: this.#live.all().map(viewOf) }; // the kernel makes its list of sockets anew for each look, in milliseconds
    const listening = listeningTcpPorts();
    return { sessions: this.#live.all().map((session) => withListening(viewOf(session), listening)) };
  }

  async get({ session }: PayloadOf<"session.get">): Promise<{ session: Session }> {
    const live = await this.#found.live(session);
    return {
      session: live
        ? withListening(viewOf(live), listeningTcpPorts())
        : viewSession(await this.#found.saved(session), undefined),
    };
  }

  async attach(request: PayloadOf<"session.attach">, stream: ByteStream): Promise<Attached> {
    const { client, cols, rows, view = false, since, label = "terminal" } = request;
    if (since !== undefined && !(await this.#found.live(request.session)))
      return this.#attachEnded(request, since, stream);
    const session = await this.#found.mustTerminal(request.session);
    const { attachment, continued, inputBytes } = await session.attach({
      client,
      label,
      cols,
      rows,
      stream,
      isViewer: view,
      ...(since === undefined ? {} : { since }),
    });
    const data = { session: viewOf(session), continued, input_bytes: inputBytes };
    return { attachment, data };
  }

  /** It ended while the client was away: the client gets the rest of what it wrote, and its end. */
  async #attachEnded(request: PayloadOf<"session.attach">, since: number, stream: ByteStream): Promise<Attached> {
    const record = await this.#found.saved(request.session);
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
    const live = await this.#found.mustTerminal(session);
    const bytes = Buffer.from(data);
    live.send(sourceFor(requestId ?? newSessionId()), bytes);
    return { session: viewOf(live), bytes: bytes.length };
  }

  /** Ends the program and its whole tree; resolves when they are gone. One that has ended already is no error. */
  async stop({ session, force, grace_ms }: PayloadOf<"session.stop">): Promise<DataOf<"session.stop">> {
    const live = await this.#found.live(session);
    if (!live) return { session: viewSession(await this.#found.saved(session), undefined), stopped: false };
    await this.#live.end(live, "stop", {
      force: force === true,
      ...(grace_ms === undefined ? {} : { graceMs: grace_ms }),
    });
    return { session: this.#found.viewOf(live.record.id), stopped: true };
  }

  async signal({ session, signal }: PayloadOf<"session.signal">): Promise<DataOf<"session.signal">> {
    const live = await this.#found.mustLive(session);
    const number = signalNumber(signal);
    const { id, epoch } = live.channel;
    this.#live.noteSignal(live.record.id, "user");
    await this.#options.keeper.call({ call: "signal", id, epoch, signal: number, foreground: true });
    return { session: viewOf(live), signal: number, name: signalName(number) };
  }

  async rename({ session, name }: PayloadOf<"session.rename">): Promise<{ session: Session }> {
    if (!NAME_PATTERN.test(name)) throw errors.nameInvalid(name);
    const live = await this.#found.live(session);
    if (live) return this.#renameLive(live, name);
    const { id } = await this.#found.saved(session);
    return this.#turns.take(id, async () => {
      const resumed = await this.#found.live(id);
      if (resumed) return this.#renameLive(resumed, name);
      const record = { ...(await this.#found.saved(id)), name };
      this.#records.write(record);
      return { session: viewSession(record, undefined) };
    });
  }

  async #renameLive(live: LiveSession, name: string): Promise<{ session: Session }> {
    const { record } = live;
    if (record.name !== name) {
      const { id, epoch } = live.channel;
      await this.#options.keeper.call({ call: "rename", id, epoch, name }).catch((error) => {
        throw isWarrenError(error, "NAME_TAKEN") ? errors.nameTaken(name) : error;
      });
    }
    record.name = name;
    this.#records.write(record);
    this.#live.changed("members");
    return { session: viewSession(record, live.live()) };
  }

  async remove({ session }: PayloadOf<"session.remove">, requestId?: string): Promise<{ session: Session }> {
    const { id } = this.#answerToRemove(requestId) ?? (await this.#mustHaveEnded(session));
    await this.#live.screens.forgotten(id); // its last screen is written there: a resume does not wait for that
    return this.#turns.take(id, () => this.#removeInTurn(id, requestId));
  }

  /** Whether it runs is asked last: it may have been resumed meanwhile, by another server as well. */
  async #removeInTurn(id: string, requestId: string | undefined): Promise<{ session: Session }> {
    await this.#live.screens.forgotten(id); // that of one that was resumed meanwhile, and has ended again
    const noted = this.#answerToRemove(requestId);
    if (noted && !this.#records.read(id)) {
      await this.#records.remove(id); // a server may have been killed in the middle
      return { session: noted };
    }
    const view = viewSession(await this.#mustHaveEnded(id), undefined);
    if (requestId !== undefined && !noted) this.#removed.note(requestId, view);
    await this.#records.remove(id);
    return { session: view };
  }

  #answerToRemove(requestId: string | undefined): Session | undefined {
    return requestId === undefined ? undefined : this.#removed.answerTo(requestId);
  }

  /** @throws SESSION_LIVE, SESSION_NOT_FOUND, SESSION_MOVED */
  async #mustHaveEnded(reference: string): Promise<SessionRecord> {
    const live = await this.#found.live(reference);
    if (live) throw errors.sessionLive(live.record.name);
    return this.#found.saved(reference);
  }

  async wait(request: PayloadOf<"session.wait">, signal: AbortSignal): Promise<DataOf<"session.wait">> {
    const live = await this.#found.live(request.session);
    const record = live?.record ?? (await this.#found.saved(request.session));
    return waitForSession(
      {
        first: viewSession(record, live?.live()),
        look: () => this.#lookAt(record, live !== undefined),
        // Of one that has ended, what it wrote before that when the wait began earlier, at another server or before an answer was lost.
        openOutput: async (offset) =>
          live || request.since !== undefined
            ? OutputReader.openFrom(this.#records.journalDirOf(record.id), offset)
            : undefined,
        watch: (listener) => this.#live.watch(listener),
        clock: this.#options.clock,
      },
      request,
      signal,
    );
  }

  /** Undefined while it is on its way to another server. @throws SESSION_MOVED once it is there */
  #lookAt(record: SessionRecord, wasLive: boolean): { session: Session; outputBytes: number } | undefined {
    const live = this.#live.get(record.id);
    if (live) return { session: viewOf(live), outputBytes: live.outputBytes };
    const saved = this.#records.read(record.id);
    if (!saved) throw errors.sessionNotFound(record.name, []);
    if (saved.ended || !wasLive) return { session: viewSession(saved, undefined), outputBytes: 0 };
    if (saved.server !== this.#options.server) throw errors.sessionMoved(saved.name, saved.server);
    return undefined;
  }

  async screen({ session, styled = false }: PayloadOf<"session.screen">): Promise<DataOf<"session.screen">> {
    const live = await this.#found.mustTerminal(session);
    const { lines, cursor, offset } = await this.#live.screens.text(live.record.id, { isStyled: styled });
    return { session: { ...viewOf(live), output_bytes: offset }, lines, cursor };
  }

  /** What its program has written, a page at a time; of an ended one as well. */
  async journal(
    { session, from, last_bytes, wait_ms = 0 }: PayloadOf<"session.journal">,
    signal: AbortSignal,
  ): Promise<DataOf<"session.journal">> {
    const { session: view } = await this.get({ session });
    const dir = this.#records.journalDirOf(view.id);
    const waitMs = view.status === "running" ? Math.min(wait_ms, JOURNAL_WAIT_MS_MAX) : 0;
    const { records, next, isMore } = await journalPage(dir, { from, lastBytes: last_bytes }, { waitMs, signal });
    return { session: view, records, is_more: isMore, ...(next ? { next: { ...next } } : {}) };
  }

  /** Up to where in its output a live terminal's screen shows it, once it has caught up with what was known at the call: for the debug socket. */
  async screenOffset(id: string): Promise<number> {
    return (await this.#live.screens.screen(id)).position.offset;
  }

  resume(request: PayloadOf<"session.resume">, requestId?: string): Promise<{ session: Session }> {
    return this.#starts.resume(request, requestId);
  }

  move(request: PayloadOf<"session.move">): Promise<{ session: Session }> {
    return this.#moves.move(request);
  }

  take(request: PayloadOf<"session.take">): Promise<{ session: Session }> {
    return this.#moves.take(request);
  }

  /** Ends all, saved: they can be resumed. For the end of the server. */
  async endAll(options: { force: boolean; graceMs?: number }): Promise<number> {
    const all = this.#live.all();
    await Promise.all(all.map((session) => this.#live.end(session, "stop", options, true)));
    return all.length;
  }

  /** The keeper is gone, and with it every program of its terminals. */
  keeperLost(): void {
    this.#live.keeperLost();
  }

  /** Lets go of everything; what runs goes on. */
  close(): Promise<void> {
    return this.#live.close();
  }

  /** The first part of `close`: another generation may take them up. */
  release(): Promise<void> {
    return this.#live.release();
  }

  async #listSaved(): Promise<{ sessions: Session[] }> {
    const records = await this.#saved.all();
    return { sessions: records.map((record) => viewSession(record, undefined)) };
  }
}

const viewOf = (session: LiveSession): Session => viewSession(session.record, session.live());

const withListening = (session: Session, listening: ReadonlySet<number>): Session =>
  session.port === undefined ? session : { ...session, is_listening: listening.has(session.port) };
