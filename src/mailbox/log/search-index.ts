import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { BUSY_TIMEOUT_MS } from "./limits.ts";
import { sqliteCode } from "./schema.ts";
import { SearchCleaning } from "./search-cleaning.ts";
import { logHead } from "./send.ts";
import { type Row, Statements } from "./statements.ts";

/**
 * The words of all messages, and who took part in them, in a file of its own beside the log (search.db): it is filled behind the log, by the
 * reading thread, so that no sender waits for it, and it is made anew when it is damaged, of another log, or of what a backup has taken the place of. What it
 * gives are places to look at: the log says what is there.
 */
const FORMAT = 3;
/** Messages that are added in one transaction: tens of milliseconds. */
const STEP = 500;

const SCHEMA = `
  create table of (log_id text not null, head integer not null, head_id text, head_sender text, entries integer not null);
  create virtual table words using fts5 (subject, body, content='', contentless_delete=1);
  create table parts (name text not null, seq integer not null, primary key (name, seq)) without rowid;
`;

export class SearchIndex {
  readonly #path: string;
  readonly #log: Statements;
  #words: Statements | undefined;
  #cleaning: SearchCleaning | undefined;

  constructor(path: string, log: Statements) {
    this.#path = path;
    this.#log = log;
  }

  /** Adds some of what is missing. Whether more is. */
  fill(): boolean {
    return this.#mended((words) => {
      words.run("begin immediate");
      try {
        const head = this.#head(words);
        const rows = this.#log.all(
          "select seq, id, sender, subject, body from messages where seq > ? order by seq limit ?",
          head,
          STEP,
        );
        for (const row of rows) this.#add(words, row);
        const last = rows.at(-1);
        if (last)
          words.run(
            "update of set head = ?, head_id = ?, head_sender = ?, entries = entries + ?",
            last.seq as number,
            last.id as string,
            last.sender as string,
            rows.length,
          );
        words.run("commit");
        return rows.length === STEP;
      } catch (error) {
        if (words.database.isTransaction) words.run("rollback");
        throw error;
      }
    });
  }

  /** The newest seqs before `before` of messages that one of these names sent or was sent. */
  of(names: readonly string[], before: number, count: number): number[] {
    return this.#mended((words) => {
      const seqs = names.flatMap((name) =>
        words
          .all("select seq from parts where name = ? and seq < ? order by seq desc limit ?", name, before, count)
          .map((row) => Number(row.seq)),
      );
      return [...new Set(seqs)].sort((a, b) => b - a).slice(0, count);
    });
  }

  /** The newest seqs before `before` of messages that have all the words, or words that begin so. */
  find(text: string, before: number, count: number): number[] {
    const query = queryOf(text);
    if (query === undefined) return [];
    return this.#mended((words) =>
      words
        .all(
          "select rowid as seq from words where words match ? and rowid < ? order by rowid desc limit ?",
          query,
          before,
          count,
        )
        .map((row) => Number(row.seq)),
    );
  }

  /** Takes some of what was removed from the log out of the index, which has all of the log by now. Whether there is more to look at. */
  clean(): boolean {
    return this.#mended((words) => {
      this.#cleaning ??= new SearchCleaning(words, this.#log);
      return this.#cleaning.step();
    });
  }

  close(): void {
    this.#words?.database.close();
    this.#words = undefined;
    this.#cleaning = undefined;
  }

  #add(words: Statements, { seq, sender, subject, body }: Row): void {
    words.run(
      "insert into words (rowid, subject, body) values (?, ?, ?)",
      seq as number,
      subject as string,
      body as string,
    );
    const recipients = this.#log.all("select recipient from deliveries where seq = ?", seq as number);
    for (const name of [sender, ...recipients.map(({ recipient }) => recipient)])
      words.run("insert or ignore into parts (name, seq) values (?, ?)", name as string, seq as number);
  }

  /** Once more with a new file when this one is damaged. */
  #mended<T>(work: (words: Statements) => T): T {
    try {
      return work(this.#open());
    } catch (error) {
      if (![1, 11, 26].includes(sqliteCode(error) ?? 0)) throw error;
      this.#forget();
      return work(this.#open());
    }
  }

  #open(): Statements {
    if (this.#words) return this.#words;
    const words = new Statements(new DatabaseSync(this.#path, { timeout: BUSY_TIMEOUT_MS }));
    this.#words = words;
    words.database.exec("pragma journal_mode=wal; pragma synchronous=normal");
    if (Number(words.get("pragma user_version")?.user_version) === 0) {
      words.database.exec(`begin immediate; ${SCHEMA} pragma user_version=${FORMAT}`);
      words.run("insert into of (log_id, head, entries) values (?, 0, 0)", this.#logId());
      words.run("commit");
    }
    if (this.#isOfThisLog(words)) return words;
    this.#forget();
    return this.#open();
  }

  /** Not of another log, nor of a state of this one that a backup has taken the place of: that had its own message where the index ends, or none yet. */
  #isOfThisLog(words: Statements): boolean {
    if (Number(words.get("pragma user_version")?.user_version) !== FORMAT) return false;
    const { log_id, head, head_id, head_sender } = words.get("select log_id, head, head_id, head_sender from of") ?? {};
    if (log_id !== this.#logId() || Number(head) > logHead(this.#log)) return false;
    const there = this.#log.get("select id, sender from messages where seq = ?", Number(head));
    return there === undefined || (there.id === head_id && there.sender === head_sender);
  }

  #forget(): void {
    this.close();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(this.#path + suffix, { force: true });
  }

  #head(words: Statements): number {
    return Number(words.get("select head from of")?.head);
  }

  #logId(): string {
    return String(this.#log.get("select value from meta where key = 'log_id'")?.value);
  }
}

/** Each word as a prefix, all of them needed. Quoted, so that FTS5's operators are only words. */
function queryOf(text: string): string | undefined {
  const words = text.split(/[^\p{L}\p{N}\p{M}]+/u).filter(Boolean);
  if (words.length === 0) return undefined;
  return words.map((word) => `"${word}"*`).join(" ");
}
