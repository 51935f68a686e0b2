import type { MailMessage } from "../../protocol/mail-units.ts";

/** claude-ipc's `message` object, and ours. */

/** There, `data` is any JSON; here it is an object, so what is none is put into one. */
const OTHER_DATA = "ipc_data";

export interface IpcContent {
  content: string;
  data?: unknown;
}

export interface MailContent {
  body: string;
  data?: Record<string, unknown>;
}

/** `content` that is no text is sent as its JSON. */
export function toMail(message: Record<string, unknown>): MailContent {
  const { content, data } = message;
  const body = typeof content === "string" ? content : content === undefined ? "" : JSON.stringify(content);
  if (data === undefined) return { body };
  return { body, data: isObject(data) ? data : { [OTHER_DATA]: data } };
}

/** A subject, which claude-ipc does not know, becomes the first line. */
export function contentOf(message: MailMessage): IpcContent {
  const content = message.subject === undefined ? message.body : `${message.subject}\n\n${message.body}`;
  const { data } = message;
  if (data === undefined) return { content };
  const isOther = OTHER_DATA in data && Object.keys(data).length === 1;
  return { content, data: isOther ? data[OTHER_DATA] : data };
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
