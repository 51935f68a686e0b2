import type { ConversationEvent, ConversationItem, ConversationSnapshot } from "../../protocol/conversation.ts";
import type { Style } from "../render/style.ts";
import { linesOf, safeText, textOf } from "./conversation-text.ts";

/**
 * Prints a conversation as it goes on, each thing once: messages as they are streamed, the rest when it is what it will stay (a question when it is
 * asked and when it was answered). It remembers what it has printed of each item, so that a new snapshot after a gap repeats nothing.
 */
export interface ConversationPrinterOptions {
  write: (text: string) => void;
  style: Style;
  /** Default: false. */
  thoughts?: boolean;
}

type Streamed = Extract<ConversationItem, { kind: "agent_message" | "thought" }>;

export class ConversationPrinter {
  readonly #options: ConversationPrinterOptions;
  readonly #items = new Map<string, ConversationItem>();
  /** By item: how much of its text, or which of its states, was printed. */
  readonly #printed = new Map<string, number | string>();
  /** The message whose last line is not finished. */
  #open: string | undefined;

  constructor(options: ConversationPrinterOptions) {
    this.#options = options;
  }

  /** What of it was not printed yet; of the first one only the newest `last` items, when that is given. */
  snapshot({ items }: ConversationSnapshot, last = items.length): void {
    const first = this.#items.size === 0 ? Math.max(0, items.length - last) : 0;
    for (const [at, item] of items.entries()) {
      this.#items.set(item.id, item);
      if (at < first) this.skip(item);
      else this.#show(item);
    }
  }

  /** Takes it as printed. */
  skip(item: ConversationItem): void {
    this.#items.set(item.id, item);
    this.#printed.set(item.id, isStreamed(item) ? textOf(item.content).length : stageOf(item));
  }

  event(event: ConversationEvent): void {
    if (event.type === "item") {
      this.#items.set(event.item.id, event.item);
      this.#show(event.item);
    } else if (event.type === "text_delta") {
      const item = this.#items.get(event.item_id);
      if (!item || !isStreamed(item)) return;
      const content = item.content.map((block, at) =>
        at === event.block ? { ...block, text: `${block.text ?? ""}${event.delta}` } : block,
      );
      const grown = { ...item, content };
      this.#items.set(item.id, grown);
      this.#show(grown);
    }
  }

  /** Ends a line that is not finished. */
  flush(): void {
    if (this.#open !== undefined) this.#options.write("\n");
    this.#open = undefined;
  }

  #show(item: ConversationItem): void {
    if (isStreamed(item)) return this.#stream(item);
    const stage = stageOf(item);
    if (stage === "" || this.#printed.get(item.id) === stage) return;
    this.#printed.set(item.id, stage);
    const lines = linesOf(item, this.#options.style);
    if (lines.length === 0) return;
    this.flush();
    this.#options.write(`${lines.join("\n")}\n`);
  }

  #stream(item: Streamed): void {
    const isThought = item.kind === "thought";
    if (isThought && !this.#options.thoughts) return;
    const text = textOf(item.content);
    const from = this.#printed.get(item.id);
    const fresh = text.slice(typeof from === "number" ? from : 0);
    if (fresh === "") return;
    if (this.#open !== item.id) this.flush();
    this.#printed.set(item.id, text.length);
    const shown = safeText(fresh);
    this.#options.write(isThought ? this.#options.style.dim(shown) : shown);
    this.#open = shown.endsWith("\n") ? undefined : item.id;
  }
}

const isStreamed = (item: ConversationItem): item is Streamed =>
  item.kind === "agent_message" || item.kind === "thought";

/** What an item has come to, as far as a line of its own is due; "" for none yet. */
function stageOf(item: ConversationItem): string {
  switch (item.kind) {
    case "tool_call":
      return item.status === "completed" || item.status === "failed" ? item.status : "";
    case "permission":
      return item.state;
    case "plan":
      return JSON.stringify(item.entries);
    case "turn":
      return item.state === "idle" || item.state === "ended" ? item.state : "";
    case "garbage":
      return "garbage";
    default:
      return item.kind;
  }
}
