import type { Row, Statements } from "./statements.ts";

/**
 * Takes out of the search index what was removed from the log. It knows by the counts that there is something, and walks through the whole index then, some
 * rows at a time; until it has, those rows are places where the log has nothing, which a search passes over.
 */
const STEP = 2_000;

interface Walk {
  /** The last row of `words` that was looked at, */
  seq: number;
  /** and then of `parts`. */
  name: string;
  partSeq: number;
  areWordsDone: boolean;
}

export class SearchCleaning {
  readonly #words: Statements;
  readonly #log: Statements;
  /** Where the walk is; undefined between two. */
  #at: Walk | undefined;

  constructor(words: Statements, log: Statements) {
    this.#words = words;
    this.#log = log;
  }

  /** Whether there is more to look at. */
  step(): boolean {
    const messageCount = Number(this.#log.get("select messages from totals")?.messages);
    if (!this.#at && Number(this.#words.get("select entries from of")?.entries) <= messageCount) return false;
    this.#at ??= { seq: 0, name: "", partSeq: 0, areWordsDone: false };
    this.#words.run("begin immediate");
    try {
      const hasMore = this.#at.areWordsDone ? this.#cleanParts(this.#at) : this.#cleanWords(this.#at);
      // What was removed behind the walk is for the next one: this one ends.
      if (!hasMore) this.#words.run("update of set entries = min(entries, ?)", messageCount);
      this.#words.run("commit");
      if (!hasMore) this.#at = undefined;
      return hasMore;
    } catch (error) {
      if (this.#words.database.isTransaction) this.#words.run("rollback");
      throw error;
    }
  }

  #cleanWords(at: Walk): boolean {
    const rows = this.#words.all("select rowid as seq from words where rowid > ? order by rowid limit ?", at.seq, STEP);
    const gone = this.#gone(rows);
    if (gone.size > 0) {
      // After it SQLite's last row id is one of FTS5's own, past what a number holds; the row that is put in place of itself makes it 1 again.
      this.#words.all("delete from words where rowid in (select value from json_each(?))", JSON.stringify([...gone]));
      this.#words.run(
        "replace into of (rowid, log_id, head, head_id, head_sender, entries) select rowid, log_id, head, head_id, head_sender, entries - ? from of",
        gone.size,
      );
    }
    at.seq = Number(rows.at(-1)?.seq ?? at.seq);
    at.areWordsDone = rows.length < STEP;
    return true;
  }

  #cleanParts(at: Walk): boolean {
    const rows = this.#words.all(
      "select name, seq from parts where (name, seq) > (?, ?) order by name, seq limit ?",
      at.name,
      at.partSeq,
      STEP,
    );
    const gone = this.#gone(rows);
    for (const { name, seq } of rows)
      if (gone.has(Number(seq)))
        this.#words.run("delete from parts where name = ? and seq = ?", String(name), Number(seq));
    const last = rows.at(-1);
    if (last) Object.assign(at, { name: String(last.name), partSeq: Number(last.seq) });
    return rows.length === STEP;
  }

  /** Of these, the seqs that the log does not have. */
  #gone(rows: readonly Row[]): Set<number> {
    const seqs = JSON.stringify([...new Set(rows.map(({ seq }) => Number(seq)))]);
    const missing = this.#log.all(
      "select value as seq from json_each(?) where not exists (select 1 from messages where messages.seq = json_each.value)",
      seqs,
    );
    return new Set(missing.map(({ seq }) => Number(seq)));
  }
}
