import { isEqual, toHex } from "../../sealing/bytes.ts";
import type { Link } from "../../sealing/chain.ts";
import { type HeadPart, missingOf, type StreamHead } from "../../sealing/heads.ts";

/** A stream of which a list names more than has come: as the first list that did so has it. */
export interface Late {
  chain: string;
  stream: string;
  seq: number;
  /** Lists that have named it since. */
  listCount: number;
}

/** A stream that the hub keeps back is told when so many lists have named it, also where the hub says that more waits. */
const LISTS_MAX = 50;

/** What machines' lists of streams come to: put together of their parts, and what of them has not come. */
export class HeadLists {
  readonly #parts = new Map<string, HeadPart[]>();
  readonly #late = new Map<string, readonly Late[]>();

  /** The whole list with its last part; parts of one list follow each other. */
  take(space: string, part: HeadPart): StreamHead[] | undefined {
    const before = (this.#parts.get(space) ?? []).filter(({ digest }) => isEqual(digest, part.digest));
    const parts = [...before.filter((one) => one.part !== part.part), part];
    if (parts.length < part.partCount) {
      this.#parts.set(space, parts);
      return undefined;
    }
    this.#parts.delete(space);
    return parts.flatMap(({ heads }) => heads);
  }

  /** What is missing by the newest list of a space; of what was named before, as it was named first. */
  note(
    space: string,
    heads: readonly StreamHead[],
    { chainOf, known }: { chainOf: (stream: Uint8Array) => string; known: (chain: string) => Link },
  ): void {
    const before = new Map(this.#late.get(space)?.map((one) => [one.chain, one]));
    const late = missingOf(heads, (stream) => known(chainOf(stream))).map(({ stream, seq }): Late => {
      const chain = chainOf(stream);
      const named = before.get(chain);
      return named !== undefined && known(chain).seq < named.seq
        ? { ...named, listCount: named.listCount + 1 }
        : { chain, stream: toHex(stream), seq, listCount: 1 };
    });
    this.#late.set(space, late);
  }

  /** Of all spaces. @param isCaughtUp all that waited at the hub has been read: nothing that replaces it comes any more */
  late(isCaughtUp: boolean, known: (chain: string) => Link): (Late & { space: string })[] {
    return [...this.#late].flatMap(([space, late]) =>
      late
        .filter(({ chain, seq, listCount }) => (isCaughtUp || listCount >= LISTS_MAX) && known(chain).seq < seq)
        .map((one) => ({ ...one, space })),
    );
  }
}
