import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import type { ContentBlock } from "../../protocol/conversation.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import * as errors from "./agent-errors.ts";
import { AgentReplies } from "./agent-replies.ts";
import type { Conversation } from "./conversation.ts";
import { type AgentFiles, systemFiles } from "./files.ts";
import { type HandshakeOptions, shakeHands } from "./handshake.ts";
import type { Fields } from "./json-rpc.ts";
import type { AgentRequest } from "./open-requests.ts";
import { withOurMeta } from "./our-meta.ts";
import { type Answer, OwnCalls, type WriteToAgent } from "./own-calls.ts";
import { checkPrompt, PromptQueue, type QueuedPrompt, type QueueStore } from "./prompt-queue.ts";
import { type PermissionAnswer, Questions } from "./questions.ts";
import type { AgentTerminals } from "./terminals.ts";

/**
 * Drives one agent: Warren as the ACP client. All that it knows is in the conversation, which its owner feeds from the journal; what it does is to
 * write lines. So it can be lost at any moment, and the next one goes on from the same conversation.
 *
 * Whoever makes a link for an agent that runs has taken the lease and folded the journal to its end first: then no line of a former link can still
 * arrive, and what the journal lacks was never said.
 *
 * Invariants
 * 1. Nothing is sent twice: what is open in the conversation is awaited, and each line has a key.
 * 2. A request of the agent is answered once; a question by a person, or with `cancelled` once its turn is.
 * 3. One turn at a time; later prompts wait in the queue, up to QUEUE_MAX, and a prompt with a known request_id is that prompt.
 * 4. Everything that follows from the conversation is decided in `#reconcile`.
 */
export interface AgentLinkOptions {
  conversation: Conversation;
  write: WriteToAgent;
  client: { name: string; version: string };
  /** Absolute. */
  cwd: string;
  /** The agent's session to take up, when the conversation knows none. */
  resume?: string;
  files?: AgentFiles;
  terminals?: AgentTerminals;
  queue?: QueueStore;
  clock: Clock;
  log: Log;
  /** Deadline of initialize. Default: 30 s. */
  initializeMs?: number;
  /** Aborted when another server takes over, or the session ends: from then on the link writes nothing. */
  signal: AbortSignal;
}

export type PromptReceipt = { state: "sent"; turn_id: string } | { state: "queued"; position: number };

/** Deadline of requests that are no prompts, once the session is open. */
const CALL_MS = 30_000;
/** Of a login: a person may have to do something in a browser. */
const LOGIN_MS = 10 * 60_000;

/** What the keeper did not take is written again after so long: its disk may have room by then, the agent may have read. */
const AGAIN_MS = 1_000;

const IN_MEMORY: QueueStore = { prompts: [], save: async () => {} };

export class AgentLink {
  readonly #conversation: Conversation;
  readonly #options: AgentLinkOptions;
  readonly #calls: OwnCalls;
  readonly #replies: AgentReplies;
  readonly #questions: Questions;
  readonly #queue: PromptQueue;
  readonly #life: number;
  /** The prompt that is being written. */
  #sending: string | undefined;
  readonly #receipts = new Map<string, PromiseWithResolvers<PromptReceipt>>();
  /** The session is being opened: two at once would open two. */
  #opening: Promise<void> | undefined;
  #cancelAgain: () => void = () => {};

  constructor(options: AgentLinkOptions) {
    const { conversation, write, files = systemFiles, terminals, log, clock, signal } = options;
    this.#conversation = conversation;
    this.#options = options;
    this.#life = conversation.life;
    this.#calls = new OwnCalls({ conversation, write, clock, signal });
    this.#replies = new AgentReplies({
      conversation,
      write: (bytes, name) => write(bytes, { key: this.#calls.key(name) }),
      services: { files, ...(terminals ? { terminals } : {}) },
      onRefused: (error) => this.#reconcileLater(error),
      log,
      signal,
    });
    const reply = (request: AgentRequest, result: Fields): Promise<void> => this.#replies.reply(request, { result });
    this.#questions = new Questions({ conversation, reply, signal });
    this.#queue = new PromptQueue(options.queue ?? IN_MEMORY);
    const stop = conversation.observe({ folded: () => this.#reconcile() });
    signal.addEventListener("abort", stop, { once: true });
    signal.addEventListener("abort", () => this.#rejectAll(errors.agentDetached()), { once: true });
  }

  /** Opens the session on an agent that has just been started. See `shakeHands` for what it throws. */
  start(): Promise<void> {
    return this.#open();
  }

  /** Goes on where a former link stopped, at whatever point that was. The same errors as `start`. */
  adopt(): Promise<void> {
    return this.#open();
  }

  /** Logs in by one of the agent's methods, and opens the session. @throws AGENT_LOGIN_FAILED, and what `start` throws */
  async login(methodId: string): Promise<void> {
    const { error } = await this.#call("authenticate", { methodId }, LOGIN_MS);
    if (error) throw errors.loginFailed(methodId, error.message);
    await this.#open();
  }

  /** Prompts that wait for their turn. */
  get queued(): readonly QueuedPrompt[] {
    return this.#queue.prompts;
  }

  /**
   * Says something to the agent: at once, or when it has finished what it does. Resolves when that is certain: `sent` when it is in the journal,
   * `queued` when the queue's store has it. The same `requestId` again says nothing again.
   * @throws AGENT_BUSY, AGENT_ENDED, AGENT_DETACHED, PROMPT_CANCELLED, PROMPT_EMPTY, PROMPT_UNSUPPORTED, PROMPT_TOO_LONG, and why it cannot be saved
   */
  async prompt(blocks: ContentBlock[], requestId: string, by?: string): Promise<PromptReceipt> {
    this.#checkAlive();
    const turnId = this.#conversation.turnOf(requestId);
    if (turnId !== undefined) return { state: "sent", turn_id: turnId };
    if (!this.#queue.has(requestId)) {
      checkPrompt(blocks, this.#conversation.info.capabilities);
      await this.#add({ requestId, blocks, ...(by === undefined ? {} : { by }) });
      this.#checkAlive(); // else nobody would settle its receipt, and the next server may have read the queue before
    }
    this.#reconcile();
    return this.#receipt(requestId);
  }

  /**
   * Stops the running turn: its questions are answered `cancelled`, prompts that wait are forgotten. The turn ends when the agent says so.
   * Resolves when the agent has been told; rejects then when what waited could not be saved.
   */
  async cancel(): Promise<{ cancelled: boolean; dropped: string[] }> {
    this.#checkAlive();
    if (this.#sending !== undefined) await this.#receipt(this.#sending).catch(() => {}); // it is no turn yet
    this.#checkAlive(); // the queue is the next server's by then
    const dropping = this.#queue.remove(({ requestId }) => requestId !== this.#sending);
    dropping.catch(() => {}); // looked at below: a full disk does not keep the agent going
    const turn = this.#conversation.turn;
    if (turn && !turn.cancelling) {
      await this.#calls.notify("session/cancel", { sessionId: this.#conversation.sessionId }, `cancel:${turn.id}`);
    }
    await this.#cancelQuestions();
    const dropped = await dropping;
    return { cancelled: turn !== undefined, dropped: dropped.map(({ requestId }) => requestId) };
  }

  /** @throws QUESTION_NOT_FOUND, OPTION_UNKNOWN, PERMISSION_RESOLVED (somebody was faster), AGENT_ENDED, AGENT_DETACHED */
  async answerPermission(answer: PermissionAnswer): Promise<void> {
    if (this.#options.signal.aborted) throw errors.agentDetached();
    await this.#questions.answer(answer);
  }

  /** @throws MODE_UNKNOWN, AGENT_REFUSED, AGENT_NOT_READY */
  async setMode(modeId: string): Promise<void> {
    const known = (this.#conversation.info.modes ?? []).map(({ id }) => id);
    if (!known.includes(modeId)) throw errors.modeUnknown(modeId, known);
    await this.#callOpen("session/set_mode", { modeId });
  }

  /** Asks the agent to close its session, when it can; then its stdin may be closed. What it keeps of the session can be resumed. */
  async close(): Promise<void> {
    const { capabilities } = this.#conversation.info;
    const canClose = (capabilities?.sessionCapabilities as Fields | undefined)?.close;
    if (!canClose || !this.#conversation.connection.isOpen || this.#isOver) return;
    await this.#callOpen("session/close", {});
  }

  /** Resolves when the queue's store is not written any more, for whoever reads it next. */
  settled(): Promise<void> {
    return this.#queue.settled();
  }

  #open(): Promise<void> {
    this.#opening ??= this.#openOnce().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openOnce(): Promise<void> {
    this.#checkAlive();
    const { client, cwd, resume, terminals, initializeMs = 30_000 } = this.#options;
    const options: HandshakeOptions = {
      conversation: this.#conversation,
      calls: this.#calls,
      client,
      cwd,
      ...(resume === undefined ? {} : { resume }),
      hasTerminals: terminals !== undefined,
      initializeMs,
    };
    this.#reconcile(); // requests that nobody answered
    await shakeHands(options);
    this.#reconcile();
  }

  /** One that cannot be saved does not wait, for who said it is told to say it again; unless it is on its way to the agent by then. */
  async #add(prompt: QueuedPrompt): Promise<void> {
    const { requestId } = prompt;
    try {
      await this.#queue.add(prompt);
    } catch (error) {
      this.#checkAlive();
      if (this.#sending === requestId || this.#conversation.turnOf(requestId) !== undefined) return;
      await this.#queue.remove((queued) => queued.requestId === requestId).catch(() => {}); // in memory it is gone
      throw error;
    }
  }

  /** Compares what the conversation says with what is being done about it. */
  #reconcile(): void {
    if (this.#conversation.life !== this.#life) return this.#rejectAll(errors.agentEnded());
    if (this.#options.signal.aborted) return;
    this.#replies.serveOpen();
    if (this.#conversation.turn?.cancelling) this.#inBackground(this.#cancelQuestions());
    this.#settleReceipts();
    const next = this.#queue.first;
    const isFree = this.#conversation.connection.isOpen && !this.#conversation.turn && this.#sending === undefined;
    if (next && isFree) this.#inBackground(this.#send(next));
  }

  /** After a line that was not taken, as nothing else may happen meanwhile. What is over stays so. */
  #reconcileLater(error: unknown): void {
    if (isWarrenError(error, "AGENT_ENDED") || isWarrenError(error, "AGENT_DETACHED")) return;
    this.#cancelAgain();
    this.#cancelAgain = this.#options.clock.timer(AGAIN_MS, () => this.#reconcile());
  }

  /** The agent waits for each answer: one that was not taken is written again. */
  async #cancelQuestions(): Promise<void> {
    try {
      await this.#questions.cancelAll();
    } catch (error) {
      this.#reconcileLater(error);
      throw error;
    }
  }

  async #send({ requestId, blocks, by }: QueuedPrompt): Promise<void> {
    this.#sending = requestId;
    const params = { sessionId: this.#conversation.sessionId, prompt: blocks };
    const meta = { request_id: requestId, ...(by === undefined ? {} : { by }) };
    try {
      await this.#calls.send("session/prompt", withOurMeta(params, meta), `prompt:${requestId}`);
    } catch (error) {
      this.#sending = undefined;
      await this.#refuse(requestId, error);
    }
  }

  /** Who still waits for the receipt is told, and says it again; who was told `queued` is not: that prompt is sent again. */
  async #refuse(requestId: string, error: unknown): Promise<void> {
    this.#options.log.warn("agent_prompt_failed", { error: messageOf(error) });
    this.#reconcileLater(error);
    const receipt = this.#receipts.get(requestId);
    if (!receipt) return;
    this.#receipts.delete(requestId);
    receipt.reject(error);
    await this.#queue.remove((prompt) => prompt.requestId === requestId);
  }

  /** A prompt is sent when the conversation has it. */
  #settleReceipts(): void {
    for (const { requestId } of this.#queue.prompts) {
      const turnId = this.#conversation.turnOf(requestId);
      if (turnId === undefined) continue;
      if (this.#sending === requestId) this.#sending = undefined;
      this.#inBackground(this.#queue.remove((prompt) => prompt.requestId === requestId));
      this.#receipts.get(requestId)?.resolve({ state: "sent", turn_id: turnId });
      this.#receipts.delete(requestId);
    }
  }

  #receipt(requestId: string): Promise<PromptReceipt> {
    const turnId = this.#conversation.turnOf(requestId);
    if (turnId !== undefined) return Promise.resolve({ state: "sent", turn_id: turnId });
    if (this.#sending !== requestId) {
      const position = this.#queue.prompts.findIndex((prompt) => prompt.requestId === requestId);
      return position === -1
        ? Promise.reject(errors.promptCancelled())
        : Promise.resolve({ state: "queued", position });
    }
    const receipt = this.#receipts.get(requestId) ?? Promise.withResolvers<PromptReceipt>();
    this.#receipts.set(requestId, receipt);
    return receipt.promise;
  }

  async #callOpen(method: string, params: Fields): Promise<void> {
    if (!this.#conversation.connection.isOpen) throw errors.notReady();
    const { error } = await this.#call(method, { sessionId: this.#conversation.sessionId, ...params });
    if (error) throw errors.agentRefused(method, error.code, error.message);
  }

  #call(method: string, params: Fields, afterMs = CALL_MS): Promise<Answer> {
    this.#checkAlive();
    const late = () => errors.agentNotAnswering(method, afterMs);
    return this.#calls.call(method, params, { afterMs, late });
  }

  get #isOver(): boolean {
    return this.#options.signal.aborted || this.#conversation.life !== this.#life;
  }

  #checkAlive(): void {
    if (this.#options.signal.aborted) throw errors.agentDetached();
    if (this.#conversation.life !== this.#life) throw errors.agentEnded();
  }

  #rejectAll(error: Error): void {
    for (const receipt of this.#receipts.values()) receipt.reject(error);
    this.#receipts.clear();
  }

  /** What fails there was told to whoever asked for it, or is tried again by the next link. */
  #inBackground(task: Promise<unknown>): void {
    task.catch((error: unknown) => this.#options.log.warn("agent_write_failed", { error: messageOf(error) }));
  }
}
