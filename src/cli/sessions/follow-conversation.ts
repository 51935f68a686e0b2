import type { ConversationEvent, ConversationSnapshot } from "../../protocol/conversation.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { SessionHandle } from "./session-client.ts";

/** What comes of a conversation: what is so at the beginning and after a gap, and every change. */
export type ConversationNews =
  | { kind: "snapshot"; snapshot: ConversationSnapshot }
  | { kind: "event"; event: ConversationEvent };

/**
 * Of a live agent, until its program ends or `signal` aborts, through every server that it has meanwhile. Ends as well when it is not live any more by
 * the time of a reconnect.
 * @throws what the way to the server can throw; UNKNOWN_STREAM when it is not live in the beginning
 */
export async function* followConversation(
  { client, id }: SessionHandle,
  signal: AbortSignal,
): AsyncIterableIterator<ConversationNews> {
  let hasBegun = false;
  try {
    for await (const item of client.subscribe({ streams: [`session/${id}`] }, signal)) {
      hasBegun = true;
      if (item.kind === "snapshot") {
        yield { kind: "snapshot", snapshot: item.snapshot as ConversationSnapshot };
        continue;
      }
      const event = item.event.data as ConversationEvent;
      yield { kind: "event", event };
      if (event.type === "state" && event.state === "ended") return;
    }
  } catch (error) {
    if (!hasBegun || !isWarrenError(error, "UNKNOWN_STREAM")) throw error;
  }
}
