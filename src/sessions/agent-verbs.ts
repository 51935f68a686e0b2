import { randomUUID } from "node:crypto";
import type { Log } from "../platform/log.ts";
import type { ContentBlock } from "../protocol/conversation.ts";
import { isWarrenError } from "../protocol/errors.ts";
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
    const blocks = blocksOf(request);
    return this.#steer(request.session, async (agent) => {
      const receipt = await agent.prompt(blocks, requestId, request.by);
      return { session: viewOf(agent), receipt, request_id: requestId };
    });
  }

  /** The first answer counts; who comes later is told who was faster. */
  answer(
    { session, item_id, choice, by = "somebody" }: PayloadOf<"session.answer">,
    requestId: string = randomUUID(),
  ): Promise<DataOf<"session.answer">> {
    const answer = { choice, by, requestId, ...(item_id === undefined ? {} : { itemId: item_id }) };
    return this.#steer(session, async (agent) => {
      const { id, option_id = "", title } = await agent.answer(answer);
      return { session: viewOf(agent), item_id: id, option_id, title };
    });
  }

  cancel({ session }: PayloadOf<"session.cancel">): Promise<DataOf<"session.cancel">> {
    return this.#steer(session, async (agent) => {
      const { cancelled, dropped } = await agent.cancel();
      return { session: viewOf(agent), cancelled, dropped: dropped.length };
    });
  }

  mode({ session, mode }: PayloadOf<"session.mode">): Promise<DataOf<"session.mode">> {
    return this.#steer(session, async (agent) => {
      await agent.setMode(mode);
      return { session: viewOf(agent) };
    });
  }

  login({ session, method }: PayloadOf<"session.login">): Promise<DataOf<"session.login">> {
    return this.#steer(session, async (agent) => {
      await agent.login(method);
      return { session: viewOf(agent) };
    });
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

  /**
   * What meets an agent on its way to another server is done where it is then: here, when it has come back, else there, where SESSION_MOVED sends the
   * client. While the server itself ends, AGENT_DETACHED is for the dispatcher, whose client asks the next generation.
   */
  async #steer<T>(reference: string, act: (agent: AgentSession) => Promise<T>): Promise<T> {
    const agent = await this.#options.live(reference);
    try {
      return await act(agent);
    } catch (error) {
      const { id } = agent.record;
      if (!isWarrenError(error, "AGENT_DETACHED") || this.#options.liveById(id) === agent) throw error;
      return this.#steer(id, act);
    }
  }
}

const viewOf = (agent: AgentSession): DataOf<"session.prompt">["session"] => viewSession(agent.record, agent.live());

/** @throws INVALID_PAYLOAD */
function blocksOf({ text, blocks }: PayloadOf<"session.prompt">): ContentBlock[] {
  if (blocks && text === undefined) return blocks;
  if (text === undefined || blocks) throw errors.promptForm();
  return [{ type: "text", text }];
}
