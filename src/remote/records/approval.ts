import type { SealingCrypto } from "../../sealing/crypto.ts";
import { type Approval, approvalProblem, shownHash } from "../../sealing/request.ts";
import { approvalUsed } from "../../sealing/request-errors.ts";
import type { UnitTalk } from "./unit-talk.ts";

/** What is looked at of a conversation's items. */
interface Item {
  id: string;
  kind: string;
  state?: string;
  title?: string;
  tool_item_id?: string;
  raw_input?: unknown;
}

/**
 * Whether the question that the approval names is open, and is what the device has shown: tool (the tool call's title, or the question's), arguments (its
 * `raw_input`, or null) and the session's directory. The server takes the answer for this question alone, so that it is used once.
 * @throws APPROVAL_USED, SHOWN_OTHERWISE, DEADLINE_OVER, DEADLINE_TOO_FAR, and what the server refuses
 */
export async function checkApproval(
  { approval, sentMs, payload }: { approval: Approval; sentMs: number; payload: Record<string, unknown> },
  { talk, crypto, nowMs }: { talk: UnitTalk; crypto: SealingCrypto; nowMs: number },
): Promise<void> {
  const { session } = payload;
  const answer = await talk.ask({ type: "session.conversation", payload: { session } });
  const { session: view, conversation } = answer as { session: { workdir: string }; conversation: { items: Item[] } };
  const question = conversation.items.find(({ id, kind }) => id === approval.question && kind === "permission");
  if (question?.state !== "pending") throw approvalUsed();
  const tool = conversation.items.find(({ id }) => id === question.tool_item_id);
  const shown = await shownHash(crypto, {
    tool: tool?.title ?? question.title ?? "",
    input: tool?.raw_input ?? null,
    directory: view.workdir,
  });
  const problem = approvalProblem({ approval, sentMs }, { nowMs, shown, openQuestion: question.id });
  if (problem) throw problem;
}
