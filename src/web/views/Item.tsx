import type { ReactNode } from "react";
import type { ConversationItem, ItemOf } from "../../protocol/conversation.ts";
import { givenMail } from "../../protocol/untrusted-mail.ts";
import { plainText } from "../model/plain-text.ts";
import { textOf } from "../model/talk.ts";
import { Markdown } from "./Markdown.tsx";
import { ToolCall } from "./ToolCall.tsx";

/** One item of a conversation. */
export function Item({ item }: { item: ConversationItem }): ReactNode {
  switch (item.kind) {
    case "user_message":
      return <Prompt item={item} />;
    case "agent_message":
      return (
        <div className="said">
          <Markdown text={textOf(item.content)} />
        </div>
      );
    case "thought":
      return (
        <details className="thought">
          <summary>thought</summary>
          <Markdown text={textOf(item.content)} />
        </details>
      );
    case "tool_call":
      return <ToolCall item={item} />;
    case "plan":
      return <Plan item={item} />;
    case "permission":
      return <Answered item={item} />;
    case "turn":
      return <TurnEnd item={item} />;
    case "notice":
      return <p className="words">{item.text}</p>;
    case "error":
      return <p className="words tone-bad">✗ {item.message}</p>;
    case "garbage":
      return (
        <details className="thought">
          <summary>{item.line_count} lines that are no messages</summary>
          <pre>{plainText(item.text)}</pre>
        </details>
      );
    default:
      return null; // of a newer server
  }
}

/** What somebody said to it. Mail is shown as such: what was written, and behind it all that the agent was given. */
function Prompt({ item }: { item: ItemOf<"user_message"> }): ReactNode {
  const text = textOf(item.content);
  const mail = item.by === undefined ? undefined : givenMail(text);
  return (
    <div className="said by-you">
      <p className="who">{mail ? `✉ mail ${mail.number} from ${plainText(mail.from)}` : (item.by ?? "you")}</p>
      {mail?.subject && <p className="plain">{plainText(mail.subject)}</p>}
      <p className="plain">{plainText(mail?.body ?? text)}</p>
      {mail && (
        <details className="thought">
          <summary>all that the agent was given</summary>
          <p className="plain">{plainText(text)}</p>
        </details>
      )}
    </div>
  );
}

const PLAN_GLYPHS: Readonly<Record<string, string>> = { completed: "✓", in_progress: "◐" };

function Plan({ item }: { item: ItemOf<"plan"> }): ReactNode {
  return (
    <ul className="plan" aria-label="Plan">
      {item.entries.map(({ content, status }) => (
        <li key={content} className={status === "completed" ? "tone-quiet" : ""}>
          <span aria-hidden="true">{PLAN_GLYPHS[status] ?? "○"}</span>{" "}
          <span className="unseen">{status.replace("_", " ")}: </span>
          {content}
        </li>
      ))}
    </ul>
  );
}

/** Open ones are shown as cards above the keyboard. */
function Answered({ item }: { item: ItemOf<"permission"> }): ReactNode {
  if (item.state === "pending") return null;
  const option = item.options.find(({ optionId }) => optionId === item.option_id);
  const isDenied = item.state === "cancelled" || option?.kind.startsWith("reject");
  return (
    <p className={`words ${isDenied ? "tone-quiet" : "tone-good"}`}>
      {isDenied ? "◼" : "✓"} {item.title}: {item.state === "cancelled" ? "withdrawn" : (option?.name ?? "answered")}
      {item.by !== undefined && ` by ${item.by}`}
    </p>
  );
}

function TurnEnd({ item }: { item: ItemOf<"turn"> }): ReactNode {
  const { stop_reason } = item;
  if (item.cancelling && stop_reason === undefined) return <p className="words">It was told to stop.</p>;
  if (stop_reason === undefined || stop_reason === "end_turn") return null;
  return <p className="words">The turn ended: {stop_reason.replaceAll("_", " ")}.</p>;
}
