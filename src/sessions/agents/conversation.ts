import type {
  ConversationEvent,
  ConversationInfo,
  ConversationSnapshot,
  ConversationState,
  ItemOf,
} from "../../protocol/conversation.ts";
import { AgentFacts, type HandshakeFailure } from "./agent-facts.ts";
import type { ConversationCheckpoint } from "./checkpoint.ts";
import { Garbage } from "./garbage.ts";
import { JsonLines, type Line } from "./json-lines.ts";
import { type Fields, type RpcError, type RpcId, readMessage } from "./json-rpc.ts";
import { MessageFold } from "./message-fold.ts";
import { type AgentRequest, OpenRequests, type OwnRequest } from "./open-requests.ts";
import { Timeline } from "./timeline.ts";
import { Transcript } from "./transcript.ts";
import { Turns } from "./turns.ts";

/** Who is told what the fold does. */
export interface ConversationObserver {
  event?(event: ConversationEvent): void;
  /** A request of ours was answered. */
  answered?(id: RpcId, result: Fields, error: RpcError | undefined): void;
  /** Bytes were folded; called after their events. */
  folded?(): void;
}

/**
 * A conversation with an ACP agent, as a pure fold over the journal of its pipes: what the agent wrote and what was written to it, in the order in
 * which the keeper took them.
 *
 * Invariants
 * 1. The same bytes in the same order give the same state and the same events with the same `seq`, wherever they are cut into records, wherever a
 *    `snapshot` is taken and restored in between (times are those of the record in which a line ends).
 * 2. Nothing that an agent writes throws here.
 * 3. It changes only by `onAgentBytes`, `onClientBytes` and `onEnd`. Who drives the agent writes to it, and learns from here what that did.
 */
export class Conversation {
  readonly #timeline: Timeline;
  readonly #transcript: Transcript;
  readonly #turns: Turns;
  readonly #facts: AgentFacts;
  readonly #garbage: Garbage;
  readonly #requests = new OpenRequests();
  readonly #messages: MessageFold;
  readonly #agentLines = new JsonLines();
  readonly #clientLines = new JsonLines();
  readonly #observers = new Set<ConversationObserver>();
  #state: ConversationState = "starting";
  #life = 0;

  constructor(options: { itemsMax?: number } = {}) {
    this.#timeline = new Timeline({
      tell: (event) => {
        for (const observer of this.#observers) observer.event?.(event);
      },
      onDrop: (item) => this.#transcript.forget(item),
      ...options,
    });
    this.#transcript = new Transcript(this.#timeline);
    this.#turns = new Turns(this.#timeline, this.#transcript);
    this.#facts = new AgentFacts(this.#timeline);
    this.#garbage = new Garbage(this.#timeline);
    const parts = {
      timeline: this.#timeline,
      transcript: this.#transcript,
      turns: this.#turns,
      facts: this.#facts,
      garbage: this.#garbage,
      requests: this.#requests,
    };
    this.#messages = new MessageFold(parts, (id, result, error) => {
      for (const observer of this.#observers) observer.answered?.(id, result, error);
    });
  }

  get state(): ConversationState {
    return this.#state;
  }

  get seq(): number {
    return this.#timeline.seq;
  }

  get info(): ConversationInfo {
    return this.#facts.info;
  }

  /** Programs that have ended so far. */
  get life(): number {
    return this.#life;
  }

  /** How many bytes of each direction were folded, and how many of them are of unfinished lines. */
  get positions(): { agent: number; client: number; pendingBytes: number } {
    const pendingBytes = this.#agentLines.pendingBytes + this.#clientLines.pendingBytes;
    return { agent: this.#agentLines.position, client: this.#clientLines.position, pendingBytes };
  }

  get connection(): {
    isInitialized: boolean;
    isOpen: boolean;
    protocolVersion: number | null;
    failure: HandshakeFailure | null;
  } {
    const { isInitialized, isOpen, protocolVersion, failure } = this.#facts;
    return { isInitialized, isOpen, protocolVersion, failure };
  }

  /** The agent's own id of the conversation, of a former process too. */
  get sessionId(): string | undefined {
    return this.#facts.sessionId;
  }

  /** Requests of the agent that nobody has answered. */
  get agentRequests(): AgentRequest[] {
    return this.#requests.ofAgent;
  }

  /** Requests of ours that the agent has not answered. */
  get ownRequests(): OwnRequest[] {
    return this.#requests.own;
  }

  get nextRequestId(): number {
    return this.#requests.nextId;
  }

  get turn(): ItemOf<"turn"> | undefined {
    return this.#turns.current;
  }

  /** Open questions, oldest first. */
  get questions(): ItemOf<"permission">[] {
    return this.#turns.questions;
  }

  question(itemId: string): ItemOf<"permission"> | undefined {
    return this.#timeline.get(itemId, "permission");
  }

  /** How that begins which the agent's process has written instead of messages; see `Garbage.first`. */
  get garbageText(): string | undefined {
    return this.#garbage.first;
  }

  /** Something was said before: a history that is told again adds nothing. */
  get hasHistory(): boolean {
    return this.#messages.hasHistory;
  }

  /** The turn of the prompt with this request_id, when it was sent. */
  turnOf(requestId: string): string | undefined {
    return this.#turns.turnOf(requestId);
  }

  observe(observer: ConversationObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** What the agent wrote; `offset` is that of the first byte in all its output. */
  onAgentBytes(offset: number, bytes: Uint8Array, timeMs: number): void {
    this.#timeline.setTime(timeMs);
    for (const line of this.#agentLines.push(offset, bytes)) this.#onLine("agent", line);
    this.#folded();
  }

  /** What was written to the agent; `offset` counts the bytes of input, of all sources. */
  onClientBytes(offset: number, bytes: Uint8Array, timeMs: number): void {
    this.#timeline.setTime(timeMs);
    for (const line of this.#clientLines.push(offset, bytes)) this.#onLine("client", line);
    this.#folded();
  }

  /** The agent's process has ended; the next bytes are of another one. Unlike bytes, an end that is given twice is two. */
  onEnd(timeMs: number, exit?: { code: number | null; signal: number | null }): void {
    this.#timeline.setTime(timeMs);
    for (const line of this.#agentLines.cut()) this.#onLine("agent", line);
    this.#clientLines.cut();
    this.#messages.end();
    this.#turns.agentEnded(exit);
    this.#facts.reset();
    this.#garbage.processEnded();
    this.#life += 1;
    this.#setState("ended");
    this.#folded();
  }

  /** What a subscriber begins with. */
  view(): ConversationSnapshot {
    return {
      seq: this.#timeline.seq,
      state: this.#state,
      info: this.#facts.info,
      items: this.#timeline.list(),
      dropped_count: this.#timeline.droppedCount,
    };
  }

  snapshot(): ConversationCheckpoint {
    return {
      format: 1,
      life: this.#life,
      state: this.#state,
      agent: this.#agentLines.snapshot(),
      client: this.#clientLines.snapshot(),
      timeline: this.#timeline.snapshot(),
      transcript: this.#transcript.snapshot(),
      requests: this.#requests.snapshot(),
      facts: this.#facts.snapshot(),
      turns: this.#turns.snapshot(),
      isReplay: this.#messages.isReplay,
      garbage: this.#garbage.snapshot(),
    };
  }

  static restore(from: ConversationCheckpoint, options: { itemsMax?: number } = {}): Conversation {
    const conversation = new Conversation(options);
    conversation.#restore(from);
    return conversation;
  }

  #restore(from: ConversationCheckpoint): void {
    this.#life = from.life;
    this.#state = from.state;
    this.#agentLines.restore(from.agent);
    this.#clientLines.restore(from.client);
    this.#timeline.restore(from.timeline);
    this.#transcript.restore(from.transcript);
    this.#requests.restore(from.requests);
    this.#facts.restore(from.facts);
    this.#turns.restore(from.turns);
    this.#messages.restore(from.isReplay);
    this.#garbage.restore(from.garbage);
  }

  #onLine(from: "agent" | "client", line: Line): void {
    const message = line.value === undefined ? undefined : readMessage(line.value);
    if (message) {
      if (from === "agent") this.#garbage.messageCame();
      else this.#garbage.endRun();
      if (from === "agent") this.#messages.ofAgent(message);
      else this.#messages.ofClient(message);
    } else if (from === "agent") {
      this.#garbage.add(line);
    }
    this.#settle();
  }

  #settle(): void {
    this.#turns.settle();
    this.#setState(this.#stateNow());
  }

  #stateNow(): ConversationState {
    if (this.#turns.questions.length > 0 || this.#facts.info.login_required) return "needs_you";
    if (this.#turns.current) return "working";
    if (this.#facts.isOpen) return "idle";
    return this.#state === "ended" && !this.#isStarting() ? "ended" : "starting";
  }

  #isStarting(): boolean {
    return this.#facts.isInitialized || this.#requests.own.length > 0;
  }

  #setState(state: ConversationState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#timeline.state(state);
  }

  #folded(): void {
    for (const observer of this.#observers) observer.folded?.();
  }
}
