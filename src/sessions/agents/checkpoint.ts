import type { ConversationState } from "../../protocol/conversation.ts";
import type { AgentFactsState } from "./agent-facts.ts";
import type { GarbageState } from "./garbage.ts";
import type { JsonLinesState } from "./json-lines.ts";
import type { OpenRequestsState } from "./open-requests.ts";
import type { TimelineState } from "./timeline.ts";
import type { TranscriptState } from "./transcript.ts";
import type { TurnsState } from "./turns.ts";

/** A conversation as plain JSON, with the positions in the journal up to which it was folded: `agent.position` and `client.position`. */
export interface ConversationCheckpoint {
  format: 1;
  /** Programs that have ended: the next one's is a new connection. */
  life: number;
  state: ConversationState;
  agent: JsonLinesState;
  client: JsonLinesState;
  timeline: TimelineState;
  transcript: TranscriptState;
  requests: OpenRequestsState;
  facts: AgentFactsState;
  turns: TurnsState;
  garbage: GarbageState;
  /** session/load tells a history that is here already. */
  isReplay: boolean;
}
