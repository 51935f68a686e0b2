import { itemsOf, type KeptTalk } from "../../client/remote/kept-talk.ts";
import type { ContentBlock } from "../../protocol/conversation.ts";
import type { Session } from "../../protocol/units.ts";
import type { Home } from "./home.ts";
import { type Row, type RowMachine, rowOfRecord, rowOfSession, rowOn } from "./rows.ts";
import { textOf } from "./talk.ts";

/** What is known of a machine's sessions that are over: its own word, or, while it is away, the conversations that it has left. */
export type Ended = { kind: "told"; sessions: readonly Session[] } | { kind: "left"; talks: readonly KeptTalk[] };

/** Rows of those that the one list does not have, the last to end first. Pure. */
export function endedRows(
  ended: Ended,
  {
    machine,
    listed,
    recorded,
  }: { machine: Pick<RowMachine, "id" | "name" | "hub">; listed: ReadonlySet<string> } & Pick<Home, "recorded">,
): Row[] {
  const rows =
    ended.kind === "told"
      ? ended.sessions.filter(({ id }) => !listed.has(id)).map(rowOfSession)
      : ended.talks
          .filter(({ session }) => !listed.has(session))
          .map((talk) => rowOfTalk(talk, recorded.get(talk.session)?.row.name));
  return rows.map((row) => rowOn(machine, row)).sort((a, b) => b.sinceMs - a.sinceMs);
}

/** A conversation is all that is left of it here. Without a name it is called by what was said first. */
function rowOfTalk(talk: KeptTalk, name: string | undefined): Row {
  const first = itemsOf(talk).find(({ kind }) => kind === "user_message") as { content?: ContentBlock[] } | undefined;
  const said = textOf(first?.content ?? []).split("\n")[0]!;
  const called = name ?? (said === "" ? talk.session : said);
  const record = { id: talk.session, kind: "agent", name: called, state: "ended" };
  return {
    ...rowOfRecord({ ...record, title: name === undefined ? "" : said }),
    sinceMs: talk.atMs,
    asOfMs: talk.atMs,
  };
}
