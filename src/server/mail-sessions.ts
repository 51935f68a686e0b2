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

function mailedAgent(sessions: Sessions, id: string): MailedAgent | undefined {
  const agent = sessions.agents.liveById(id);
  return (
    agent && {
      get name() {
        return agent.record.name;
      },
      get isFree() {
        return agent.isFree;
      },
      async prompt(text, requestId, by) {
        const blocks: ContentBlock[] = [{ type: "text", text }];
        await agent.prompt(blocks, requestId, by);
      },
      isOver: (requestId) => agent.isOver(requestId),
      watch: (listener) => sessions.watch(listener),
    }
  );
}
