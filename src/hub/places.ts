import type { Statements } from "./statements.ts";

/**
 * Places: the hub's own numbers for records, for cursors. They grow over the whole hub, and each start of the hub leaps ahead, to its wall clock: so a hub
 * whose store was put back to an old state gives no place a second time, and a cursor that lies in a leap can only come from what that store has forgotten.
 */

/** Places for each millisecond: more than a hub can give. 2^53 of them last until 2248. */
const PLACES_PER_MS = 1_024;
/** Starts that are remembered. */
const GENERATIONS_KEPT = 1_000;

interface Generation {
  base: number;
  /** The last place before it. */
  head: number;
}

export class Places {
  readonly base: number;
  readonly #generations: Generation[];
  #next: number;

  /** Writes down that the hub has started; inside a transaction. */
  constructor(db: Statements, nowMs: number) {
    const { head } = db.get<{ head: number }>(
      "select max(coalesce((select max(head) from spaces), 0), coalesce((select max(base) from generations), 0)) as head",
    )!;
    this.base = Math.max(head + 1, Math.floor(nowMs) * PLACES_PER_MS);
    this.#next = this.base + 1; // the base itself is what a cursor is set to after a gap
    db.run("insert into generations (base, head) values (?, ?)", this.base, head);
    db.run(
      "delete from generations where base < (select base from generations order by base desc limit 1 offset ?)",
      GENERATIONS_KEPT,
    );
    this.#generations = db
      .all<Generation>("select base, head from generations order by base desc")
      .map(({ base, head }) => ({ base, head }));
  }

  take(): number {
    return this.#next++;
  }

  /**
   * The floor that a cursor tells of: `known` for one that was given by this store; for one in a leap the start behind it, and for one that is still
   * ahead a floor above it. So what a restored hub has lost is a gap, and never looks like nothing missed.
   */
  judge(cursor: number): { kind: "known" } | { kind: "lost"; floor: number } | { kind: "ahead" } {
    if (cursor >= this.#next) return { kind: "ahead" };
    for (const { base, head } of this.#generations) {
      if (cursor >= base || cursor === 0) return { kind: "known" };
      if (cursor > head) return { kind: "lost", floor: base };
    }
    return { kind: "known" };
  }
}
