import { acknowledgeUpTo } from "../../client/acknowledge-mail.ts";
import type { Client } from "../../client/client.ts";
import { unreachable, WarrenError } from "../../protocol/errors.ts";
import type { Recipient } from "../../protocol/mail-units.ts";
import { neverTaken } from "../../protocol/mail-words.ts";
import type { DataOf } from "../../protocol/messages.ts";
import type { MailAsk, MailEntry } from "../model/mail.ts";

/** What is asked of the mailbox by keys, and what is said of it. */
type Request = Exclude<MailAsk, { ask: "watch" | "leave" | "open" }>;

/** Unread messages that are taken at a time. */
const PAGE = 100;

export async function askMail(client: Client, me: string, request: Request): Promise<string> {
  switch (request.ask) {
    case "send": {
      const to = await recipientsOf(client, request.to);
      return sentText(await client.request("mail.send", { as: me, to, body: request.body }));
    }
    case "reply":
      return sentText(
        await client.request("mail.reply", { as: me, id: request.id, from: request.from, body: request.body }),
      );
    case "acknowledge":
      return acknowledge(client, me, request);
    case "acknowledge-all":
      return acknowledgeAll(client, me);
    default:
      return unreachable(request);
  }
}

/** @throws MESSAGE_NOT_FOUND */
export async function readWhole(client: Client, me: string, seq: number): Promise<MailEntry> {
  const { messages } = await client.request("mail.history", { as: me, before: seq + 1, limit: 1 });
  const [found] = messages;
  if (found?.message.seq !== seq) throw new WarrenError("MESSAGE_NOT_FOUND", `There is no message ${seq} any more.`);
  return { ...found, isCut: false };
}

/** A participant's name comes before a group's. */
async function recipientsOf(client: Client, to: string): Promise<string[]> {
  const names = to.split(",");
  if (names.length > 1 || to.startsWith("@")) return names;
  if (to === "all") return ["@all"];
  const { participants } = await client.request("mail.list", {});
  const isGroup =
    !participants.some(({ name }) => name === to) && participants.some(({ groups }) => groups.includes(to));
  return [isGroup ? `@${to}` : to];
}

function sentText({ message, recipients }: DataOf<"mail.send">): string {
  const worry = recipients.map(worryOf).find((text) => text !== undefined);
  const names = recipients.map(({ name }) => name);
  const to = names.length === 0 ? "nobody" : names.length > 3 ? `${names.length} participants` : names.join(", ");
  return `${message.seq} kept for ${to}${worry === undefined ? "" : `: ${worry}`}`;
}

function worryOf({ name, known, presence, suggestion }: Recipient): string | undefined {
  if (!known) return `${neverTaken(name)}${suggestion === undefined ? "" : ` (${suggestion}?)`}`;
  return presence === "gone" ? `${name} is not here; it waits` : undefined;
}

async function acknowledge(
  client: Client,
  me: string,
  message: Extract<Request, { ask: "acknowledge" }>,
): Promise<string> {
  const count = await acknowledgeUpTo(client, me, message);
  return count === 0 ? "another reader has it in hand" : `${counted(count)} of ${message.from} acknowledged`;
}

async function acknowledgeAll(client: Client, me: string): Promise<string> {
  let count = 0;
  for (;;) {
    const { messages } = await client.request("mail.fetch", { as: me, limit: PAGE });
    if (messages.length === 0) break;
    count += await acknowledged(client, me, messages);
  }
  return count === 0 ? `no unread mail for ${me}` : `${counted(count)} acknowledged`;
}

async function acknowledged(client: Client, me: string, messages: readonly { id: string }[]): Promise<number> {
  const ids = messages.map(({ id }) => id);
  return (await client.request("mail.ack", { as: me, ids })).acknowledged.length;
}

const counted = (count: number): string => `${count} message${count === 1 ? "" : "s"}`;
