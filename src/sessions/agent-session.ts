import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { ContentBlock, ConversationEvent, ConversationSnapshot, ItemOf } from "../protocol/conversation.ts";
import { isWarrenError, messageOf, type WarrenError } from "../protocol/errors.ts";
import type { ChannelExit, KeeperChannel } from "../protocol/keeper-calls.ts";
import { openQueue } from "./agent-files.ts";
import { AgentFold } from "./agent-fold.ts";
import { KeeperTerminals } from "./agent-terminals.ts";
import { AgentWriter } from "./agent-writer.ts";
import * as agentErrors from "./agents/agent-errors.ts";
import { AgentLink, type PromptReceipt } from "./agents/agent-link.ts";
import { explainedRefusal } from "./agents/handshake.ts";
import type { PermissionAnswer } from "./agents/questions.ts";
import { ConversationRing } from "./conversation-ring.ts";
import { shortenSnapshot } from "./conversation-view.ts";
import * as errors from "./errors.ts";
import type { KeeperPort } from "./keeper-port.ts";
import type { LiveSession } from "./live-session.ts";
import type { SessionRecord } from "./record.ts";
import { stopSession } from "./stop-session.ts";
import type { LiveView } from "./views.ts";

/**
 * One live agent. Its program and its commands are the keeper's; what was said is in the journal; the conversation is folded from that. So whatever is
 * here can be lost at any moment, and the next generation builds it again and goes on.
 *
 * Invariants
 * 1. The lease was taken and the journal folded to its end before a link is made.
 * 2. What is told of the conversation is in the journal: its `seq` is the same in every generation.
 * 3. The end is told once, after everything before it was folded and the agent's commands have ended.
 */
export interface AgentSessionOptions {
  record: SessionRecord;
  channel: KeeperChannel;
  /** Channels of the commands that it runs. */
  commands: readonly KeeperChannel[];
  directory: string;
  journalDir: string;
  keeper: KeeperPort;
  clock: Clock;
  log: Log;
  /** Our own, for the agent to know. */
  version: string;
  /** State, title, question or mode have changed. */
  onChange: () => void;
  /** The record has changed: what a resume needs is to be written down. */
  onRecord: () => void;
  onEvent: (event: ConversationEvent) => void;
  onEnded: (exit: ChannelExit) => void;
}

/** For a program whose stdin is closed to say its last words and to end. */
const LAST_WORDS_MS = 2_000;

export class AgentSession implements LiveSession {
  readonly record: SessionRecord;
  readonly channel: KeeperChannel;
  readonly size = { cols: 0, rows: 0 };
  readonly #options: AgentSessionOptions;
  readonly #fold: AgentFold;
  readonly #ring: ConversationRing;
  readonly #writer: AgentWriter;
  readonly #terminals: KeeperTerminals;
  readonly #over = new AbortController();
  #link: AgentLink | undefined;
  #opened: Promise<void> = Promise.resolve();
  /** Why the agent's session is not open. */
  #problem: WarrenError | undefined;
  #outputBytes: number;
  #followerCount = 0;
  #isFolded = false;
  #isEnding = false;
  /** Resolves when the agent's program has ended and all that it wrote is folded. */
  readonly #endFolded = Promise.withResolvers<void>();
  /** It came while what was said before was being folded. */
  #earlyExit: ChannelExit | undefined;

  private constructor(options: AgentSessionOptions, fold: AgentFold, writer: AgentWriter) {
    const { record, channel, directory, keeper, log } = options;
    this.#options = options;
    this.record = record;
    this.channel = channel;
    this.#fold = fold;
    this.#writer = writer;
    this.#outputBytes = channel.output;
    this.#ring = new ConversationRing(fold.conversation.seq);
    fold.conversation.observe({ event: (event) => this.#onEvent(event) });
    this.#terminals = new KeeperTerminals({ record, directory, server: channel.server, keeper, log });
  }

  /** Resolves when everything that was said is folded. The agent's greeting goes on: `opened`. */
  static async open(options: AgentSessionOptions): Promise<AgentSession> {
    const { record, channel, directory, journalDir, keeper, log } = options;
    let session: AgentSession | undefined;
    const writer = new AgentWriter({ channel, keeper, onStale: () => session?.detach() });
    const fold = await AgentFold.open({
      directory,
      journalDir,
      starts: record.starts ?? [],
      log,
      onInput: (source) => writer.onInput(source),
      onFolded: () => session?.afterFold(),
    });
    session = new AgentSession(options, fold, writer);
    await session.#begin();
    return session;
  }

  /** Resolves when the agent can be spoken to. See `AgentLink.start` for what it rejects with. */
  get opened(): Promise<void> {
    return this.#opened;
  }

  get outputBytes(): number {
    return this.#outputBytes;
  }

  /** The end of what it wrote to stderr. */
  get errorsText(): string {
    return this.#fold.errorsText;
  }

  get hasHistory(): boolean {
    return this.#fold.conversation.hasHistory;
  }

  live(): LiveView {
    const { state, info, sessionId } = this.#fold.conversation;
    const { title, agent_name, agent_version, mode } = info;
    const attention = this.#attention();
    return {
      pid: this.channel.pid,
      state: attention !== undefined && state !== "ended" ? "needs_you" : state,
      ...this.size,
      client_count: this.#followerCount,
      viewer_count: 0,
      output_bytes: this.#outputBytes,
      activeAtMs: Math.max(this.#fold.activeAtMs, this.record.active_at_ms),
      ...(typeof title === "string" ? { title } : {}),
      ...(attention === undefined ? {} : { attention }),
      agent: {
        ...(sessionId === undefined ? {} : { session_id: sessionId }),
        ...(typeof agent_name === "string" ? { name: agent_name } : {}),
        ...(typeof agent_version === "string" ? { version: agent_version } : {}),
        ...(typeof mode === "string" ? { mode } : {}),
      },
    };
  }

  /** It is idle, and no prompt waits: the next one begins at once. */
  get isFree(): boolean {
    const { state, connection, turn } = this.#fold.conversation;
    return (
      this.isSteered &&
      this.#link?.queued.length === 0 &&
      this.#problem === undefined &&
      state === "idle" &&
      connection.isOpen &&
      !turn
    );
  }

  /** Its conversation and its queue are known here, and this server goes on with them. */
  get isSteered(): boolean {
    return this.#isFolded && this.#link !== undefined && !this.#over.signal.aborted;
  }

  /** A prompt that is to have its turn; so is, as far as anybody can tell, every one of an agent that is not steered here. */
  isWaiting(requestId: string): boolean {
    return !this.isSteered || this.#link!.queued.some((prompt) => prompt.requestId === requestId);
  }

  /** Whether the turn of this prompt has ended; undefined when it was never sent. */
  isOver(requestId: string): boolean | undefined {
    const { conversation } = this.#fold;
    const turnId = conversation.turnOf(requestId);
    return turnId === undefined ? undefined : conversation.turn?.id !== turnId;
  }

  /** @throws those of `AgentLink.prompt`, and why the agent's session is not open */
  prompt(blocks: ContentBlock[], requestId: string, by?: string): Promise<PromptReceipt> {
    if (this.#problem) throw errors.withLoginFix(this.#problem, this.record.name);
    return this.#steered.prompt(blocks, requestId, by);
  }

  /** The oldest open question without `itemId`. @throws NO_QUESTION and those of `AgentLink.answerPermission` */
  async answer(
    answer: Omit<PermissionAnswer, "itemId" | "requestId"> & { itemId?: string; requestId: string },
  ): Promise<ItemOf<"permission">> {
    const { conversation } = this.#fold;
    const itemId = answer.itemId ?? this.#questionOf(answer.requestId) ?? conversation.questions[0]?.id;
    if (itemId === undefined) throw errors.noQuestion(this.record.name);
    await this.#steered.answerPermission({ ...answer, itemId });
    return conversation.question(itemId)!;
  }

  cancel(): Promise<{ cancelled: boolean; dropped: string[] }> {
    return this.#steered.cancel();
  }

  setMode(modeId: string): Promise<void> {
    return this.#steered.setMode(modeId);
  }

  /** @throws AGENT_LOGIN_FAILED, LOGIN_METHOD_UNKNOWN */
  async login(methodId: string | undefined): Promise<void> {
    const methods = this.#fold.conversation.info.auth_methods ?? [];
    const [only] = methods;
    const method = methodId ?? (methods.length === 1 ? only?.id : undefined);
    if (method === undefined || !methods.some(({ id }) => id === method)) {
      throw errors.loginMethodUnknown(this.record.name, methodId, methods);
    }
    await this.#steered.login(method);
    this.#problem = undefined;
    this.#options.onChange();
  }

  /** The newest part of it, as much as fits into an answer. */
  conversation(): ConversationSnapshot {
    return shortenSnapshot(this.#fold.conversation.view());
  }

  /** Somebody looks on from now on; the answer ends that. */
  join(): () => void {
    this.#followerCount += 1;
    this.#options.onChange();
    return () => {
      this.#followerCount -= 1;
      this.#options.onChange();
    };
  }

  /** See `ConversationRing.after`. */
  eventsAfter(seq: number, limit: number): ConversationEvent[] | undefined {
    return this.#ring.after(seq, limit);
  }

  /** Its subscribers were told when the end was folded. */
  async told(): Promise<void> {}

  /** Lets go of it: the agent and its commands go on, and the next one to have it goes on with them. */
  async close(): Promise<void> {
    this.detach();
    this.#options.keeper.forget(this.channel.channel);
    await Promise.all([this.#fold.close(), this.#terminals.close(), this.#link?.settled()]);
    if (!this.#isEnding) await this.#fold.keep();
  }

  /** The keeper is gone: what it held by pipes is ended by us. */
  async kill(): Promise<void> {
    const { record, channel } = this;
    this.detach();
    await Promise.all([stopSession({ record, channel, force: true }), this.#terminals.killAll()]);
  }

  /** Another server steers it: from now on nothing is written. */
  detach(): void {
    this.#over.abort();
    this.#writer.close(agentErrors.agentDetached());
  }

  afterFold(): void {
    if (!this.#isFolded) return;
    const { sessionId } = this.#fold.conversation;
    if (sessionId !== undefined && sessionId !== this.record.agent_session_id) {
      this.record.agent_session_id = sessionId;
      this.#options.onRecord();
    }
    this.#options.onChange();
  }

  async #begin(): Promise<void> {
    const { channel, commands, keeper, directory, record, clock, log, version } = this.#options;
    keeper.listen(channel.channel, {
      onOutput: ({ output }) => {
        this.#outputBytes = output;
        this.#follow();
      },
      onExit: (exit) => void this.#onExit(exit),
      onAck: (source) => this.#writer.onAck(source),
      onRefused: (source, _, code) => this.#writer.onRefused(source, code),
    });
    for (const command of commands) this.#terminals.adopt(command);
    this.#terminals.sweep().catch((error) => log.warn("agent_terminals_left", { error: messageOf(error) }));
    await this.#fold.catchUp();
    this.#isFolded = true;
    this.#link = new AgentLink({
      conversation: this.#fold.conversation,
      write: this.#writer.write,
      client: { name: "warren", version },
      cwd: record.directory,
      ...(record.agent_session_id === undefined ? {} : { resume: record.agent_session_id }),
      terminals: this.#terminals,
      queue: await openQueue(directory),
      clock,
      log,
      signal: this.#over.signal,
    });
    this.#opened = this.#link.adopt().catch((error) => this.#refused(error));
    this.#opened.catch((error) => this.#onNotOpened(error));
    const exit = this.#earlyExit ?? channel.exit;
    if (exit) void this.#onExit(exit);
  }

  get #steered(): AgentLink {
    if (!this.#link) throw agentErrors.notReady();
    return this.#link;
  }

  #onEvent(event: ConversationEvent): void {
    this.#ring.push(event);
    if (this.#isFolded) this.#options.onEvent(event);
  }

  #follow(): void {
    this.#fold.catchUp().catch((error) => {
      this.#options.log.error("agent_journal_unread", { session: this.record.name, error: messageOf(error) });
    });
  }

  async #onExit(exit: ChannelExit): Promise<void> {
    const { log, onEnded } = this.#options;
    this.#earlyExit = exit;
    if (this.#isEnding || !this.#link) return;
    this.#isEnding = true;
    await this.#fold.catchUp().catch((error) => log.error("agent_journal_unread", { error: messageOf(error) }));
    this.#endFolded.resolve();
    this.#over.abort();
    this.#writer.close(agentErrors.agentEnded());
    await this.#terminals.endAll().catch((error) => log.error("agent_commands_left", { error: messageOf(error) }));
    await this.#fold.keep();
    await this.#fold.close();
    onEnded(exit);
  }

  /** That its stdin is closed is known before what it wrote last is read, which says more. */
  async #refused(error: unknown): Promise<never> {
    if (!isWarrenError(error, "AGENT_ENDED")) throw error;
    const late = Promise.withResolvers<void>();
    const cancel = this.#options.clock.timer(LAST_WORDS_MS, late.resolve);
    await Promise.race([this.#endFolded.promise, late.promise]);
    cancel();
    throw explainedRefusal(this.#fold.conversation, error);
  }

  #onNotOpened(error: unknown): void {
    if (this.#over.signal.aborted || isWarrenError(error, "AGENT_DETACHED")) return;
    this.#options.log.warn("agent_not_open", { session: this.record.name, error: messageOf(error) });
    if (!isWarrenError(error)) return;
    this.#problem = error;
    this.#options.onChange();
  }

  #attention(): string | undefined {
    const [question] = this.#fold.conversation.questions;
    return question?.title ?? this.#problem?.message;
  }

  /** That this very request has answered: it came twice. */
  #questionOf(requestId: string): string | undefined {
    const asked = this.#fold.conversation.view().items;
    return asked.find((item) => item.kind === "permission" && item.request_id === requestId)?.id;
  }
}
