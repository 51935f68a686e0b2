import type { ContentBlock, ConversationItem } from "../../protocol/conversation.ts";

/** An item of an agent's conversation in a line or a few; nothing of what does not matter to another agent (thoughts, turns as usual). */
export function itemText(item: ConversationItem): string | undefined {
  switch (item.kind) {
    case "user_message":
      return `> ${textOf(item.content)}`;
    case "agent_message":
      return textOf(item.content);
    case "tool_call":
      return `* ${item.title || item.tool_kind}: ${item.status}`;
    case "plan":
      return ["plan:", ...item.entries.map(({ content, status }) => `  [${status}] ${content}`)].join("\n");
    case "permission":
      return `? ${item.title}: ${item.state === "pending" ? `waits for an answer (${item.options.map(({ name }) => name).join(", ")})` : item.state}`;
    case "turn":
      return item.stop_reason === undefined || item.stop_reason === "end_turn" ? undefined : `[${item.stop_reason}]`;
    case "notice":
      return `[${item.severity}] ${item.text}`;
    case "error":
      return `[error] ${item.message}`;
    default:
      return undefined;
  }
}

const textOf = (content: readonly ContentBlock[]): string =>
  content.map(({ type, text }) => (type === "text" ? (text ?? "") : `[${type}]`)).join("");
