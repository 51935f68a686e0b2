import type { ConversationEvent } from "../protocol/conversation.ts";
import type { EventSource, RoutedEvent } from "../serving/subscriptions.ts";
import type { AgentVerbs } from "../sessions/agent-verbs.ts";

/** The streams `session/<id>`: the conversations of the agents that are live here. */
const PREFIX = "session/";

export const conversationStream = (id: string): string => `${PREFIX}${id}`;

/** Undefined for any other stream, and for a session that is not live here. */
export function conversationSource(stream: string, agents: AgentVerbs): EventSource | undefined {
  const id = stream.startsWith(PREFIX) ? stream.slice(PREFIX.length) : undefined;
  const agent = id === undefined ? undefined : agents.liveById(id);
  if (!agent) return undefined;
  const { directory } = agent.record;
  return {
    snapshot: () => {
      const snapshot = agent.conversation();
      return { seq: snapshot.seq, snapshot };
    },
    after: (seq, limit) =>
      agent.eventsAfter(seq, limit)?.map((event) => routedConversation({ id: agent.record.id, directory }, event)),
    joined: () => agent.join(),
  };
}

export const routedConversation = (
  { id, directory }: { id: string; directory: string },
  event: ConversationEvent,
): RoutedEvent => ({
  workdir: directory,
  event: { event: event.type, stream: conversationStream(id), seq: event.seq, at: event.at, data: event },
});
