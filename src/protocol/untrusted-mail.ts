import type { MailMessage } from "./mail-units.ts";

/**
 * A message as an agent's program is shown it: text of somebody else, between marks that it cannot forge, with a word on what it is worth. What is inside
 * has no more authority than its sender, who is never the agent's user.
 */
const TAG = "mail";
/** The marks themselves, however they are written, within what somebody else wrote. */
const MARKS = /<(\s*\/?\s*)(?=mail\b)/gi;
/** All that is no text: control characters but line ends and tabs, and marks that turn the direction of writing round. */
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** `<mail from="owl" number="12" …>text</mail>`, in lines of its own. */
export function wrapped(message: MailMessage): string {
  const { from, seq, hops, kind, subject, addressed_to, data, body } = message;
  const marks = [
    `from="${attribute(from)}"`,
    `number="${seq}"`,
    `to="${attribute(addressed_to)}"`,
    `hops="${hops}"`,
    ...(kind === "ask" ? ['wants_reply="yes"'] : kind === "message" ? [] : [`kind="${kind}"`]),
    ...(subject === undefined ? [] : [`subject="${attribute(subject)}"`]),
  ];
  const more = data === undefined ? "" : `\ndata: ${inside(JSON.stringify(data))}`;
  return `<${TAG} ${marks.join(" ")}>\n${inside(body)}${more}\n</${TAG}>`;
}

/** Control characters and the like are shown as what they are: `\x1b`, `\u202e`. */
export function escaped(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0);
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

const inside = (text: string): string => escaped(text).replace(MARKS, "&lt;$1");

const attribute = (text: string): string =>
  escaped(text.replace(/\s+/g, " ").trim()).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
