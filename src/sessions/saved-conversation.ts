import type { Log } from "../platform/log.ts";
import type { ConversationSnapshot } from "../protocol/conversation.ts";
import { AgentFold } from "./agent-fold.ts";
import { shortenSnapshot } from "./conversation-view.ts";
import type { SessionRecord } from "./record.ts";

/** A session on the disk, whose program does not run. */
export interface SavedAgent {
  record: SessionRecord;
  directory: string;
  journalDir: string;
}

/** What was said in it, as its last checkpoint and its journal tell. */
export async function savedConversation(
  { record, directory, journalDir }: SavedAgent,
  log: Log,
): Promise<ConversationSnapshot> {
  const fold = await AgentFold.open({ directory, journalDir, starts: record.starts ?? [], log });
  try {
    await fold.catchUp();
    return { ...shortenSnapshot(fold.conversation.view()), state: "ended" };
  } finally {
    await fold.close();
  }
}
