import { toHex, utf8 } from "../../sealing/bytes.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import { encodeUnitRow, type UnitRow } from "../../sealing/unit-row.ts";

/** The rows of this machine's units as they are to be sealed, the same for all hubs. Nothing is known, and nothing gone, before the first list. */
export interface RowText {
  text: Uint8Array;
  hash: string;
}

/** As many units as a machine tells of; those that need somebody, and that changed last, first. */
const ROWS_MAX = 500;

export class RowTexts {
  readonly #crypto: SealingCrypto;
  #rows: Map<string, RowText> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(crypto: SealingCrypto) {
    this.#crypto = crypto;
  }

  /** Whether anything is different now. */
  put(rows: readonly UnitRow[]): Promise<boolean> {
    const work = this.#last.then(() => this.#put(rows));
    this.#last = work.catch(() => {});
    return work;
  }

  /** All rows, and a last one for each of these that is gone. */
  after(known: readonly string[]): [string, RowText][] {
    const rows = this.#rows;
    if (!rows) return [];
    const gone = known.filter((id) => !rows.has(id)).map((id): [string, RowText] => [id, goneRow(id)]);
    return [...rows, ...gone];
  }

  async #put(rows: readonly UnitRow[]): Promise<boolean> {
    const next = new Map<string, RowText>();
    for (const row of [...rows].sort(byWeight).slice(0, ROWS_MAX)) {
      const text = encodeUnitRow(row);
      next.set(row.id, { text, hash: toHex((await this.#crypto.sha256(text)).subarray(0, 16)) });
    }
    const before = this.#rows;
    this.#rows = next;
    return before?.size !== next.size || [...next].some(([id, { hash }]) => before.get(id)?.hash !== hash);
  }
}

const goneRow = (id: string): RowText => ({
  text: utf8(JSON.stringify({ id, kind: "", name: "", state: "gone" })),
  hash: "",
});

const byWeight = (a: UnitRow, b: UnitRow): number =>
  Number(b.state === "needs_you") - Number(a.state === "needs_you") || ((a.since ?? "") < (b.since ?? "") ? 1 : -1);
