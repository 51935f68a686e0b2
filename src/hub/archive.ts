import { hash as hashOf } from "node:crypto";
import { PERIOD_OFFSET_BYTES, RECORD_KINDS, type RecordHead } from "../sealing/record.ts";
import { expelled, recordOld, spaceFull } from "./errors.ts";
import type { HubLimits } from "./limits.ts";
import type { Places } from "./places.ts";
import type { Statements } from "./statements.ts";

/**
 * The sealed records, until they are fetched. The hub looks at a record's clear head alone. Everything that writes here runs inside the store's transaction.
 *
 * What goes, and when: a `state` when a later one of its stream comes, and those of former periods when the machine has put them anew under a later key and lists them in
 * its `head`; anything else when all members but its sender have taken it, or when it is old; the
 * oldest items when the space is full and its machine brings more, and a device's own oldest when that device does; before them requests that the machine has
 * taken, whoever brings more; a member's own when it is thrown out. Whatever goes and may be missed
 * raises the space's floor, so that a reader whose cursor is lower knows that something is missing. Nobody misses what was replaced, nor a device's requests, which are
 * for the machine alone, once it has taken them or has thrown that device out: a floor above what others have left would say that theirs are gone too.
 */
export interface StoredRecord {
  place: number;
  bytes: Uint8Array;
}

export interface NewRecord {
  space: number;
  head: RecordHead;
  bytes: Uint8Array;
  /** Its sender is the space's machine. */
  isMachine: boolean;
  nowMs: number;
}

const KIND = RECORD_KINDS;
const PERIOD_OF = `substr(bytes, ${PERIOD_OFFSET_BYTES + 1}, 4)`;
/** As many as are thrown out in one look when a space is full. */
const EVICT_COUNT = 64;

export class Archive {
  readonly #db: Statements;
  readonly #limits: HubLimits;
  readonly #places: Places;

  constructor(statements: Statements, limits: HubLimits, places: Places) {
    this.#db = statements;
    this.#limits = limits;
    this.#places = places;
  }

  /** Its place, or undefined when it is there already. @throws EXPELLED: the space is no more, SPACE_FULL, RECORD_OLD */
  put(record: NewRecord): number | undefined {
    const { space, head, bytes } = record;
    const hash = hashOf("sha256", bytes, "buffer");
    const last = this.#lastOfStream(space, head);
    if (last?.isSame(hash)) return undefined;
    if (head.kind === KIND.state && last && last.seq > head.seq) throw recordOld(last.seq);
    const isReplacing = head.kind === KIND.state && last !== undefined;
    this.#makeRoom(record, isReplacing ? last : undefined);
    if (isReplacing) this.#forgetStates(space, head);
    if (head.kind === KIND.head && record.isMachine) this.#forgetFormerStates(space, head);
    const place = this.#places.take();
    this.#db.run(
      "insert into records (place, space, kind, stream, sender, seq, hash, at_ms, bytes) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      place,
      space,
      head.kind,
      head.stream,
      head.sender,
      head.seq,
      hash,
      record.nowMs,
      bytes,
    );
    this.#db.run(
      "update spaces set head = ?, bytes = bytes + ?, records = records + 1 where id = ?",
      place,
      bytes.length,
      space,
    );
    this.#db.run("update members set head = ? where space = ? and login_key <> ?", place, space, head.sender);
    return place;
  }

  /**
   * What lies behind `cursor` for this member, in the order of places, at most `limit`. Its own records are not among them.
   */
  after(
    loginKey: Uint8Array,
    spaces: readonly number[],
    { cursor, limit }: { cursor: number; limit: number },
  ): StoredRecord[] {
    const found = spaces.flatMap((space) =>
      this.#db.all<{ place: number; bytes: Uint8Array }>(
        "select place, bytes from records where space = ? and place > ? and sender <> ? order by place limit ?",
        space,
        cursor,
        loginKey,
        limit,
      ),
    );
    if (spaces.length > 1) found.sort((a, b) => a.place - b.place);
    return found.slice(0, limit);
  }

  /**
   * Of a member over its spaces: the last place that is for it, and the last one that is gone. While requests wait for a machine, its floor stays below the first
   * of them: what has gone above it were items, which are not for a machine; a request never goes to make room.
   */
  bounds(loginKey: Uint8Array, spaces: readonly number[]): { head: number; floor: number } {
    let [head, floor] = [0, 0];
    for (const space of spaces) {
      const row = this.#db.get<{ head: number; floor: number; first: number | null }>(
        `select m.head, s.floor,
           case when m.is_machine = 1 then
             (select min(place) from records where space = m.space and kind = 3 and place > m.took) end as first
           from members m join spaces s on s.id = m.space where m.space = ? and m.login_key = ?`,
        space,
        loginKey,
      );
      if (!row) continue;
      head = Math.max(head, row.head);
      floor = Math.max(floor, row.first === null ? row.floor : Math.min(row.floor, row.first - 1));
    }
    return { head, floor };
  }

  /** After a gap: the member's head is at least this. */
  raiseHead(loginKey: Uint8Array, place: number): void {
    this.#db.run("update members set head = max(head, ?) where login_key = ?", place, loginKey);
  }

  /** Everything up to `place` is in the member's own store; what all have is forgotten, states aside. */
  took(loginKey: Uint8Array, spaces: readonly number[], place: number): void {
    for (const space of spaces) {
      const isLater =
        this.#db.run(
          "update members set took = min(?, head) where space = ? and login_key = ? and took < min(?, head)",
          place,
          space,
          loginKey,
          place,
        ) > 0;
      if (isLater) this.#forgetTaken(space);
    }
  }

  /** Items, requests and results after a week, the rest after a month. How many went. */
  sweep(nowMs: number): number {
    const { itemMs, recordMs } = this.#limits;
    const aged = this.#db.all<{ space: number }>(
      "select distinct space from records where at_ms <= ? and (at_ms <= ? or kind between ? and ?)",
      nowMs - Math.min(itemMs, recordMs),
      nowMs - recordMs,
      KIND.item,
      KIND.result,
    );
    let count = 0;
    for (const { space } of aged)
      count += this.#forget(
        space,
        "at_ms <= ? and (at_ms <= ? or kind between 2 and 4)",
        nowMs - itemMs,
        nowMs - recordMs,
      );
    return count;
  }

  /** Its sender was thrown out: nobody takes them any more. */
  forgetSender(space: number, sender: Uint8Array): void {
    this.#forgetUnmissed(space, "sender = ?", sender);
    this.#lowerHeads(space);
    this.#forgetTaken(space);
  }

  #lastOfStream(space: number, { kind, stream, sender, seq }: RecordHead): LastRecord | undefined {
    // Of a state the last one, of anything else the one of this number.
    const which = kind === KIND.state ? "" : "and seq = ?";
    const values = kind === KIND.state ? [] : [seq];
    const row = this.#db.get<{ seq: number; hash: Uint8Array; size: number }>(
      `select seq, hash, length(bytes) as size from records
         where space = ? and stream = ? and sender = ? ${which} and kind = ? order by seq desc, place desc limit 1`,
      space,
      stream,
      sender,
      ...values,
      kind,
    );
    return row && { seq: row.seq, size: row.size, isSame: (hash) => Buffer.compare(row.hash, hash) === 0 };
  }

  /** Nothing that is still wanted goes unless there is room then. */
  #makeRoom({ space, head, bytes, isMachine }: NewRecord, replaced: LastRecord | undefined): void {
    const more = { bytes: bytes.length - (replaced?.size ?? 0), records: replaced ? 0 : 1 };
    if (this.#lacks(space, more)) this.#forgetTakenRequests(space);
    const lack = this.#lacks(space, more);
    if (!lack) return;
    // A request pushes nothing out, and a device nothing of anybody else.
    const sender = isMachine ? undefined : head.sender;
    if (head.kind === KIND.request || !this.#forgetOldest(space, sender, lack)) throw spaceFull(lack.why);
  }

  /** What is too much in the space with that; undefined: it fits. @throws EXPELLED: the space is no more */
  #lacks(space: number, more: Size): (Size & { why: string }) | undefined {
    const { spaceBytes, spaceRecords } = this.#limits;
    const has = this.#db.get<Size>("select bytes, records from spaces where id = ?", space);
    if (!has) throw expelled();
    const bytes = has.bytes + more.bytes - spaceBytes;
    const records = has.records + more.records - spaceRecords;
    if (bytes <= 0 && records <= 0) return undefined;
    const why =
      bytes > 0 ? `${has.bytes} bytes of records wait in it, of ${spaceBytes}` : `${has.records} records wait in it`;
    return { bytes, records, why };
  }

  /** They are for the machine alone: nobody else has to have taken them. */
  #forgetTakenRequests(space: number): void {
    const machine = this.#db.get<{ took: number }>(
      "select took from members where space = ? and is_machine = 1",
      space,
    );
    if (machine) this.#forgetUnmissed(space, "kind = 3 and place <= ?", machine.took);
  }

  /** The oldest items, and results: of one sender, or of all. False: all of them would not be enough, and they stay. */
  #forgetOldest(space: number, sender: Uint8Array | undefined, lack: Size): boolean {
    const of = sender === undefined ? "" : "and sender = ?";
    const values = sender === undefined ? [] : [sender];
    let [last, bytes, records] = [0, 0, 0];
    do {
      const rows = this.#db.all<{ place: number; size: number }>(
        `select place, length(bytes) as size from records
           where space = ? and place > ? and kind in (2, 4) ${of} order by place limit ?`,
        space,
        last,
        ...values,
        EVICT_COUNT,
      );
      if (rows.length === 0) return false;
      last = rows.at(-1)!.place;
      records += rows.length;
      bytes += rows.reduce((sum, { size }) => sum + size, 0);
    } while (bytes < lack.bytes || records < lack.records);
    this.#forget(space, `kind in (2, 4) and place <= ? ${of}`, last, ...values);
    return true;
  }

  /** A state that is replaced leaves no gap: nobody misses the former one. */
  #forgetStates(space: number, { stream, sender }: RecordHead): void {
    this.#forgetUnmissed(space, "stream = ? and sender = ? and kind = 1", stream, sender);
  }

  /** Of periods before this `head`'s, once for each: a machine puts its states anew, and then the first `head` of a period. No gap: they are all there again. */
  #forgetFormerStates(space: number, { sender, period }: RecordHead): void {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(period);
    const last = this.#db.get<{ period: Uint8Array }>(
      `select ${PERIOD_OF} as period from records where space = ? and sender = ? and kind = 7 order by place desc limit 1`,
      space,
      sender,
    );
    if (last && Buffer.compare(last.period, number) >= 0) return;
    this.#forgetUnmissed(space, `sender = ? and kind = 1 and ${PERIOD_OF} < ?`, sender, number);
  }

  /**
   * Nobody waits for what is gone: a member's head is the last record that is still there for it, or what it has taken. Not where that lies below the floor and waits:
   * a reader whose head is no higher than the floor takes it that nothing is there.
   */
  #lowerHeads(space: number): void {
    const members = this.#db.all<{ loginKey: Uint8Array; took: number; last: number; floor: number }>(
      `select m.login_key as loginKey, m.took, s.floor,
         coalesce((select max(place) from records where space = m.space and sender <> m.login_key), 0) as last
         from members m join spaces s on s.id = m.space where m.space = ?`,
      space,
    );
    for (const { loginKey, took, last, floor } of members) {
      if (last > took && last <= floor) continue;
      const head = Math.max(took, last);
      this.#db.run("update members set head = min(head, ?) where space = ? and login_key = ?", head, space, loginKey);
    }
  }

  #forgetTaken(space: number): void {
    const { low } = this.#db.get<{ low: number }>(
      // Who has nothing more to take holds nothing back.
      "select coalesce(min(case when took >= head then 9007199254740991 else took end), 0) as low from members where space = ?",
      space,
    )!;
    this.#forget(space, "place <= ? and kind <> 1", low);
  }

  #forget(space: number, which: string, ...values: (number | Uint8Array)[]): number {
    const gone = this.#db.all<{ place: number; size: number }>(
      `delete from records where space = ? and ${which} returning place, length(bytes) as size`,
      space,
      ...values,
    );
    if (gone.length === 0) return 0;
    const floor = gone.reduce((highest, { place }) => Math.max(highest, place), 0);
    this.#db.run("update spaces set floor = max(floor, ?) where id = ?", floor, space);
    this.#lighten(space, gone);
    return gone.length;
  }

  /** Raises no floor. */
  #forgetUnmissed(space: number, which: string, ...values: (number | Uint8Array)[]): void {
    const gone = this.#db.all<{ size: number }>(
      `delete from records where space = ? and ${which} returning length(bytes) as size`,
      space,
      ...values,
    );
    this.#lighten(space, gone);
  }

  #lighten(space: number, gone: readonly { size: number }[]): void {
    const bytes = gone.reduce((sum, { size }) => sum + size, 0);
    this.#db.run("update spaces set bytes = bytes - ?, records = records - ? where id = ?", bytes, gone.length, space);
  }
}

interface Size {
  bytes: number;
  records: number;
}

interface LastRecord {
  seq: number;
  size: number;
  isSame(hash: Uint8Array): boolean;
}
