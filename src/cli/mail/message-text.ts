import type { MailMessage, Receipt, ReceiptState } from "../../protocol/mail-units.ts";
import { escaped, withoutLastLineEnds } from "../../protocol/untrusted-mail.ts";
import type { Context } from "../context.ts";
import { shortAge } from "../render/ages.ts";
import { plural } from "../render/plural.ts";
import type { Tone } from "../render/style.ts";
import { cutMiddle, widthOf } from "../render/text-width.ts";
import { escapedLine } from "./untrusted-text.ts";

/**
 * Messages as text. The head of a message stands at the left margin and is ours; what its sender wrote stands two columns in, so that no text can pass for
 * another message.
 */
export const INDENT = "  ";
const TEXT_WIDTH_MIN = 16;

/** All of it. */
export function messageLines(context: Context, message: MailMessage): string[] {
  const body = withoutLastLineEnds(escaped(message.body));
  const lines = body === "" ? [] : body.split("\n");
  const data =
    message.data === undefined ? [] : [context.output.style.dim(`data: ${escapedLine(JSON.stringify(message.data))}`)];
  return [headOf(context, message), ...[...lines, ...data].map((line) => `${INDENT}${line}`.trimEnd())];
}

/** In one line, cut where a terminal ends; with how far it has come. */
export function messageRow(context: Context, message: MailMessage, receipts: readonly Receipt[]): string {
  const { output } = context;
  const head = `${headOf(context, message)}  ${paintedReceipts(context, receipts)}`.trimEnd();
  const text = escapedLine(message.body);
  const shown = output.isTerminal
    ? cutMiddle(text, Math.max(TEXT_WIDTH_MIN, output.columnCount - widthOf(head) - 2))
    : text;
  return `${head}  ${shown}`.trimEnd();
}

/** `12  owl → fox  2m  asks  Schema` */
function headOf(context: Context, message: MailMessage): string {
  const { output, nowMs } = context;
  return messageHead(
    context,
    message,
    output.isTerminal ? shortAge(nowMs() - Date.parse(message.sent_at)) : message.sent_at,
  );
}

/** `when`: as it is to be shown. */
export function messageHead({ output }: Context, message: MailMessage, when: string): string {
  const { style, isTerminal, glyphs } = output;
  const arrow = isTerminal && glyphs ? "→" : "->";
  const subject = message.subject === undefined ? "" : escapedLine(message.subject);
  const parts = [
    style.dim(String(message.seq)),
    `${style.bold(escapedLine(message.from))} ${arrow} ${escapedLine(message.addressed_to)}`,
    style.dim(when),
    message.kind === "ask"
      ? style.tone("attention", "asks")
      : style.dim(message.kind === "message" ? "" : message.kind),
    subject && style.bold(subject),
  ];
  return parts.filter((part) => part !== "").join("  ");
}

const TONES: Record<ReceiptState, Tone> = {
  queued: "quiet",
  offered: "quiet",
  seen: "live",
  handled: "good",
  replied: "good",
  expired: "bad",
  dead: "bad",
};

/** `handled`, or `2 handled, 1 queued` where there are several. What was only offered has not arrived, and is told as queued. */
function receiptsText(receipts: readonly Receipt[]): string {
  const counts = Map.groupBy(receipts, ({ state }) => (state === "offered" ? "queued" : state));
  if (receipts.length === 1) return [...counts.keys()][0]!;
  return [...counts].map(([state, those]) => `${those.length} ${state}`).join(", ");
}

function paintedReceipts({ output }: Context, receipts: readonly Receipt[]): string {
  const text = receiptsText(receipts);
  const worst = receipts.find(({ state }) => state === "dead" || state === "expired") ?? receipts[0];
  return worst ? output.style.tone(TONES[worst.state] ?? "quiet", text) : "";
}

/** `seen by owl 2m ago`, one a line, why it is dead behind. */
export function receiptLines({ output, nowMs }: Context, receipts: readonly Receipt[]): string[] {
  return receipts.map(({ to, state, at, reason }) => {
    const word = output.style.tone(TONES[state] ?? "quiet", state === "offered" ? "queued" : state);
    const when = output.isTerminal ? `${shortAge(nowMs() - Date.parse(at))} ago` : at;
    return `${INDENT}${escapedLine(to)}: ${word}  ${output.style.dim(when)}${reason === undefined ? "" : `  ${escapedLine(reason)}`}`;
  });
}

export const messagesText = (count: number): string => plural(count, "message");
