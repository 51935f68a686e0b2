import type { ItemOf, PermissionOption } from "../../protocol/conversation.ts";
import { clip, clipTitle } from "./clip.ts";
import { asFields, asList, asText, type Fields, type RpcError } from "./json-rpc.ts";
import type { AgentRequest } from "./open-requests.ts";
import { ourMeta } from "./our-meta.ts";
import type { Timeline } from "./timeline.ts";
import type { Transcript } from "./transcript.ts";

export interface TurnsState {
  /** The item of the turn that runs. */
  turn: string | null;
  /** Questions that are open, oldest first. */
  questions: string[];
  /** By the prompt's request_id, its turn: a prompt that is sent again is the same prompt. */
  prompts: [requestId: string, turnId: string][];
}

/** Prompts that are remembered by their request_id; the oldest go. */
const PROMPTS_MAX = 1_000;

/** Whose turn it is: prompts, what ends them, and the questions in between. */
export class Turns {
  readonly #timeline: Timeline;
  readonly #transcript: Transcript;
  #turn: string | null = null;
  #questions: string[] = [];
  #prompts = new Map<string, string>();

  constructor(timeline: Timeline, transcript: Transcript) {
    this.#timeline = timeline;
    this.#transcript = transcript;
  }

  get current(): ItemOf<"turn"> | undefined {
    return this.#timeline.get(this.#turn ?? undefined, "turn");
  }

  /** Open questions, oldest first. */
  get questions(): ItemOf<"permission">[] {
    return this.#questions.flatMap((id) => this.#timeline.get(id, "permission") ?? []);
  }

  turnOf(requestId: string): string | undefined {
    return this.#prompts.get(requestId);
  }

  /** A session/prompt of ours; the turn's id. */
  begin(params: Fields): string {
    const { request_id, by } = ourMeta(params);
    const about = { ...(request_id === undefined ? {} : { request_id }) };
    this.#transcript.prompt(asList(params.prompt), { ...about, ...(by === undefined ? {} : { by }) });
    this.#turn = this.#timeline.begin("turn", { state: "working", ...about });
    if (request_id !== undefined) this.#remember(request_id, this.#turn);
    return this.#turn;
  }

  /** The agent's answer to the prompt of turn `id`. */
  end(id: string, result: Fields, error: RpcError | undefined): void {
    if (error) this.#timeline.begin("error", { code: "AGENT_ERROR", message: clipTitle(error.message) });
    const stopReason = error ? "error" : (asText(result.stopReason) ?? "end_turn");
    this.#close(id, "idle", stopReason);
  }

  /** session/cancel of ours. */
  cancel(): void {
    if (this.current) this.#timeline.change(this.current.id, "turn", { cancelling: true });
    this.#transcript.endTools("cancelled");
  }

  /** The agent asks; the question's id. */
  ask(params: Fields): string {
    const call = asFields(params.toolCall) ?? {};
    const toolItemId = this.#transcript.tool(call);
    const tool = this.#timeline.get(toolItemId, "tool_call");
    const id = this.#timeline.begin("permission", {
      title: tool?.title ?? asText(call.title) ?? "permission",
      ...(toolItemId === undefined ? {} : { tool_item_id: toolItemId }),
      options: clip(asList(params.options).flatMap(readOption)),
      state: "pending",
    });
    this.#questions.push(id);
    return id;
  }

  /** Our answer to a question. */
  answered({ itemId }: AgentRequest, result: Fields): void {
    const question = this.#timeline.get(itemId, "permission");
    if (!question) return;
    const outcome = asFields(result.outcome) ?? {};
    const optionId = asText(outcome.optionId);
    const isAnswer = outcome.outcome === "selected" && optionId !== undefined;
    this.#questions = this.#questions.filter((id) => id !== question.id);
    this.#timeline.change(question.id, "permission", {
      state: isAnswer ? "answered" : "cancelled",
      ...(isAnswer ? { option_id: optionId } : {}),
      ...ourMeta(result),
    });
  }

  /** The agent is gone; `exit`: how it ended, when it did so by itself. */
  agentEnded(exit?: { code: number | null; signal: number | null }): void {
    if (exit && exit.code !== 0) {
      const how = exit.code === null ? `was ended by signal ${exit.signal}` : `ended with status ${exit.code}`;
      this.#timeline.begin("error", { code: "AGENT_ENDED", message: `The agent's program ${how}.` });
    }
    for (const { id } of this.questions) this.#timeline.change(id, "permission", { state: "cancelled" });
    this.#questions = [];
    this.#transcript.endTools("failed");
    if (this.#turn !== null) this.#close(this.#turn, "ended", "agent_ended");
    this.#transcript.endMessages();
  }

  /** Makes the running turn say whether it waits for somebody. */
  settle(): void {
    const turn = this.current;
    const state = this.#questions.length > 0 ? "needs_you" : "working";
    if (turn && turn.state !== state) this.#timeline.change(turn.id, "turn", { state });
  }

  snapshot(): TurnsState {
    return { turn: this.#turn, questions: this.#questions, prompts: [...this.#prompts] };
  }

  restore({ turn, questions, prompts }: TurnsState): void {
    this.#turn = turn;
    this.#questions = [...questions];
    this.#prompts = new Map(prompts);
  }

  #close(id: string, state: "idle" | "ended", stopReason: string): void {
    this.#transcript.endMessages();
    if (stopReason === "cancelled") this.#transcript.endTools("cancelled");
    if (this.#timeline.get(id, "turn")) {
      this.#timeline.change(id, "turn", { state, stop_reason: stopReason, ended_at: this.#timeline.at });
    }
    if (this.#turn === id) this.#turn = null;
  }

  #remember(requestId: string, turnId: string): void {
    this.#prompts.set(requestId, turnId);
    const [oldest] = this.#prompts.keys();
    if (this.#prompts.size > PROMPTS_MAX && oldest !== undefined) this.#prompts.delete(oldest);
  }
}

function readOption({ optionId, name, kind }: Fields): PermissionOption[] {
  if (typeof optionId !== "string") return [];
  return [{ optionId, name: clipTitle(asText(name) ?? optionId), kind: asText(kind) ?? "allow_once" }];
}
