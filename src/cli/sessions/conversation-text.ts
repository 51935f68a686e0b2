import type { ContentBlock, ConversationItem, ItemOf } from "../../protocol/conversation.ts";
import { givenMail } from "../../protocol/untrusted-mail.ts";
import type { Style } from "../render/style.ts";

/** The items of a conversation as text for people: what was said as it was said, everything else in a line or a few. */

/** Who is speaking to a terminal may not steer it: control characters but line ends and tabs are shown as a mark. */
export const safeText = (text: string): string =>
  text.replace(/\r\n/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");

const oneLine = (text: string): string => safeText(text).replace(/\s+/g, " ").trim();

/** Of what is no text, its kind stands for it. */
export const textOf = (content: readonly ContentBlock[]): string =>
  content
    .map((block) => (block.type === "text" ? (block.text ?? "") : `[${block.type}${clippedMark(block)}]`))
    .join("");

const clippedMark = ({ clipped }: ContentBlock): string => (clipped ? ", cut" : "");

/** All lines of an item, as it is now; none of one that has nothing to show. */
export function linesOf(item: ConversationItem, style: Style): string[] {
  switch (item.kind) {
    case "user_message":
      return [promptLine(item, style)];
    case "agent_message":
      return safeText(textOf(item.content)).trimEnd().split("\n");
    case "thought":
      return safeText(textOf(item.content))
        .trimEnd()
        .split("\n")
        .map((line) => style.dim(`… ${line}`));
    case "tool_call":
      return [toolLine(item, style)];
    case "plan":
      return ["plan:", ...item.entries.map(({ content, status }) => `  ${planMark(status)} ${oneLine(content)}`)];
    case "permission":
      return questionLines(item, style);
    case "turn":
      return turnLines(item, style);
    case "notice":
      return [style.tone("attention", `[${oneLine(item.severity)}] ${oneLine(item.text)}`)];
    case "error":
      return [style.tone("bad", `[error] ${oneLine(item.message)}`)];
    case "garbage":
      return [style.dim(`[${item.line_count} lines that are no messages] ${oneLine(item.text)}`)];
    default:
      return []; // a newer server's
  }
}

/** `> fix it   (ann)`; of mail the words alone: `> please review   (fox, mail 3)` */
function promptLine({ content, by }: ItemOf<"user_message">, style: Style): string {
  const whole = textOf(content);
  const mail = by === undefined ? undefined : givenMail(whole);
  const words = mail ? [mail.subject, mail.body].filter(Boolean).join("\n") : whole;
  const who = mail ? `${mail.from}, mail ${mail.number}` : by;
  const text = safeText(words).trimEnd().replaceAll("\n", "\n  ");
  return `${style.bold(`> ${text}`)}${who === undefined ? "" : style.dim(`   (${oneLine(who)})`)}`;
}

function toolLine({ title, status, tool_kind }: ItemOf<"tool_call">, style: Style): string {
  const head = `* ${oneLine(title) || tool_kind}`;
  if (status === "failed") return style.tone("bad", `${head}: failed`);
  return style.dim(status === "completed" ? `${head}: done` : `${head}: ${oneLine(status).replace("_", " ")}`);
}

const planMark = (status: string): string =>
  status === "completed" ? "[x]" : status === "in_progress" ? "[~]" : "[ ]";

function questionLines({ title, state, option_id, by, options }: ItemOf<"permission">, style: Style): string[] {
  const question = `? ${oneLine(title)}`;
  if (state === "pending") return [style.tone("attention", question), `  ${optionsText(options)}`];
  if (state === "cancelled") return [`${question}: cancelled`];
  const chosen = options.find(({ optionId }) => optionId === option_id)?.name ?? option_id ?? "answered";
  return [`${question}: ${oneLine(chosen)}${by === undefined ? "" : ` (${oneLine(by)})`}`];
}

const optionsText = (options: ItemOf<"permission">["options"]): string =>
  options
    .map(({ optionId, name }) => (optionId === name ? name : `${oneLine(optionId)} (${oneLine(name)})`))
    .join(", ");

/** How it ended, where that is not as usual. */
function turnLines({ state, stop_reason }: ItemOf<"turn">, style: Style): string[] {
  if (state !== "idle" && state !== "ended") return [];
  return stop_reason === undefined || stop_reason === "end_turn"
    ? []
    : [style.tone("attention", `[${oneLine(stop_reason).replaceAll("_", " ")}]`)];
}
