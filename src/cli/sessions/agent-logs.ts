import type { ConversationEvent, ConversationItem } from "../../protocol/conversation.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { Session } from "../../protocol/units.ts";
import type { Context } from "../context.ts";
import type { LogSelection } from "../log-flags.ts";
import { typed } from "../output.ts";
import { ConversationPrinter } from "./conversation-printer.ts";
import { linesOf } from "./conversation-text.ts";
import { followConversation } from "./follow-conversation.ts";
import type { SessionHandle } from "./session-client.ts";

/** `warren logs` and `warren history` of an agent: its conversation as lines, or its items as JSON, one a line. */
type Wanted = Pick<LogSelection, "tailLines" | "sinceMs" | "grep" | "json">;

/** Before what comes. */
const FOLLOWED_BEFORE_ITEMS = 10;

/** Undefined for a terminal. */
export async function agentOf({ client, id }: SessionHandle): Promise<Session | undefined> {
  const { session } = await client.request("session.get", { session: id });
  return session.kind === "agent" ? session : undefined;
}

/** What was said, the newest part of a very long one; of one that has ended as well. */
export async function printConversation(
  { output }: Context,
  { client, id, name }: SessionHandle,
  { tailLines, sinceMs = 0, grep, json }: Wanted,
): Promise<number> {
  const { conversation } = await client.request("session.conversation", { session: id });
  const { dropped_count } = conversation;
  const items = conversation.items.filter(({ at }) => Date.parse(at) >= sinceMs);
  if (dropped_count > 0 && tailLines === undefined && !json)
    output.errorLine(
      `${dropped_count} earlier items are left out; the whole journal: ${typed(output, `warren history ${name} --raw`)}`,
    );
  const lines = items.flatMap((item) => (json ? [JSON.stringify(item)] : linesOf(item, output.style)));
  const wanted = grep ? lines.filter((line) => grep(Buffer.from(line))) : lines;
  const shown = tailLines === undefined ? wanted : tailLines === 0 ? [] : wanted.slice(-tailLines);
  for (const line of shown) await output.bytes("stdout", `${line}\n`);
  return EXIT.ok;
}

/** What was said last, and what comes, until its program ends: 0 then, 130 at Ctrl-C. With `json`, every change. */
export async function followAgent(
  context: Context,
  handle: SessionHandle,
  { tailLines = FOLLOWED_BEFORE_ITEMS, grep, json }: Wanted,
): Promise<number> {
  const { output } = context;
  const signal = context.interrupted();
  const lines = new WholeLines((line) => {
    if (!grep || grep(Buffer.from(line))) void output.bytes("stdout", `${line}\n`);
  });
  // Where nothing is left out, what is streamed is printed as it comes.
  const write = grep ? (text: string) => lines.push(text) : (text: string) => void output.bytes("stdout", text);
  const printer = new ConversationPrinter({ style: output.style, thoughts: true, write });
  for await (const news of followConversation(handle, signal)) {
    if (json) await output.bytes("stdout", jsonLines(news));
    else if (news.kind === "snapshot") printer.snapshot(news.snapshot, tailLines);
    else printer.event(news.event);
  }
  printer.flush();
  if (!signal.aborted) return EXIT.ok;
  output.errorLine(`Stopped following; ${handle.name} goes on.`);
  return EXIT.interrupted;
}

type News = { kind: "snapshot"; snapshot: { items: ConversationItem[] } } | { kind: "event"; event: ConversationEvent };

const jsonLines = (news: News): string =>
  news.kind === "event"
    ? `${JSON.stringify(news.event)}\n`
    : news.snapshot.items.map((item) => `${JSON.stringify({ type: "item", item })}\n`).join("");

class WholeLines {
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(text: string): void {
    const lines = `${this.#rest}${text}`.split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#onLine(line);
  }
}
