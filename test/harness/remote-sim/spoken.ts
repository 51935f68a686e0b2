import { itemsOf, type KeptTalk } from "../../../src/client/remote/kept-talk.ts";
import type { ConversationItem, ConversationSnapshot } from "../../../src/protocol/conversation.ts";
import type { Session } from "../../../src/protocol/units.ts";
import type { UnitWatchOptions, WatchUnits } from "../../../src/remote/records/unit-watch.ts";
import { MAIL_TOLD, type ToldItem } from "../../../src/sealing/item.ts";
import type { DeviceActor } from "./device-actor.ts";
import type { Life } from "./virtual-time.ts";

/** A conversation with an agent of a machine: it outlives its servers. */
export class Spoken {
  readonly #items: ConversationItem[] = [];
  #watching: UnitWatchOptions | undefined;
  #life: Life | undefined;
  #seq = 0;
  readonly #leavesOut: boolean;

  /** @param leavesOut a planted fault: one of five looks does not see what was said last */
  constructor(leavesOut = false) {
    this.#leavesOut = leavesOut;
  }

  /** Something new is said, and what was said first is changed. */
  say(): void {
    const at = new Date(0).toISOString();
    const { length } = this.#items;
    for (const place of length === 0 ? [0] : [length, 0]) {
      this.#seq += 1;
      const content = [{ type: "text", text: `${this.#seq} `.repeat(20) }];
      this.#items[place] = { id: `i${place}`, at, seq: this.#seq, kind: "agent_message", content };
    }
    this.#look();
  }

  /** As the server's watch of its units: a life's own. */
  watchUnits(life: Life): WatchUnits {
    return (options) => {
      this.#watching = options;
      this.#life = life;
      life.clock.timer(100, () => this.#look());
      return {
        close: () => {
          if (this.#watching === options) this.#watching = undefined;
        },
      };
    };
  }

  #look(): void {
    if (!this.#watching || this.#life?.isOver !== false) return;
    const [id, kind, state] = [FOX, "agent", this.#seq % 4 === 0 ? "idle" : "needs_you"];
    const active_at = new Date(this.#seq).toISOString();
    this.#watching.onSessions?.([{ id, kind, state, active_at } as Session], async () => this.#snapshot());
  }

  #snapshot(): ConversationSnapshot {
    const items = this.#items.slice(0, this.#leavesOut && this.#items.length % 5 === 4 ? -1 : undefined);
    return structuredClone({ seq: this.#seq, state: "idle", info: {}, items, dropped_count: 0 });
  }

  /** What is wrong with what a device has of it by one hub: it was told twice, in another order, or otherwise. */
  wrong(device: DeviceActor, hub: string): string | undefined {
    const last = new Map<string, number>();
    for (const { stream, seq } of device.told.of(hub)) {
      if (seq <= (last.get(stream) ?? 0)) return `record ${seq} after ${last.get(stream)}`;
      last.set(stream, seq);
    }
    const told = itemsOf(keptBy<ConversationItem>(device, hub, FOX) ?? { entries: [] });
    const other = told.find(({ id, seq }) => !(seq <= this.#items[Number(id.slice(1))]!.seq));
    return other && `${other.id} as of ${other.seq}`;
  }

  /** Everything, as it was last. */
  isWhole(device: DeviceActor, hub: string): boolean {
    const kept = keptBy<ConversationItem>(device, hub, FOX);
    if (!kept || kept.isIncomplete) return false;
    const all = JSON.stringify(this.#items.slice(-kept.entries.length));
    return kept.entries.length > 0 && JSON.stringify(itemsOf(kept)) === all;
  }
}

/** The device says itself that it lacks something. */
export const isHoleShown = (device: DeviceActor, hub: string): boolean =>
  device.records.gapsOf(hub).length > 0 ||
  [FOX, MAIL_TOLD].some((one) => keptBy(device, hub, one)?.isIncomplete === true);

/** What a device has of a conversation, or of the mail, by one hub. */
export const keptBy = <I extends ToldItem>(
  device: DeviceActor,
  hub: string,
  session: string,
): KeptTalk<I> | undefined => device.told.talk<I>(hub, session);

const FOX = "fox";
