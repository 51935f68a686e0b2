import { gapId } from "../../client/remote/record-store.ts";
import type { MachineRow, RemoteEvent } from "../../client/remote/remote-events.ts";
import type { MachineEntry } from "../../client/remote/world.ts";
import type { RecordShelf } from "./device/record-shelf.ts";

/** Of which machines something is missing that they had left at a hub, so that what is shown of them while they are away may not be all. Over when the machine is there itself. */
export class Missing {
  readonly #records: Pick<RecordShelf, "gaps" | "forgetGaps">;
  /** By hub and {@link gapId}. */
  readonly #gaps = new Map<string, { hub: string; id: string; machine: string | undefined }>();

  constructor(records: Pick<RecordShelf, "gaps" | "forgetGaps">) {
    this.#records = records;
  }

  /** From a former time of this browser. */
  async load(hubs: readonly string[]): Promise<void> {
    for (const hub of hubs) for (const gap of await this.#records.gaps(hub).catch(() => [])) this.#add(hub, gap);
  }

  of({ id, spaces }: Pick<MachineEntry, "id" | "spaces">): boolean {
    return [...this.#gaps.values()].some(({ hub, machine }) =>
      machine === undefined ? hub in spaces : machine === id,
    );
  }

  /** The machines of which it may say something else now. */
  hear(event: Extract<RemoteEvent, { kind: "gap" | "mended" }>, rows: readonly MachineRow[]): string[] {
    if (event.kind === "mended") {
      this.#gaps.delete(`${event.hub}/${gapId(event)}`);
      return [event.machine];
    }
    const { hub, gap } = event;
    this.#add(hub, gap);
    return "machine" in gap
      ? [gap.machine]
      : rows.flatMap(({ machine }) => (hub in machine.spaces ? [machine.id] : []));
  }

  /** It tells everything itself. A hub's is over with the first of its machines that is there: what each of the others lacks, its own lists say. */
  isThere({ id, spaces }: Pick<MachineEntry, "id" | "spaces">): void {
    const isOver = ({ hub, machine }: { hub: string; machine: string | undefined }): boolean =>
      machine === undefined ? hub in spaces : machine === id;
    const over = [...this.#gaps].filter(([, gap]) => isOver(gap));
    for (const [key] of over) this.#gaps.delete(key);
    for (const [hub, gaps] of Map.groupBy(over, ([, gap]) => gap.hub)) {
      const ids = new Set(gaps.map(([, { id }]) => id));
      this.#records.forgetGaps(hub, ids).catch(() => {}); // told again, and over again
    }
  }

  #add(hub: string, gap: Extract<RemoteEvent, { kind: "gap" }>["gap"]): void {
    const id = gapId(gap);
    this.#gaps.set(`${hub}/${id}`, { hub, id, machine: "machine" in gap ? gap.machine : undefined });
  }
}
