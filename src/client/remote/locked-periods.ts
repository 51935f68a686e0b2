import { toHex } from "../../sealing/bytes.ts";
import { PERIOD_STREAM } from "../../sealing/period.ts";

const STREAM = toHex(PERIOD_STREAM);

/** Periods of which records have come and no key: what is missing is the period's own record. */
export class LockedPeriods {
  /** By space, the newest. */
  readonly #seen = new Map<string, number>();

  /** @param period of a record that its machine has signed */
  saw(space: string, period: number): void {
    this.#seen.set(space, Math.max(period, this.#seen.get(space) ?? 0));
  }

  /**
   * @param isCaughtUp all that waited at the hub has been read
   * @param opened the newest period of the space whose record has come; 0: none, and what waits may be of before this device
   */
  late(isCaughtUp: boolean, opened: (space: string) => number): { space: string; stream: string; seq: number }[] {
    return [...this.#seen]
      .filter(([space, period]) => period > opened(space) && (isCaughtUp || opened(space) > 0))
      .map(([space, seq]) => ({ space, stream: STREAM, seq }));
  }
}
