import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readJsonIfExists } from "../platform/atomic-file.ts";
import { makeDirectories } from "../platform/directories.ts";
import type { Log } from "../platform/log.ts";
import { bootId, signalName } from "../platform/process.ts";
import { isWarrenError, messageOf, WarrenError } from "../protocol/errors.ts";
import { type JournalRecord, RECORD } from "../protocol/journal-records.ts";
import type { ChannelExit, KeeperChannel, PipeOpenCall } from "../protocol/keeper-calls.ts";
import { resolveProgram } from "../runs/resolve-program.ts";
import { stopTree } from "../runs/stop.ts";
import { AgentJournal } from "./agent-journal.ts";
import { agentDetached } from "./agents/agent-errors.ts";
import type { AgentTerminals, TerminalExit, TerminalOutput, TerminalSpec } from "./agents/terminals.ts";
import type { KeeperPort } from "./keeper-port.ts";
import { NO_SHIM } from "./no-shim.ts";
import { OutputTail } from "./output-tail.ts";
import { environmentOfSession } from "./program.ts";
import type { SessionRecord } from "./record.ts";
import { hash64, sourceFor } from "./stable-hash.ts";

/**
 * The commands that an agent runs through us: channels of the keeper, by pipes, so that they go on when the server is replaced. Their ids follow from
 * the agent's requests; a request that is served twice, by two servers, finds the command that the first has started.
 *
 * Invariants
 * 1. A channel `<session>.t<hash>` is a command of that session's agent, and has the same lease.
 * 2. Its exit is told after all of its output.
 * 3. None outlives the agent's program: `endAll`.
 * 4. What is on the disk of a command goes with it: nobody can ask for it any more.
 */
export interface KeeperTerminalsOptions {
  record: SessionRecord;
  /** The session's directory. */
  directory: string;
  server: string;
  keeper: KeeperPort;
  log: Log;
}

/** What a command may leave on the disk; an agent is given far less of it. */
const JOURNAL_BYTES_MAX = 16 * 1024 * 1024;
const GRACE_MS = 3_000;

interface Command {
  channel: KeeperChannel;
  journal: AgentJournal;
  output: OutputTail;
  exited: PromiseWithResolvers<TerminalExit>;
  exit: TerminalExit | null;
}

export class KeeperTerminals implements AgentTerminals {
  readonly #options: KeeperTerminalsOptions;
  readonly #commands = new Map<string, Command>();
  readonly #opening = new Map<string, Promise<string>>();
  #isOver = false;

  constructor(options: KeeperTerminalsOptions) {
    this.#options = options;
  }

  /** Of a server before this one. */
  adopt(channel: KeeperChannel): void {
    const kept = readJsonIfExists<{ output_bytes_max: number }>(join(this.#directoryOf(channel.id), LIMITS_FILE));
    this.#follow(channel, kept?.output_bytes_max ?? 0);
    this.#endInput(channel).catch(() => {}); // its program has ended meanwhile
  }

  /** What commands have left that were released by servers which could not finish that. Those that are here were adopted before. */
  async sweep(): Promise<void> {
    const directory = join(this.#options.directory, TERMINALS_DIR);
    for (const name of await readdir(directory).catch(() => [])) {
      const id = `${this.#options.record.id}${TERMINAL_MARK}${name}`;
      const about = await stat(join(directory, name)).catch(() => undefined); // it may go this very moment
      if (this.#commands.has(id) || this.#opening.has(id) || !about) continue;
      // A fresh one may be of a command that a server before is only starting.
      if (Date.now() - about.mtimeMs < LEFT_AFTER_MS) continue;
      await rm(join(directory, name), { recursive: true, force: true });
    }
  }

  create(spec: TerminalSpec, key: string): Promise<string> {
    const id = `${this.#options.record.id}${TERMINAL_MARK}${sourceFor(key)}`;
    if (this.#commands.has(id)) return Promise.resolve(id);
    const opening = this.#opening.get(id) ?? this.#open(id, spec).finally(() => this.#opening.delete(id));
    this.#opening.set(id, opening);
    return opening;
  }

  async output(id: string): Promise<TerminalOutput> {
    const { journal, output, exit } = this.#named(id);
    await journal.catchUp();
    return { ...output.read(), exit };
  }

  waitForExit(id: string, signal: AbortSignal): Promise<TerminalExit> {
    const { exited } = this.#named(id);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      exited.promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  async kill(id: string): Promise<void> {
    await this.#end(this.#named(id));
  }

  /** Without a keeper, which would tell of their ends. */
  async killAll(): Promise<void> {
    await Promise.all([...this.#commands.values()].map((command) => this.#stop(command, true)));
  }

  /** One that is not there was released before, by a server that could not answer any more. */
  async release(id: string): Promise<void> {
    const command = this.#commands.get(id);
    if (!command) return;
    await this.#end(command);
    await this.#forget(id, command);
  }

  /** The agent's program has ended: so do its commands. */
  async endAll(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled(this.#opening.values());
    await Promise.all([...this.#commands.keys()].map((id) => this.release(id)));
  }

  /** Lets go; they run on. */
  async close(): Promise<void> {
    this.#isOver = true;
    const commands = [...this.#commands.values()];
    this.#commands.clear();
    for (const { channel } of commands) this.#options.keeper.forget(channel.channel);
    await Promise.all(commands.map(({ journal }) => journal.close()));
  }

  async #open(id: string, spec: TerminalSpec): Promise<string> {
    const { record, server, keeper } = this.#options;
    if (this.#isOver) throw agentDetached();
    const cwd = spec.cwd ?? record.directory;
    const command = await argvOf(spec, cwd, record.env);
    const directory = this.#directoryOf(id);
    const journalDir = join(directory, "journal");
    makeDirectories(journalDir, 0o700);
    await writeFile(join(directory, LIMITS_FILE), JSON.stringify({ output_bytes_max: spec.outputByteLimit }));
    if (this.#isOver) throw agentDetached(); // let go meanwhile: the next server starts it
    const call: PipeOpenCall = {
      call: "pipe.open",
      id,
      server,
      command,
      directory: cwd,
      env: {
        ...environmentOfSession(record),
        ...Object.fromEntries(spec.env.map(({ name, value }) => [name, value])),
        PWD: cwd,
        WARREN_RUN_ID: id,
        WARREN_RUN_TAG: String(tagOf(record, id)),
      },
      journalDir,
      journalBytesMax: JOURNAL_BYTES_MAX,
    };
    const channel = await keeper.call(call).catch((error) => this.#take(id, error));
    this.#follow(channel, spec.outputByteLimit);
    await this.#endInput(channel);
    return id;
  }

  /** What a server before this one was starting while the sessions went over: its command, which the keeper has had since then. */
  async #take(id: string, error: unknown): Promise<KeeperChannel> {
    if (!isWarrenError(error, "CHANNEL_EXISTS") || this.#isOver) throw error;
    const { server, keeper } = this.#options;
    const [channel] = (await keeper.call({ call: "lease.take", server, ids: [id] })).channels;
    if (!channel) throw error;
    return channel;
  }

  /** Nobody types into it. */
  async #endInput({ id, epoch }: KeeperChannel): Promise<void> {
    await this.#options.keeper.call({ call: "input.end", id, epoch });
  }

  #follow(channel: KeeperChannel, outputBytesMax: number): void {
    const { keeper, log } = this.#options;
    const output = new OutputTail(outputBytesMax);
    const exited = Promise.withResolvers<TerminalExit>();
    exited.promise.catch(() => {});
    const journal = new AgentJournal({
      journalDir: join(this.#directoryOf(channel.id), "journal"),
      onRecord: ({ kind, bytes }: JournalRecord) => {
        if (kind === RECORD.output || kind === RECORD.errors) output.push(bytes);
      },
    });
    const command: Command = { channel, journal, output, exited, exit: null };
    const onExit = async (exit: ChannelExit): Promise<void> => {
      await journal.catchUp().catch((error) => log.warn("agent_terminal_unread", { error: messageOf(error) }));
      command.exit = {
        exitCode: exit.code,
        signal: exit.signal === null ? null : signalName(exit.signal),
      };
      exited.resolve(command.exit);
    };
    keeper.listen(channel.channel, {
      onOutput: () => {
        journal.catchUp().catch((error) => log.warn("agent_terminal_unread", { error: messageOf(error) }));
      },
      onExit: (exit) => void onExit(exit),
      onAck: () => {},
      onRefused: () => {},
    });
    this.#commands.set(channel.id, command);
    if (channel.exit) void onExit(channel.exit);
  }

  async #end(command: Command): Promise<void> {
    await this.#stop(command, false);
    if (!command.exit) await command.exited.promise;
  }

  async #stop({ channel }: Command, force: boolean): Promise<void> {
    const { record } = this.#options;
    const marks = {
      runId: channel.id,
      tag: tagOf(record, channel.id),
      job: { bootId: bootId(), pid: channel.pid, startTicks: channel.startTicks },
      shim: NO_SHIM,
    };
    await stopTree(marks, { force, graceMs: GRACE_MS });
  }

  async #forget(id: string, { channel, journal }: Command): Promise<void> {
    const { keeper, log } = this.#options;
    this.#commands.delete(id);
    keeper.forget(channel.channel);
    await journal.close();
    await keeper.call({ call: "close", id, epoch: channel.epoch }).catch((error) => {
      if (!isWarrenError(error, "CHANNEL_NOT_FOUND")) log.warn("channel_not_closed", { error: messageOf(error) });
    });
    await rm(this.#directoryOf(id), { recursive: true, force: true }).catch((error) => {
      log.warn("agent_terminal_left", { error: messageOf(error) });
    });
  }

  #named(id: string): Command {
    const command = this.#commands.get(id);
    if (command) return command;
    throw new WarrenError("TERMINAL_NOT_FOUND", `There is no terminal ${id}.`);
  }

  #directoryOf(id: string): string {
    return join(this.#options.directory, TERMINALS_DIR, id.slice(id.indexOf(TERMINAL_MARK) + TERMINAL_MARK.length));
  }
}

/** Between a session's id and what names one of its agent's commands. */
export const TERMINAL_MARK = ".t";
const TERMINALS_DIR = "terminals";
/** So old is no directory of a command that is only being started. */
const LEFT_AFTER_MS = 60_000;
const LIMITS_FILE = "terminal.json";

/** The marks of a command's processes: not those of the agent, whose end would take them along. */
const tagOf = ({ tag }: SessionRecord, id: string): number => Number(hash64(`${tag} ${id}`) % 2n ** 47n);

/** ACP has a program and its arguments; some agents send a whole command line instead, which is the shell's. */
async function argvOf({ command, args }: TerminalSpec, cwd: string, env: readonly string[]): Promise<string[]> {
  try {
    return [await resolveProgram([command, ...args], cwd, env), ...args];
  } catch (error) {
    const isCommandLine = args.length === 0 && /\s/.test(command) && isWarrenError(error, "PROGRAM_NOT_FOUND");
    if (!isCommandLine) throw error;
    return [await resolveProgram(["sh"], cwd, env), "-c", command];
  }
}
