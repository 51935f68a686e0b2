import { WarrenError } from "../../protocol/errors.ts";
import type { DataOf } from "../../protocol/messages.ts";
import type { Speaker } from "./open-mail.ts";

/** A message that somebody names on a command line: by the number that Warren shows, or by its id. */
export type KnownMessage = DataOf<"mail.history">["messages"][number];

/** An id is looked for among so many of the newest. A number is found in any log. */
const LOOKED_AT_MAX = 1_000;
const PAGE = 100;

/** @throws MESSAGE_NOT_FOUND */
export async function findMessage(me: Speaker, reference: string): Promise<KnownMessage> {
  const number = /^#?(\d{1,15})$/.exec(reference)?.[1];
  const found = (number && (await byNumber(me, Number(number)))) || (await byId(me, reference));
  if (found) return found;
  throw new WarrenError("MESSAGE_NOT_FOUND", `There is no message ${reference}.`, { fix: "warren mail history" });
}

async function byNumber({ client, who }: Speaker, seq: number): Promise<KnownMessage | undefined> {
  const { messages } = await client.request("mail.history", { as: who.name, before: seq + 1, limit: 1 });
  return messages.find(({ message }) => message.seq === seq);
}

async function byId({ client, who }: Speaker, id: string): Promise<KnownMessage | undefined> {
  let before: number | undefined;
  for (let count = 0; count < LOOKED_AT_MAX; count += PAGE) {
    const page = await client.request("mail.history", {
      as: who.name,
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    });
    const found = page.messages.find(({ message }) => message.id === id);
    if (found || !page.has_more) return found;
    before = page.messages.at(-1)?.message.seq;
  }
  return undefined;
}
