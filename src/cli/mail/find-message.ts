import { WarrenError } from "../../protocol/errors.ts";
import type { DataOf } from "../../protocol/messages.ts";
import type { Speaker } from "./open-mail.ts";
import { NOBODY_IN_PARTICULAR } from "./who.ts";

/** A message that somebody names on a command line: by the number that Warren shows, or by its id. */
export type KnownMessage = DataOf<"mail.history">["messages"][number];

/** @throws MESSAGE_NOT_FOUND */
export async function findMessage(me: Speaker, reference: string): Promise<KnownMessage> {
  const number = /^#?(\d{1,15})$/.exec(reference)?.[1];
  const found = (number && (await byNumber(me, Number(number)))) || (await byId(me, reference));
  if (found) return found;
  // It may be one between others, which only somebody at a terminal sees.
  throw new WarrenError("MESSAGE_NOT_FOUND", `There is no message ${reference} that ${me.who.name} can see.`, {
    fix: me.who.name === NOBODY_IN_PARTICULAR ? "warren mail history" : `warren mail history --as ${me.who.name}`,
  });
}

async function byNumber({ client, who }: Speaker, seq: number): Promise<KnownMessage | undefined> {
  const { messages } = await client.request("mail.history", { as: who.name, before: seq + 1, limit: 1 });
  return messages.find(({ message }) => message.seq === seq);
}

/** The newest, when several senders have used it. */
async function byId({ client, who }: Speaker, id: string): Promise<KnownMessage | undefined> {
  const { messages } = await client.request("mail.history", { as: who.name, id, limit: 1 });
  return messages.find(({ message }) => message.id === id); // an older leader does not know `id`, and answers with another
}
