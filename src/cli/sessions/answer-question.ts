import type { ConversationSnapshot } from "../../protocol/conversation.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { Session } from "../../protocol/units.ts";
import type { Context } from "../context.ts";
import { safeText } from "./conversation-text.ts";
import { sessionNamed, sessionTitle } from "./session-client.ts";
import { userLabel } from "./user-label.ts";

/**
 * Answers the oldest question that is open when this is called: the very one, so that nobody approves what was asked a moment later.
 * @throws NO_QUESTION, OPTION_UNKNOWN, PERMISSION_RESOLVED
 */
export async function answerQuestion(
  context: Context,
  reference: string,
  { verb, choice, json }: { verb: "approve" | "deny"; choice: string; json: boolean },
): Promise<number> {
  const { output } = context;
  const { client, id } = await sessionNamed(context, reference, verb);
  const { session, conversation } = await client.request("session.conversation", { session: id });
  const open = conversation.items.find((item) => item.kind === "permission" && item.state === "pending");
  if (!open) throw nothingAsked(session, conversation);
  const answered = await client.request("session.answer", {
    session: id,
    choice,
    by: userLabel(context),
    item_id: open.id,
  });
  if (json) output.json(answered);
  else
    output.line(
      `${sessionTitle(context, answered.session)} asked ${JSON.stringify(safeText(answered.title))}; answered ${safeText(answered.option_id)}`,
    );
  return EXIT.ok;
}

/** Who comes a moment too late is told who was faster. */
function nothingAsked({ name, status }: Session, { items }: ConversationSnapshot): WarrenError {
  if (status === "stopped")
    return new WarrenError("SESSION_NOT_LIVE", `${name} has ended; it asks nothing.`, { fix: `warren resume ${name}` });
  const last = items.findLast((item) => item.kind === "permission");
  const how =
    last?.state === "answered"
      ? ` Its last question, ${JSON.stringify(safeText(last.title))}, was answered with ${last.option_id}${last.by === undefined ? "" : ` by ${last.by}`}.`
      : "";
  return new WarrenError("NO_QUESTION", `${name} asks nothing at the moment.${how}`, { fix: `warren history ${name}` });
}
