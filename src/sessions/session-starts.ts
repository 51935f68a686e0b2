import { randomInt } from "node:crypto";
import type { Clock } from "../platform/clock.ts";
import type { Turns } from "../platform/turns.ts";
import { isWarrenError } from "../protocol/errors.ts";
import type { NewSession, PayloadOf } from "../protocol/messages.ts";
import { NAME_PATTERN } from "../protocol/names.ts";
import type { Session } from "../protocol/units.ts";
import type { SessionPorts } from "../registry/session-ports.ts";
import { resolveProgram } from "../runs/resolve-program.ts";
import { dropConversationAhead } from "./agent-files.ts";
import * as errors from "./errors.ts";
import { openJournal } from "./journal/open-journal.ts";
import type { LiveSession } from "./live-session.ts";
import { type LiveSessions, lostNow } from "./live-sessions.ts";
import { type PortSource, portOfNew, portOfResumed } from "./own-port.ts";
import type { SessionRecord, SessionRecords } from "./record.ts";
import type { SavedSessions } from "./saved-sessions.ts";
import type { SessionFinder } from "./session-finder.ts";
import { newSessionId, sessionIdFor } from "./session-ids.ts";

/** Sessions begin: new ones, and those that have ended once more. A request that is repeated starts nothing a second time. */
export interface SessionStartsOptions {
  live: LiveSessions;
  saved: SavedSessions;
  records: SessionRecords;
  found: SessionFinder;
  ports: SessionPorts;
  /** The server's name. */
  server: string;
  clock: Clock;
  /** By the session's id, of whatever changes one that has ended: two resumes at once would write one record. */
  turns: Turns;
  /** For a client that has no environment of its own. */
  env?: Readonly<NodeJS.ProcessEnv>;
}

const DEFAULT_SIZE = { cols: 80, rows: 24 };
const CELLS_MAX = 1000;

export class SessionStarts {
  readonly #options: SessionStartsOptions;

  constructor(options: SessionStartsOptions) {
    this.#options = options;
  }

  /** @throws COMMAND_EMPTY, WORKDIR_MISSING, PROGRAM_NOT_FOUND, PROGRAM_NOT_EXECUTABLE, NAME_INVALID, NAME_TAKEN, SIZE_INVALID, SESSION_LIVE */
  async create(request: NewSession, requestId?: string): Promise<{ session: Session }> {
    const { records, live, ports } = this.#options;
    const id = requestId === undefined ? newSessionId() : sessionIdFor(requestId);
    if (this.#isKnown(id)) return this.#greeted(id, "remove");
    const record = this.#newRecord(id, request);
    await resolveProgram(record.command, record.directory, record.env);
    records.prepare(id);
    try {
      Object.assign(record, await portOfNew(id, request.port, this.#portSource));
      await live.open(record, request.name === undefined ? "any" : "exact");
    } catch (error) {
      // Another server was faster with the same request, and has its record.
      const faster = isWarrenError(error, "CHANNEL_EXISTS") ? records.read(id) : undefined;
      if (!faster) await records.remove(id);
      if (record.port !== undefined && record.port !== faster?.port) ports.release(record.port, id); // its record may not have been written
      throw faster ? errors.sessionLive(faster.name) : error;
    }
    return this.#greeted(id, "remove");
  }

  /** Starts an ended one again, on this server, with its journal going on. @throws SESSION_LIVE, SESSION_NOT_FOUND and those of `create` */
  async resume(request: PayloadOf<"session.resume">, requestId?: string): Promise<{ session: Session }> {
    const { found, turns } = this.#options;
    const running = await found.live(request.session);
    if (running) return this.#alreadyLive(running, requestId);
    const { id } = await found.saved(request.session);
    return turns.take(id, () => this.#resumeInTurn(id, request, requestId));
  }

  /** It is looked up again: it may have been resumed, renamed or removed in the turns before. */
  async #resumeInTurn(
    id: string,
    request: PayloadOf<"session.resume">,
    requestId: string | undefined,
  ): Promise<{ session: Session }> {
    const { found, live } = this.#options;
    const running = await found.live(id);
    if (running) return this.#alreadyLive(running, requestId);
    const record = await found.saved(id);
    if (record.ended && isResumedBy(record, requestId)) return { session: found.viewOf(id) };
    if (live.get(id)) throw errors.sessionLive(record.name);
    return this.#resume(record, request, requestId);
  }

  async #alreadyLive({ record }: LiveSession, requestId: string | undefined): Promise<{ session: Session }> {
    if (isResumedBy(record, requestId)) return this.#greeted(record.id, "save");
    throw errors.sessionLive(record.name);
  }

  #newRecord(id: string, request: NewSession): SessionRecord {
    const { cols = DEFAULT_SIZE.cols, rows = DEFAULT_SIZE.rows, agent, workdir, name, labels = {} } = request;
    if (agent && request.command) throw errors.twoPrograms();
    const command = agent ?? request.command;
    if (name !== undefined && !NAME_PATTERN.test(name)) throw errors.nameInvalid(name);
    if (cols < 1 || rows < 1 || cols > CELLS_MAX || rows > CELLS_MAX) throw errors.sizeInvalid(cols, rows);
    if (!command?.length) throw errors.noProgram();
    const nowMs = this.#options.clock.wallMs();
    return {
      format: 1,
      oldest_reader: 1,
      id,
      name: name ?? "",
      kind: agent ? "agent" : "session",
      command,
      directory: workdir,
      env: request.env.length > 0 ? request.env : valuesOf(this.#options.env ?? {}),
      server: this.#options.server,
      labels,
      tag: randomInt(2 ** 47),
      created_at_ms: nowMs,
      started_at_ms: nowMs,
      active_at_ms: nowMs,
      cols,
      rows,
      resume_count: 0,
      ended: null,
    };
  }

  async #resume(
    record: SessionRecord,
    request: PayloadOf<"session.resume">,
    requestId: string | undefined,
  ): Promise<{ session: Session }> {
    const { records, live, ports, clock } = this.#options;
    const { env = record.env } = request;
    await resolveProgram(record.command, record.directory, env);
    const journal = await openJournal(records.journalDirOf(record.id));
    if (record.kind === "agent") await dropConversationAhead(records.directoryOf(record.id), journal);
    const startSegment = journal.segment + 1;
    const next = await this.#nextRecord(record, request, startSegment);
    if (requestId !== undefined) next.resumed_by = sessionIdFor(requestId);
    try {
      await live.open(next, "preferred", { startOutput: journal.output, startInput: journal.input, startSegment });
    } catch (error) {
      const faster = isWarrenError(error, "CHANNEL_EXISTS") ? records.read(record.id) : undefined;
      if (!faster) records.write({ ...record, ended: record.ended ?? lostNow(clock) });
      else if (next.port !== undefined && ![faster.port, record.port].includes(next.port))
        ports.release(next.port, next.id);
      throw faster ? errors.sessionLive(faster.name) : error;
    }
    return this.#greeted(record.id, "save");
  }

  async #nextRecord(
    record: SessionRecord,
    { cols = record.cols, rows = record.rows, env = record.env }: PayloadOf<"session.resume">,
    startSegment: number,
  ): Promise<SessionRecord> {
    const { port: _, resumed_by: __, ...kept } = record;
    return {
      ...kept,
      ...(await portOfResumed(record, this.#portSource)),
      env,
      cols,
      rows,
      server: this.#options.server,
      started_at_ms: this.#options.clock.wallMs(),
      resume_count: record.resume_count + 1,
      ...(record.kind === "agent" ? { starts: [...(record.starts ?? []), startSegment] } : {}),
      ended: null,
    };
  }

  get #portSource(): PortSource {
    return { ports: this.#options.ports, ended: (ids) => this.#options.saved.endedOf(ids) };
  }

  async #greeted(id: string, otherwise: "remove" | "save"): Promise<{ session: Session }> {
    await this.#options.live.greeted(id, otherwise);
    return { session: this.#options.found.viewOf(id) };
  }

  /** A request that was answered before, or whose server was killed before it could. */
  #isKnown(id: string): boolean {
    return this.#options.live.get(id) !== undefined || Boolean(this.#options.records.read(id)?.ended);
  }
}

/** The request was carried out by a server that was killed before it could answer. */
const isResumedBy = ({ resumed_by }: SessionRecord, requestId: string | undefined): boolean =>
  requestId !== undefined && resumed_by === sessionIdFor(requestId);

/** As `KEY=value`. */
const valuesOf = (env: Readonly<NodeJS.ProcessEnv>): string[] =>
  Object.entries(env).map(([key, value = ""]) => `${key}=${value}`);
