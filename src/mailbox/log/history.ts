import { MAIL_PAGE_MAX } from "../../protocol/mail-limits.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import { messageBytes, messageRow, namesOf, receiptsOf, sentMessage } from "./message-rows.ts";
import { reader } from "./ownership.ts";
import { between } from "./send.ts";
import type { Row, Statements, Value } from "./statements.ts";
import type { Look } from "./turn.ts";

/** Messages of the past with their receipts, newest first. Whoever speaks for a name sees what that sent and received; a person, or who has no name, all. */

const PAGE = 50;
/** Hits of a search that are looked at together. */
const HITS = 256;
/** Subjects, bodies and data of one page; the first message is given whatever its size. */
const PAGE_BYTES = 512 * 1024;

type Asked = PayloadOf<"mail.history">;

/** Where to look: the newest seqs before `before`, filled up to the log's head. */
export interface Places {
  find(words: string, before: number, count: number): number[];
  of(names: readonly string[], before: number, count: number): number[];
}

export const needsPlaces = ({ by }: Look, asked: Asked): boolean =>
  asked.search !== undefined ||
  (asked.thread === undefined && asked.id === undefined && (asked.with ?? ownName(by)) !== undefined);

/** Of whom nothing but what it took part in is shown. */
const ownName = (by: Look["by"]): string | undefined => (by.isPerson || by.isMailbox ? undefined : by.name);

export function history(look: Look, asked: Asked, places: Places): DataOf<"mail.history"> {
  const { log } = look;
  const limit = between("limit", asked.limit, 1, MAIL_PAGE_MAX) ?? PAGE;
  const own = ownName(look.by) === undefined ? undefined : reader(look);
  const seqs = needsPlaces(look, asked)
    ? found(log, asked, own, limit + 1, places)
    : listed(log, asked, own, limit + 1);
  const messages: DataOf<"mail.history">["messages"] = [];
  let bytes = 0;
  for (const seq of seqs.slice(0, limit)) {
    const row = messageRow(log, seq)!;
    bytes += messageBytes(row);
    if (messages.length > 0 && bytes > PAGE_BYTES) break;
    messages.push({ message: sentMessage(log, row), receipts: receiptsOf(log, seq) });
  }
  return { messages, has_more: seqs.length > messages.length };
}

interface Condition {
  sql: string;
  values: Value[];
}

/** Takes part: as its sender or as a recipient. */
const TAKES_PART =
  "(m.sender in (select value from json_each(?)) or exists (select 1 from deliveries p where p.seq = m.seq and p.recipient in (select value from json_each(?))))";

function conditions(log: Statements, asked: Asked, own: string | undefined): Condition[] {
  const all: Condition[] = [];
  const takesPart = (name: string): void => {
    const names = JSON.stringify(namesOf(log, name));
    all.push({ sql: TAKES_PART, values: [names, names] });
  };
  if (own !== undefined) takesPart(own);
  if (asked.with !== undefined) takesPart(asked.with);
  if (asked.id !== undefined) all.push({ sql: "m.id = ?", values: [asked.id] });
  if (asked.thread !== undefined) all.push({ sql: "m.thread = ?", values: [asked.thread] });
  if (asked.state !== undefined)
    all.push({ sql: "exists (select 1 from deliveries s where s.seq = m.seq and s.state = ?)", values: [asked.state] });
  return all;
}

/** From where the rows come: an index that gives them by falling seq and has few that do not fit. */
function sources(asked: Asked): Condition[] {
  if (asked.id !== undefined) return [{ sql: "messages m where m.id = ?", values: [asked.id] }];
  if (asked.thread !== undefined)
    return [
      { sql: "messages m where m.thread = ? and m.thread <> m.id", values: [asked.thread] },
      { sql: "messages m where m.id = ? and m.thread = m.id", values: [asked.thread] },
    ];
  if (asked.state === "dead" || asked.state === "expired")
    return [{ sql: "deliveries d join messages m on m.seq = d.seq where d.state in ('dead', 'expired')", values: [] }];
  if (asked.state === "queued" || asked.state === "offered")
    return [{ sql: "deliveries d join messages m on m.seq = d.seq where d.due_at_ms is not null", values: [] }];
  return [{ sql: "messages m where 1", values: [] }];
}

function listed(log: Statements, asked: Asked, own: string | undefined, count: number): number[] {
  const all = conditions(log, asked, own);
  const before = asked.before ?? Number.MAX_SAFE_INTEGER;
  const rows: Row[] = sources(asked).flatMap((source) =>
    log.all(
      `select distinct m.seq from ${source.sql} and m.seq < ? ${all.map(({ sql }) => `and ${sql}`).join(" ")}
       order by ${source.sql.startsWith("deliveries") ? "d" : "m"}.seq desc limit ?`,
      ...source.values,
      before,
      ...all.flatMap(({ values }) => values),
      count,
    ),
  );
  const seqs = [...new Set(rows.map((row) => Number(row.seq)))];
  return seqs.sort((a, b) => b - a).slice(0, count);
}

function found(log: Statements, asked: Asked, own: string | undefined, count: number, places: Places): number[] {
  const all = conditions(log, asked, own);
  const names = namesOf(log, asked.with ?? own ?? "");
  const seqs: number[] = [];
  let before = asked.before ?? Number.MAX_SAFE_INTEGER;
  while (seqs.length < count) {
    const hits = asked.search === undefined ? places.of(names, before, HITS) : places.find(asked.search, before, HITS);
    if (hits.length === 0) break;
    const fitting = log.all(
      `select m.seq from json_each(?) h join messages m on m.seq = h.value where 1 ${all.map(({ sql }) => `and ${sql}`).join(" ")}
       order by m.seq desc`,
      JSON.stringify(hits),
      ...all.flatMap(({ values }) => values),
    );
    seqs.push(...fitting.map((row) => Number(row.seq)));
    before = hits.at(-1)!;
  }
  return seqs.slice(0, count);
}
