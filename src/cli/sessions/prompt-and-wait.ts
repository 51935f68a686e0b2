import type { ConversationItem, ItemOf } from "../../protocol/conversation.ts";
import { WarrenError } from "../../protocol/errors.ts";
import type { DataOf } from "../../protocol/messages.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { Context } from "../context.ts";
import { nextLines } from "../render/hints.ts";
import { ConversationPrinter } from "./conversation-printer.ts";
import { type ConversationNews, followConversation } from "./follow-conversation.ts";
import type { SessionHandle } from "./session-client.ts";
import { userLabel } from "./user-label.ts";

/**
 * Says something to an agent and prints what it answers until that turn is over: 0 when it ended as usual, 1 otherwise, 130 at Ctrl-C (the turn goes
 * on). What others say meanwhile, and what the agent still does for an earlier prompt, is not printed.
 */
export async function promptAndWait(
  context: Context,
  handle: SessionHandle,
  { text, json }: { text: string; json: boolean },
): Promise<number> {
  const { output } = context;
  const interrupted = context.interrupted();
  const over = new AbortController();
  const news = followConversation(handle, AbortSignal.any([interrupted, over.signal]));
  const turn = new PromptedTurn(context, handle.name, json);
  // The first snapshot is from before the prompt: what is not in it is of this turn, or of another one's.
  const first = await news.next();
  if (first.done) return EXIT.interrupted;
  turn.begin(first.value);
  try {
    const sent = await handle.client.request("session.prompt", { session: handle.id, text, by: userLabel(context) });
    turn.sent(sent);
    while (!turn.ended) {
      const next = await news.next();
      if (next.done) break;
      turn.take(next.value);
    }
    if (json && turn.ended) output.json({ ...sent, turn: turn.ended, text: turn.text });
  } finally {
    over.abort();
    turn.flush();
  }
  if (interrupted.aborted) {
    output.errorLine(`Stopped waiting; ${handle.name} goes on.`);
    return EXIT.interrupted;
  }
  if (!turn.ended) throw endedEarly(handle.name);
  return turn.ended.stop_reason === "end_turn" ? EXIT.ok : EXIT.failed;
}

class PromptedTurn {
  readonly #context: Context;
  readonly #name: string;
  readonly #printer: ConversationPrinter;
  readonly #waiting: ConversationNews[] = [];
  #requestId: string | undefined;
  /** It is this turn that the agent is in. */
  #isOurs = false;
  #text = "";

  ended: ItemOf<"turn"> | undefined;

  constructor(context: Context, name: string, json: boolean) {
    const { output } = context;
    this.#context = context;
    this.#name = name;
    this.#printer = new ConversationPrinter({
      style: output.style,
      write: (text) => {
        this.#text += text;
        if (!json) void output.bytes("stdout", text);
      },
    });
  }

  /** What has been printed. */
  get text(): string {
    return this.#text;
  }

  begin(news: ConversationNews): void {
    if (news.kind === "snapshot") for (const item of news.snapshot.items) this.#printer.skip(item);
  }

  sent({ receipt, request_id }: DataOf<"session.prompt">): void {
    this.#requestId = request_id;
    if (receipt.state === "queued" && this.#context.output.errorIsTerminal)
      this.#context.output.errorLine(`${this.#name} is working; the prompt waits for its turn.`);
    for (const news of this.#waiting.splice(0)) this.take(news);
  }

  take(news: ConversationNews): void {
    if (this.#requestId === undefined) this.#waiting.push(news);
    else if (news.kind === "snapshot") for (const item of news.snapshot.items) this.#item(item, () => this.#show(item));
    else if (news.event.type === "item") this.#item(news.event.item, () => this.#printer.event(news.event));
    else if (this.#isOurs) this.#printer.event(news.event);
  }

  flush(): void {
    this.#printer.flush();
  }

  #show(item: ConversationItem): void {
    this.#printer.event({ type: "item", item, seq: item.seq, at: item.at });
  }

  #item(item: ConversationItem, print: () => void): void {
    if (item.kind === "turn") return this.#onTurn(item);
    if (item.kind === "user_message") {
      this.#isOurs = item.request_id === this.#requestId;
      return this.#printer.skip(item);
    }
    if (!this.#isOurs) return this.#printer.skip(item);
    print();
    if (item.kind === "permission" && item.state === "pending") this.#sayWhatToType();
  }

  #onTurn(item: ItemOf<"turn">): void {
    if (item.request_id !== this.#requestId) return;
    const isOver = item.state === "idle" || item.state === "ended";
    if (!isOver) return;
    this.#show(item);
    this.ended = item;
  }

  #sayWhatToType(): void {
    const { output } = this.#context;
    const lines = nextLines(output, [
      [`warren approve ${this.#name}`, "say yes"],
      [`warren deny ${this.#name}`, "say no"],
    ]);
    for (const line of lines) output.errorLine(line);
  }
}

const endedEarly = (name: string): WarrenError =>
  new WarrenError("AGENT_ENDED", `${name} ended before its turn was over.`, { fix: `warren resume ${name}` });
