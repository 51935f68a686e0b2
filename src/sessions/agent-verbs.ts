import { randomUUID } from "node:crypto";
import type { Log } from "../platform/log.ts";
import type { ContentBlock } from "../protocol/conversation.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import type { AgentSession } from "./agent-session.ts";
import * as errors from "./errors.ts";
import { type SavedAgent, savedConversation } from "./saved-conversation.ts";
import { viewSession } from "./views.ts";

/** What is done with an agent and with no terminal: prompts, answers, and reading what was said. */
export interface AgentVerbsOptions {
  /** @throws SESSION_NOT_FOUND, SESSION_NOT_LIVE, NOT_AN_AGENT */
  live(reference: string): Promise<AgentSession>;
  liveById(id: string): AgentSession | undefined;
  /** Undefined for one that is live. @throws SESSION_NOT_FOUND, NOT_AN_AGENT */
  saved(reference: string): Promise<SavedAgent | undefined>;
  log: Log;
}

export class AgentVerbs {
  readonly #options: AgentVerbsOptions;

  constructor(options: AgentVerbsOptions) {
    this.#options = options;
  }

  /** For who looks on. */
  liveById(id: string): AgentSession | undefined {
    return this.#options.liveById(id);
  }

  /** See `AgentLink.prompt`. A repeat with the same `requestId` says nothing again. */
  async prompt(
    request: PayloadOf<"session.prompt">,
    requestId: string = randomUUID(),
  ): Promise<DataOf<"session.prompt">> {
    const agent = await this.#options.live(request.session);
    const receipt = await agent.prompt(blocksOf(request), requestId, request.by);
    return { session: viewOf(agent), receipt, request_id: requestId };
  }

  /** The first answer counts; who comes later is told who was faster. */
  async answer(request: PayloadOf<"session.answer">, requestId?: string): Promise<DataOf<"session.answer">> {
    const { session, item_id, choice, by = "somebody" } = request;
    const agent = await this.#options.live(session);
    const {
      id,
      option_id = "",
      title,
    } = await agent.answer({
      choice,
      by,
      requestId: requestId ?? randomUUID(),
      ...(item_id === undefined ? {} : { itemId: item_id }),
    });
    return { session: viewOf(agent), item_id: id, option_id, title };
  }

  async cancel({ session }: PayloadOf<"session.cancel">): Promise<DataOf<"session.cancel">> {
    const agent = await this.#options.live(session);
    const { cancelled, dropped } = await agent.cancel();
    return { session: viewOf(agent), cancelled, dropped: dropped.length };
  }

  async mode({ session, mode }: PayloadOf<"session.mode">): Promise<DataOf<"session.mode">> {
    const agent = await this.#options.live(session);
    await agent.setMode(mode);
    return { session: viewOf(agent) };
  }

  async login({ session, method }: PayloadOf<"session.login">): Promise<DataOf<"session.login">> {
    const agent = await this.#options.live(session);
    await agent.login(method);
    return { session: viewOf(agent) };
  }

  async conversation({ session }: PayloadOf<"session.conversation">): Promise<DataOf<"session.conversation">> {
    const saved = await this.#options.saved(session);
    if (saved) {
      const conversation = await savedConversation(saved, this.#options.log);
      return { session: viewSession(saved.record, undefined), conversation };
    }
    const agent = await this.#options.live(session);
    return { session: viewOf(agent), conversation: agent.conversation() };
  }
}

const viewOf = (agent: AgentSession): DataOf<"session.prompt">["session"] => viewSession(agent.record, agent.live());

/** @throws INVALID_PAYLOAD */
function blocksOf({ text, blocks }: PayloadOf<"session.prompt">): ContentBlock[] {
  if (blocks && text === undefined) return blocks;
  if (text === undefined || blocks) throw errors.promptForm();
  return [{ type: "text", text }];
}
