import { timestamp } from "../../platform/clock.ts";
import type {
  ContentBlock,
  ConversationEvent,
  ConversationItem,
  ConversationState,
  ItemKind,
  ItemOf,
} from "../../protocol/conversation.ts";
import { cutText } from "../../protocol/cut-text.ts";
import { assert } from "../../protocol/errors.ts";
import { TEXT_CHARS_MAX, weigh } from "./clip.ts";

/**
 * The items of a conversation in order, and the count of its changes. Everything that changes goes through here, gets the next `seq` and is told as
 * one event; nothing here looks at a clock, so that the same journal gives the same seqs.
 *
 * Items are replaced, never changed in place: who keeps one from an event keeps what it was then.
 */

/** Items held; past it the oldest are dropped, and are in the journal only. */
const ITEMS_MAX = 2_000;
/** UTF-16 units held of all items, the same way. */
const ITEMS_CHARS_MAX = 32 * 1024 * 1024;
/** Dropped at once, so that a long conversation does not tell it with each item. */
const DROP_BATCH = 200;
/** UTF-16 units of one item; content that would go past it is not added. */
const ITEM_CHARS_MAX = 1024 * 1024;

/** The fields that a new item of kind K is made with. */
export type NewItem<K extends ItemKind> = Omit<ItemOf<K>, "id" | "at" | "seq" | "kind">;
type EventBody = ConversationEvent extends infer E
  ? E extends ConversationEvent
    ? Omit<E, "seq" | "at">
    : never
  : never;

export interface TimelineState {
  seq: number;
  itemCount: number;
  droppedCount: number;
  items: ConversationItem[];
}

export class Timeline {
  readonly #items = new Map<string, ConversationItem>();
  readonly #tell: (event: ConversationEvent) => void;
  readonly #onDrop: (item: ConversationItem) => void;
  readonly #itemsMax: number;
  #seq = 0;
  #itemCount = 0;
  #droppedCount = 0;
  #chars = 0;
  #at = timestamp(0);

  constructor(options: {
    tell: (event: ConversationEvent) => void;
    onDrop: (item: ConversationItem) => void;
    itemsMax?: number;
  }) {
    this.#tell = options.tell;
    this.#onDrop = options.onDrop;
    this.#itemsMax = options.itemsMax ?? ITEMS_MAX;
  }

  get seq(): number {
    return this.#seq;
  }

  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** When what is folded now happened. */
  setTime(timeMs: number): void {
    this.#at = timestamp(timeMs);
  }

  get at(): string {
    return this.#at;
  }

  list(): ConversationItem[] {
    return [...this.#items.values()];
  }

  get<K extends ItemKind>(id: string | undefined, kind: K): ItemOf<K> | undefined {
    const item = id === undefined ? undefined : this.#items.get(id);
    return item?.kind === kind ? (item as ItemOf<K>) : undefined;
  }

  begin<K extends ItemKind>(kind: K, fields: NewItem<K>): string {
    const id = `i${++this.#itemCount}`;
    this.#put({ ...fields, id, kind, at: this.#at, seq: this.#seq + 1 } as unknown as ItemOf<K>);
    this.#dropOldest();
    return id;
  }

  change<K extends ItemKind>(id: string, kind: K, fields: Partial<NewItem<K>>): void {
    const item = this.get(id, kind);
    assert(item, `an item ${id} of kind ${kind}`);
    this.#put({ ...item, ...fields, seq: this.#seq + 1 } as unknown as ItemOf<K>);
  }

  /** Adds to a message: a text goes on in the text block before it. */
  append(id: string, block: ContentBlock): void {
    const item = this.#items.get(id);
    assert(
      item && (item.kind === "user_message" || item.kind === "agent_message" || item.kind === "thought"),
      `message ${id}`,
    );
    const last = item.content.at(-1);
    if (last && isPlainText(last) && isPlainText(block)) return this.#appendText(item, last, block);
    if (weigh(item) > ITEM_CHARS_MAX) return;
    this.#put({ ...item, content: [...item.content, block], seq: this.#seq + 1 });
  }

  event(body: EventBody): void {
    this.#tell({ ...body, seq: ++this.#seq, at: this.#at } as ConversationEvent);
  }

  state(state: ConversationState): void {
    this.event({ type: "state", state });
  }

  snapshot(): TimelineState {
    return { seq: this.#seq, itemCount: this.#itemCount, droppedCount: this.#droppedCount, items: this.list() };
  }

  restore({ seq, itemCount, droppedCount, items }: TimelineState): void {
    this.#seq = seq;
    this.#itemCount = itemCount;
    this.#droppedCount = droppedCount;
    for (const item of items) this.#items.set(item.id, item);
    this.#chars = items.reduce((sum, item) => sum + weigh(item), 0);
  }

  #put(item: ConversationItem): void {
    const before = this.#items.get(item.id);
    this.#chars += weigh(item) - (before ? weigh(before) : 0);
    this.#items.set(item.id, item);
    this.event({ type: "item", item });
  }

  #appendText(
    item: ItemOf<"user_message" | "agent_message" | "thought">,
    last: ContentBlock,
    added: ContentBlock,
  ): void {
    const { text: had = "" } = last;
    const { text = "" } = added;
    const kept = last.clipped ? "" : cutText(text, Math.max(0, TEXT_CHARS_MAX - had.length));
    const length = (last.length ?? had.length) + (added.length ?? text.length);
    const isClipped = length > had.length + kept.length;
    const block = { ...last, text: had + kept, ...(isClipped ? { length, clipped: true } : {}) };
    const seq = this.#seq + 1;
    this.#items.set(item.id, { ...item, content: [...item.content.slice(0, -1), block], seq });
    this.#chars += kept.length;
    this.event({ type: "text_delta", item_id: item.id, block: item.content.length - 1, delta: kept, length });
  }

  #dropOldest(): void {
    if (this.#items.size <= this.#itemsMax && this.#chars <= ITEMS_CHARS_MAX) return;
    const ids: string[] = [];
    const newest = [...this.#items.keys()].at(-1);
    for (const item of this.#items.values()) {
      if (ids.length >= DROP_BATCH && this.#chars <= ITEMS_CHARS_MAX) break;
      if (isLive(item) || item.id === newest) continue;
      this.#items.delete(item.id);
      this.#chars -= weigh(item);
      this.#onDrop(item);
      ids.push(item.id);
    }
    this.#droppedCount += ids.length;
    if (ids.length > 0) this.event({ type: "dropped", item_ids: ids, dropped_count: this.#droppedCount });
  }
}

/** A question that waits for its answer and a turn that runs are kept, however old. */
const isLive = (item: ConversationItem): boolean =>
  (item.kind === "permission" && item.state === "pending") ||
  (item.kind === "turn" && (item.state === "working" || item.state === "needs_you"));

/** Without annotations and the like, which belong to this block alone. */
const isPlainText = (block: ContentBlock): boolean =>
  block.type === "text" && Object.keys(block).every((key) => PLAIN.has(key));

const PLAIN: ReadonlySet<string> = new Set(["type", "text", "length", "clipped"]);
