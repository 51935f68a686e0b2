import type { OfferedMessage } from "../../protocol/mail-units.ts";
import type { DataOf } from "../../protocol/messages.ts";
import type { Context } from "../context.ts";
import type { Output } from "../output.ts";
import { hintLines } from "../render/hints.ts";
import { messageLines, messagesText } from "./message-text.ts";
import type { Speaker } from "./open-mail.ts";

/**
 * Shows unread messages. What is taken is acknowledged when it has been handed to the system, never before: whoever is killed in between, or writes to a
 * reader that has gone, is offered the same again.
 */
export interface ReadOptions {
  /** At most so many. */
  limit: number;
  /** Shown, and left unread. */
  peek: boolean;
  from?: string | undefined;
  thread?: string | undefined;
  json?: boolean | undefined;
}

/** As many as the leader gives at once. */
const PAGE = 100;

/** How many were shown. */
export async function readMail(context: Context, { client, who }: Speaker, options: ReadOptions): Promise<number> {
  const { output } = context;
  const shown: OfferedMessage[] = [];
  let answer: DataOf<"mail.fetch">;
  do {
    answer = await client.request("mail.fetch", {
      as: who.name,
      limit: Math.min(PAGE, options.limit - shown.length),
      peek: options.peek,
      ...(options.from === undefined ? {} : { from: options.from }),
      ...(options.thread === undefined ? {} : { thread: options.thread }),
    });
    shown.push(...answer.messages);
    if (options.json) continue; // JSON is one text: all of it, then all acknowledgements
    for (const message of answer.messages) for (const line of messageLines(context, message)) output.line(line);
    if (!options.peek) await acknowledge(context, { client, who }, answer.messages);
  } while (!options.peek && answer.messages.length > 0 && shown.length < options.limit);
  if (options.json) {
    const { unread, epoch, log_head } = answer;
    output.json({
      as: who.name,
      messages: shown,
      unread,
      epoch,
      log_head,
      verified_empty: shown.length + unread === 0,
    });
    if (!options.peek) await acknowledge(context, { client, who }, shown);
  } else sayRest(context, who.name, shown.length, options.peek, answer);
  return shown.length;
}

async function acknowledge({ output }: Context, { client, who }: Speaker, messages: readonly OfferedMessage[]) {
  await printed(output);
  for (const [from, ids] of idsBySender(messages))
    for (let at = 0; at < ids.length; at += PAGE)
      await client.request("mail.ack", { as: who.name, from, ids: ids.slice(at, at + PAGE) });
}

/** Senders choose their ids: two may have used the same one, and only one of the messages was shown. */
function idsBySender(messages: readonly OfferedMessage[]): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { from, id } of messages) ids.set(from, [...(ids.get(from) ?? []), id]);
  return ids;
}

/** What was written is with the reader, or the command has ended: that a reader has gone is told in the next turn of the event loop. */
export async function printed(output: Output): Promise<void> {
  await output.flushed();
  await new Promise((resolve) => setImmediate(resolve));
}

/** Empty is a fact, and of when: an index that is lost would look the same otherwise. */
function sayRest({ output }: Context, name: string, count: number, peek: boolean, answer: DataOf<"mail.fetch">): void {
  const { unread, log_head, epoch } = answer;
  const { style } = output;
  if (count + unread === 0) {
    output.line(`No mail for ${style.bold(name)}${style.dim(`  verified empty at ${log_head}, epoch ${epoch}`)}`);
    return;
  }
  if (unread > 0) output.line(style.dim(`${messagesText(unread)} more`));
  if (count === 0) return;
  const hints: [string, string][] = peek
    ? [["warren mail check", "take it"]]
    : [["warren mail reply NUMBER 'text'", "answer one"]];
  for (const line of hintLines(output, hints)) output.line(line);
}
