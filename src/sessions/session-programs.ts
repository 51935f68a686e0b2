import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { ConversationEvent } from "../protocol/conversation.ts";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import type { ChannelExit, KeeperChannel } from "../protocol/keeper-calls.ts";
import type { SignalledBy } from "../protocol/outcome.ts";
import { pickSessionName } from "../registry/session-names.ts";
import { resolveProgram } from "../runs/resolve-program.ts";
import { AgentSession } from "./agent-session.ts";
import { KeeperTerminals } from "./agent-terminals.ts";
import * as errors from "./errors.ts";
import type { KeeperPort } from "./keeper-port.ts";
import type { LiveSession } from "./live-session.ts";
import { environmentOfSession } from "./program.ts";
import type { SessionRecord, SessionRecords } from "./record.ts";
import type { Screens } from "./screen/screens.ts";
import { channelIdOf, commandsOf, isCommand, sessionIdOf } from "./session-ids.ts";
import { TerminalSession } from "./terminal-session.ts";

/**
 * The programs of sessions at the keeper: starts one under a name that is free, and makes the live session of one that runs. Which sessions are live is kept by
 * `LiveSessions`.
 *
 * Invariants
 * 1. A session's record, with the name that is tried, is written before its program is started.
 * 2. A name belongs to one running program of the home: the keeper says so.
 */
export interface SessionProgramsOptions {
  records: SessionRecords;
  /** The server's name. */
  server: string;
  keeper: KeeperPort;
  screens: Screens;
  clock: Clock;
  log: Log;
  /** Our own version, for agents to know. */
  version: string;
}

/** Journal of a terminal: past it the oldest segments go. */
const JOURNAL_BYTES_MAX = 64 * 1024 * 1024;
const NAME_TRIES_MAX = 50;

/** What an ended one is named by then: any name, exactly that one, or that one unless it is taken. */
export type Naming = "any" | "exact" | "preferred";

/** Where the journal of an ended one goes on. */
export interface JournalStart {
  startOutput?: number;
  startInput?: number;
  startSegment?: number;
}

export interface ProgramStart {
  naming: Naming;
  from: JournalStart;
  /** Names that are known to belong to others; grows. */
  taken: Set<string>;
}

/** A program that runs, and whose it is. */
export interface RunningProgram {
  record: SessionRecord;
  channel: KeeperChannel;
}

export interface ProgramEvents<Session extends LiveSession> {
  onChange: () => void;
  onEnded: (session: Session, exit: ChannelExit) => void;
}

export class SessionPrograms {
  readonly #options: SessionProgramsOptions;

  constructor(options: SessionProgramsOptions) {
    this.#options = options;
  }

  /** @throws NAME_TAKEN; CHANNEL_EXISTS when another server was faster, with its record there again */
  async start(record: SessionRecord, { naming, from, taken }: ProgramStart): Promise<KeeperChannel> {
    const file = await resolveProgram(record.command, record.directory, record.env);
    const { records } = this.#options;
    const wanted = record.name;
    let before: SessionRecord | undefined;
    for (let attempt = 0; ; attempt++) {
      if (naming === "any" || (naming === "preferred" && attempt > 0)) record.name = pickSessionName(taken);
      if (record.name !== wanted && naming === "preferred") record.former_name = wanted;
      const there = records.read(record.id);
      if (!isSameStart(there, record)) before = there;
      records.write(record);
      try {
        return await this.#open(record, file, from);
      } catch (error) {
        if (isWarrenError(error, "CHANNEL_EXISTS")) this.#putBack(record, before);
        if (!isWarrenError(error, "NAME_TAKEN") || attempt >= NAME_TRIES_MAX) throw error;
        if (naming === "exact") throw errors.nameTaken(record.name);
        for (const name of await this.#namesOfHome()) taken.add(name);
        taken.add(record.name);
      }
    }
  }

  terminal(
    { record, channel }: RunningProgram,
    { onChange, onEnded, stoppedBy }: ProgramEvents<TerminalSession> & { stoppedBy: () => SignalledBy },
  ): TerminalSession {
    const { keeper, screens, clock, log, records } = this.#options;
    const session = new TerminalSession({
      record,
      channel,
      keeper,
      screens,
      clock,
      log,
      journalDir: records.journalDirOf(record.id),
      stoppedBy,
      onChange,
      onEnded: (exit) => onEnded(session, exit),
    });
    return session;
  }

  /** Resolves when its conversation has been folded so far. */
  agent(
    { record, channel, commands }: RunningProgram & { commands: readonly KeeperChannel[] },
    { onChange, onEnded, onEvent }: ProgramEvents<AgentSession> & { onEvent: (event: ConversationEvent) => void },
  ): Promise<AgentSession> {
    const { keeper, clock, log, version, records } = this.#options;
    const adopted = AgentSession.open({
      record,
      channel,
      commands,
      directory: records.directoryOf(record.id),
      journalDir: records.journalDirOf(record.id),
      keeper,
      clock,
      log,
      version,
      onChange,
      onRecord: () => records.write(record),
      onEvent,
      onEnded: (exit) => void adopted.then((session) => onEnded(session, exit)),
    });
    return adopted;
  }

  /** Ends commands of agents whose end nobody has seen. */
  async endOrphans(channels: readonly KeeperChannel[], isLive: (session: string) => boolean): Promise<void> {
    const { keeper, log, server, records } = this.#options;
    for (const channel of channels.filter(({ id }) => isCommand(id) && !isLive(sessionIdOf(id)))) {
      const record = records.read(sessionIdOf(channel.id));
      if (!record) continue;
      const directory = records.directoryOf(record.id);
      const commands = new KeeperTerminals({ record, directory, server, keeper, log });
      commands.adopt(channel);
      await commands.endAll();
    }
  }

  /** The channels of a session: its program's, and those of an agent's commands. */
  async channelIdsOf(record: SessionRecord): Promise<string[]> {
    const own = channelIdOf(record);
    if (record.kind !== "agent") return [own];
    const { channels } = await this.#options.keeper.call({ call: "channels" });
    return [own, ...commandsOf(record.id, channels).map(({ id }) => id)];
  }

  /** Another server has started it: the record is that one's, and ours lies over it unless that one has written it since. */
  #putBack(record: SessionRecord, before: SessionRecord | undefined): void {
    const { records, log } = this.#options;
    try {
      if (before && isSameStart(records.read(record.id), record)) records.write(before);
    } catch (error) {
      log.warn("record_not_put_back", { session: record.name, error: messageOf(error) });
    }
  }

  #open(record: SessionRecord, file: string, from: JournalStart): Promise<KeeperChannel> {
    const { server, keeper, records } = this.#options;
    const spec = {
      id: channelIdOf(record),
      name: record.name,
      server,
      command: [file, ...record.command.slice(1)],
      directory: record.directory,
      env: environmentOfSession(record),
      journalDir: records.journalDirOf(record.id),
      ...from,
    };
    const { cols, rows } = record;
    return keeper.call(
      record.kind === "agent"
        ? { call: "pipe.open", ...spec, journalBytesMax: 0 } // the conversation is folded from all of it
        : { call: "terminal.open", ...spec, journalBytesMax: JOURNAL_BYTES_MAX, cols, rows },
    );
  }

  /** Other servers have sessions too: only the keeper knows them all. */
  async #namesOfHome(): Promise<string[]> {
    const { channels } = await this.#options.keeper.call({ call: "channels" });
    return channels.flatMap(({ name }) => (name === undefined ? [] : [name]));
  }
}

const isSameStart = (a: SessionRecord | undefined, b: SessionRecord): boolean =>
  a?.server === b.server && a.started_at_ms === b.started_at_ms;
