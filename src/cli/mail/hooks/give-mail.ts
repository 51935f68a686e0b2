import { Client } from "../../../client/client.ts";
import { agentOf, ownProcess } from "../../../hooks/agent-process.ts";
import { deliver } from "../../../hooks/deliver.ts";
import { Gives } from "../../../hooks/gives.ts";
import { HookSession, type SessionRecord } from "../../../hooks/hook-session.ts";
import { LeaderWire } from "../../../hooks/leader-wire.ts";
import { mailText } from "../../../hooks/mail-text.ts";
import { hasMailInLog } from "../../../hooks/without-leader.ts";
import { speakingOf } from "../../../hooks/world.ts";
import { dialMailbox } from "../../../local/mail-link.ts";
import { newRequestId } from "../../../platform/request-id.ts";
import { isWarrenError } from "../../../protocol/errors.ts";
import type { Context } from "../../context.ts";
import { callerOf } from "../open-mail.ts";
import { printed } from "../read-mail.ts";
import type { Who } from "../who.ts";

/** Prints the unread mail of a name for an agent; what was printed before is handled then. Nobody who leads is started for nothing. */
export async function giveMail(context: Context, who: Who, { json }: { json: boolean }): Promise<void> {
  const session = new HookSession(context.places, `generic-${who.name}`);
  const record = remembered(context, session, who);
  try {
    await given(context, { session, record, json });
  } catch (error) {
    if (!isWarrenError(error, "NAME_OWNED") || who.keyFile === undefined || who.unit !== undefined) throw error;
    await prove(context, record, who.keyFile); // once; the mailbox remembers it
    await given(context, { session, record, json });
  }
}

interface Giving {
  session: HookSession;
  record: SessionRecord;
  json: boolean;
}

async function given(context: Context, { session, record, json }: Giving): Promise<void> {
  const { output } = context;
  const { name } = record;
  const wire = await openWire(context, session, record);
  try {
    const delivery = wire && {
      wire,
      name,
      gives: new Gives(session.dir),
      begunMs: performance.timeOrigin,
      by: ownProcess(),
      agent: record.agent,
      randomId: newRequestId,
      nowMs: context.nowMs,
    };
    const out = delivery && (await deliver(delivery, { give: "anything", turn: "over" }, delivery.gives.all()));
    const text = out && mailText(out.messages, out.left, speakingOf(record));
    if (json) output.json({ as: name, messages: out?.messages ?? [], left: out?.left ?? 0, ...(text ? { text } : {}) });
    else if (text) output.line(text);
    await printed(output);
    out?.written();
  } finally {
    wire?.close();
  }
}

/** Undefined when nobody leads, and nothing waits. */
async function openWire(
  context: Context,
  session: HookSession,
  record: SessionRecord,
): Promise<LeaderWire | undefined> {
  const { places } = context;
  const open = (): Promise<LeaderWire | undefined> =>
    LeaderWire.open({ places, clientId: record.client_id, agent: record.agent });
  const wire = await open();
  if (wire || !(await hasMailInLog(record.name, places, session))) return wire;
  await clientOf(context, record.client_id).request("mail.ping", {});
  return open();
}

/** The same from call to call, so that one confirms what the last one printed. */
function remembered({ parentPid, env }: Context, session: HookSession, { name, unit, keyFile }: Who): SessionRecord {
  const agent = agentOf(parentPid);
  const record: SessionRecord = {
    format: 1,
    name,
    client_id: session.record()?.client_id ?? newRequestId(),
    ...(agent === undefined ? {} : { agent }),
    ...(keyFile === undefined ? {} : { key_file: keyFile }),
    ...(unit !== undefined || env.WARREN_MAIL_NAME === name ? { is_in_env: true } : {}),
  };
  session.remember(record);
  return record;
}

async function prove(context: Context, { client_id, name }: SessionRecord, keyFile: string): Promise<void> {
  const { readKey } = await import("../key-file.ts");
  const key = await readKey(keyFile);
  await clientOf(context, client_id).request("mail.register", { name, key, ...callerOf(context) });
}

function clientOf(context: Context, clientId: string): Client {
  const { places, build, env } = context;
  const dial = dialMailbox({ places, build, env, mode: "start", clientId });
  return context.ownedClient(new Client({ dial, name: "warren", version: build.version, randomId: newRequestId }));
}
