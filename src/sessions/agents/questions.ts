import type { ItemOf, PermissionOption } from "../../protocol/conversation.ts";
import * as errors from "./agent-errors.ts";
import type { Conversation } from "./conversation.ts";
import type { Fields } from "./json-rpc.ts";
import type { AgentRequest } from "./open-requests.ts";
import { withOurMeta } from "./our-meta.ts";

export interface PermissionAnswer {
  /** The question's item. */
  itemId: string;
  /** An optionId; or `allow`, `always`, `deny` for an option of that kind. */
  choice: string;
  /** Who answers: the others are told. */
  by: string;
  /** The client's id of its request: an answer that is sent again is no second answer. */
  requestId?: string;
}

interface QuestionsOptions {
  conversation: Conversation;
  /** Resolves when the answer is in the journal. */
  reply: (request: AgentRequest, result: Fields) => Promise<void>;
  signal: AbortSignal;
}

/** Answers to the agent's questions: the first valid one wins, the later ones are told who was faster. */
export class Questions {
  readonly #options: QuestionsOptions;
  /** By the question's item, the answer that is on its way. */
  readonly #answering = new Map<string, Promise<void>>();

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** Resolves when the conversation has the answer. @throws QUESTION_NOT_FOUND, OPTION_UNKNOWN, PERMISSION_RESOLVED, AGENT_DETACHED */
  async answer(answer: PermissionAnswer): Promise<void> {
    const { itemId, choice, requestId } = answer;
    // One that fails leaves the question open.
    while (this.#answering.has(itemId)) await this.#answering.get(itemId)?.catch(() => {});
    const question = this.#options.conversation.question(itemId);
    if (!question) throw errors.questionNotFound(itemId);
    const request = this.#requestOf(itemId);
    if (question.state !== "pending" || !request) {
      if (requestId !== undefined && question.request_id === requestId) return;
      throw errors.permissionResolved(question);
    }
    await this.#send(request, chooseOption(question, choice).optionId, answer);
    // It is said, but who was first is known when it is folded: the next server does.
    const { conversation, signal } = this.#options;
    if (conversation.question(itemId)?.state === "pending" && signal.aborted) throw errors.agentDetached();
  }

  /** Those that are open get `cancelled`, as ACP wants it when the turn is. */
  async cancelAll(): Promise<void> {
    const requests = this.#options.conversation.questions.flatMap(({ id }) => this.#requestOf(id) ?? []);
    await Promise.all(requests.map((request) => this.#cancel(request)));
  }

  async #cancel(request: AgentRequest): Promise<void> {
    if (request.itemId === undefined || this.#answering.has(request.itemId)) return;
    await this.#track(request.itemId, this.#options.reply(request, { outcome: { outcome: "cancelled" } }));
  }

  #send(request: AgentRequest, optionId: string, { itemId, by, requestId }: PermissionAnswer): Promise<void> {
    const meta = { by, ...(requestId === undefined ? {} : { request_id: requestId }) };
    return this.#track(
      itemId,
      this.#options.reply(request, withOurMeta({ outcome: { outcome: "selected", optionId } }, meta)),
    );
  }

  async #track(itemId: string, sent: Promise<void>): Promise<void> {
    const settled = sent.then(() => this.#resolved(itemId));
    this.#answering.set(itemId, settled);
    try {
      await settled;
    } finally {
      this.#answering.delete(itemId);
    }
  }

  /** Until then a second answer would find the question open. */
  #resolved(itemId: string): Promise<void> {
    const { conversation, signal } = this.#options;
    return new Promise((resolve) => {
      const check = (): void => {
        if (conversation.question(itemId)?.state === "pending" && !signal.aborted) return;
        stop();
        signal.removeEventListener("abort", check);
        resolve();
      };
      const stop = conversation.observe({ folded: check });
      signal.addEventListener("abort", check);
      check();
    });
  }

  #requestOf(itemId: string): AgentRequest | undefined {
    return this.#options.conversation.agentRequests.find((request) => request.itemId === itemId);
  }
}

const KINDS: Record<string, readonly string[]> = {
  allow: ["allow_once"],
  always: ["allow_always"],
  deny: ["reject_once", "reject_always"],
};

/** An option by its id comes before one by its kind. `allow` never means "always". */
function chooseOption({ options }: Pick<ItemOf<"permission">, "options">, choice: string): PermissionOption {
  const byId = options.find(({ optionId }) => optionId === choice);
  if (byId) return byId;
  const kinds = Object.hasOwn(KINDS, choice) ? (KINDS[choice] ?? []) : [];
  const byKind = kinds.flatMap((wanted) => options.find(({ kind }) => kind === wanted) ?? [])[0];
  if (!byKind) throw errors.optionUnknown(choice, options);
  return byKind;
}
