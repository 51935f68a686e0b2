import type { Client } from "../../client/client.ts";
import { dialMailbox } from "../../local/mail-link.ts";
import { readProcess } from "../../platform/process.ts";
import { newRequestId } from "../../platform/request-id.ts";
import { MAIL_LINE_BYTES_MAX } from "../../protocol/envelope.ts";
import type { Context } from "../context.ts";
import { openClient } from "../open-client.ts";
import { type Who, whoAmI } from "./who.ts";

/** The way of a command to the leader of the mailbox: straight, through no server. */
export interface Speaker {
  client: Client;
  who: Who;
}

/**
 * `start`: when nobody leads, a leader is started. `find`: then its requests fail with NO_LEADER. Somebody at a terminal that is not a session's begins exchanges
 * anew, and sees the mail of all.
 */
export function openMail(context: Context, mode: "start" | "find" = "start"): Client {
  const { places, build, env, output, machine } = context;
  // Of another machine its server passes it on.
  if (machine)
    return context.ownedClient(openClient(build, { dial: machine.dialLines(), lineBytesMax: MAIL_LINE_BYTES_MAX }));
  const isPerson = !env.WARREN_SESSION && output.isTerminal;
  const dial = dialMailbox({ places, build, env, mode, isPerson, clientId: newRequestId() });
  return context.ownedClient(openClient(build, { dial, lineBytesMax: MAIL_LINE_BYTES_MAX }));
}

/** And for whom it speaks; a name that belongs to a key is proven first. @throws KEY_FILE_UNREADABLE, NAME_OWNED */
export async function speaker(context: Context, values: { as?: string; "key-file"?: string }): Promise<Speaker> {
  const who = whoAmI(context, values);
  const client = openMail(context);
  if (who.unit === undefined && who.keyFile !== undefined) {
    const { readKey } = await import("./key-file.ts"); // with node:crypto, which most commands do not need
    const key = await readKey(who.keyFile);
    await client.request("mail.register", { name: who.name, key, ...callerOf(context) });
  }
  return { client, who };
}

/** The process that calls warren: as long as it lives, the name is here. On another machine there is none: the name is there as long as the connection. */
export function callerOf({ parentPid, machine }: Context): { pid?: number; pid_start?: string } {
  if (machine) return {};
  const start = readProcess(parentPid)?.startTicks;
  return { pid: parentPid, ...(start === undefined ? {} : { pid_start: String(start) }) };
}
