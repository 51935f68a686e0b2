import type { ContentBlock } from "../protocol/conversation.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { MailSessions } from "./mail.ts";
import type { MailedAgent } from "./mail-agent.ts";

/** The sessions of this server, as the mailbox's part sees them. */
export function mailSessions(sessions: Sessions): MailSessions {
  return {
    programs: () => sessions.programs(),
    watch: (listener) => sessions.watch(listener),
    mailedAgent: (id) => mailedAgent(sessions, id),
  };
}

/** Looked up at each use: after a move that failed another object steers the same program. */
function mailedAgent(sessions: Sessions, id: string): MailedAgent | undefined {
  const first = sessions.agents.liveById(id);
  if (!first) return undefined;
  const agent = () => sessions.agents.liveById(id) ?? first;
  return {
    get name() {
      return agent().record.name;
    },
    get isFree() {
      return agent().isFree;
    },
    async prompt(text, requestId, by) {
      const blocks: ContentBlock[] = [{ type: "text", text }];
      await agent().prompt(blocks, requestId, by);
    },
    get isSteered() {
      return agent().isSteered;
    },
    isWaiting: (requestId) => agent().isWaiting(requestId),
    isOver: (requestId) => agent().isOver(requestId),
    watch: (listener) => sessions.watch(listener),
  };
}
