import assert from "node:assert/strict";
import { Client } from "../../src/client/client.ts";
import { type FoundSession, findSession, lookForSession } from "../../src/local/find-session.ts";
import { dialUnix } from "../../src/local/unix-wire.ts";
import type { Places } from "../../src/platform/paths.ts";
import type {
  ContentBlock,
  ConversationEvent,
  ConversationItem,
  ConversationSnapshot,
  ConversationState,
  ItemKind,
  ItemOf,
} from "../../src/protocol/conversation.ts";
import { TEXT_CHARS_MAX } from "../../src/sessions/agents/clip.ts";
import { waitUntil } from "./wait-until.ts";

/**
 * Somebody who looks at an agent's conversation and stays, through every server that it has: the snapshot and the events after it, applied one by one.
 * A seq that is missing or comes twice fails the test.
 */
export class WatchingAgent implements Disposable {
  readonly id: string;
  readonly client: Client;
  readonly items = new Map<string, ConversationItem>();
  state: ConversationState = "starting";
  seq = 0;
  /** New snapshots after the first. */
  gapCount = 0;
  readonly #stop = new AbortController();
  #problem: unknown;

  static async watch(places: Places, id: string): Promise<WatchingAgent> {
    const watching = new WatchingAgent(places, id);
    await watching.until(() => watching.seq > 0, "the first snapshot");
    return watching;
  }

  constructor(places: Places, id: string) {
    this.id = id;
    let last: FoundSession | undefined;
    this.client = new Client({
      // While its server is being replaced the registry may not know of it: then where it was last, as the product's own clients do.
      dial: async (events) => {
        last = lookForSession(places, id) ?? last ?? (await findSession(places, id));
        return dialUnix(last.entry.socket, events);
      },
      name: "test",
      version: "0",
      randomId: () => crypto.randomUUID(),
      redialCountMax: 100,
    });
    void this.#follow().catch((error) => {
      this.#problem = error;
    });
  }

  prompt(text: string) {
    return this.client.request("session.prompt", { session: this.id, text, by: "ann" });
  }

  answer(choice: string, by: string, itemId?: string) {
    const item = itemId === undefined ? {} : { item_id: itemId };
    return this.client.request("session.answer", { session: this.id, choice, by, ...item });
  }

  /** What the server says of the whole of it now. */
  async conversation(): Promise<ConversationSnapshot> {
    return (await this.client.request("session.conversation", { session: this.id })).conversation;
  }

  of<K extends ItemKind>(kind: K): ItemOf<K>[] {
    return [...this.items.values()].filter((item): item is ItemOf<K> => item.kind === kind);
  }

  /** What the agent has said, a text for each message. */
  said(): string[] {
    return this.of("agent_message").map(({ content }) => content.map(({ text }) => text ?? "").join(""));
  }

  until(look: () => boolean, what: string): Promise<unknown> {
    const check = (): boolean => {
      if (this.#problem) throw this.#problem;
      return look();
    };
    return waitUntil(check, { what: `${what} (${this.state}, seq ${this.seq})`, deadlineMs: 40_000 });
  }

  /** Resolves when so many turns are over. */
  untilTurns(count: number): Promise<unknown> {
    const over = (): number => this.of("turn").filter(({ state }) => state === "idle" || state === "ended").length;
    return this.until(() => over() >= count, `${count} turns to be over`);
  }

  untilAsked(): Promise<unknown> {
    return this.until(() => this.of("permission").some(({ state }) => state === "pending"), "a question");
  }

  /** What this one has, event by event, is what the server has. */
  async assertSame(): Promise<void> {
    const { items, seq } = await this.conversation();
    await this.until(() => this.seq >= seq, `seq ${seq}`);
    assert.deepEqual([...this.items.values()], items);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.client.close();
  }

  async #follow(): Promise<void> {
    const streams = [`session/${this.id}`];
    for await (const item of this.client.subscribe({ streams }, this.#stop.signal)) {
      if (item.kind === "snapshot") this.#onSnapshot(item.snapshot as ConversationSnapshot);
      else this.#onEvent(item.event.data as ConversationEvent);
    }
  }

  #onSnapshot({ seq, items, state }: ConversationSnapshot): void {
    if (this.seq > 0) this.gapCount += 1;
    assert.ok(seq >= this.seq, `a snapshot of ${seq} after ${this.seq}`);
    this.items.clear();
    for (const item of items) this.items.set(item.id, item);
    this.seq = seq;
    this.state = state;
  }

  #onEvent(event: ConversationEvent): void {
    assert.equal(event.seq, this.seq + 1, "each event once and in order");
    this.seq = event.seq;
    if (event.type === "item") this.items.set(event.item.id, event.item);
    else if (event.type === "state") this.state = event.state;
    else if (event.type === "text_delta") this.#grow(event);
    else if (event.type === "dropped") for (const id of event.item_ids) this.items.delete(id);
  }

  #grow({ item_id, block, delta, length, seq }: Extract<ConversationEvent, { type: "text_delta" }>): void {
    const item = this.items.get(item_id);
    assert.ok(item && (item.kind === "agent_message" || item.kind === "thought" || item.kind === "user_message"));
    const content = item.content.map((one, at) => (at === block ? grown(one, delta, length) : one));
    this.items.set(item_id, { ...item, content, seq });
  }
}

/** What is past the clip is only counted. */
function grown(block: ContentBlock, delta: string, length: number): ContentBlock {
  const text = `${block.text}${delta}`;
  if (text.length < TEXT_CHARS_MAX - 1) assert.equal(text.length, length, "the delta goes where it belongs");
  return text.length < length ? { ...block, text, clipped: true, length } : { ...block, text };
}
