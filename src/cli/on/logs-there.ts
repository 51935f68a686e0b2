import type { Client } from "../../client/client.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { LogPiece } from "../../protocol/units.ts";
import { lastBytes, lastLines } from "../../runs/logs/line-window.ts";
import type { LogItem } from "../../runs/logs/log-item.ts";
import type { Context } from "../context.ts";
import type { LogSelection } from "../log-flags.ts";
import { LogPrinter } from "../log-printer.ts";
import { nameOf } from "../render/job-text.ts";
import { usageError } from "../usage-error.ts";

/** `warren --on MACHINE logs JOB`: page by page over the wire, since its files are there. What is searched for is searched for here. */
const WAIT_MS = 30_000;
const FOLLOWED_BEFORE_LINES = 10;

type Page = DataOf<"job.log">;

/** @throws JOB_NOT_FOUND, RUN_NOT_FOUND, NO_RUN_YET */
export async function jobLogsThere(
  context: Context,
  job: { name: string; runId: string | undefined },
  wanted: LogSelection,
): Promise<number> {
  if (wanted.cursor !== undefined)
    throw usageError("--cursor is for logs of this machine.", `warren logs ${job.name} --since 10m`);
  const request = {
    job_id: job.name,
    ...(job.runId === undefined ? {} : { run_id: job.runId }),
    streams: [...wanted.streams],
  };
  const { output } = context;
  const printer = new LogPrinter(output, wanted.json ? "json" : wanted.follow ? "tagged" : "raw");
  const signal = wanted.follow ? context.interrupted() : new AbortController().signal;
  const pages = wanted.follow
    ? followed(context.client(), { ...request, ...beginning(wanted, FOLLOWED_BEFORE_LINES) }, signal)
    : paged(context.client(), { ...request, ...beginning(wanted) });
  let tag = job.name;
  const items = itemsOf(pages, (page) => {
    tag = nameOf(page.job);
  });
  for await (const item of restricted(items, wanted)) {
    await printer.item(item, tag);
    if (wanted.follow) await printer.flush();
  }
  await printer.flush();
  if (!signal.aborted) return EXIT.ok;
  output.errorLine(`Stopped following; job ${tag} goes on.`);
  return EXIT.interrupted;
}

/** What the other machine can leave out, so that it is not sent. */
function beginning(wanted: LogSelection, before?: number): Partial<PayloadOf<"job.log">> {
  const { sinceMs, grep } = wanted;
  const tailLines = wanted.tailLines ?? (sinceMs === undefined ? before : undefined);
  return {
    ...(sinceMs === undefined ? {} : { since_ms: sinceMs }),
    // With a pattern the last lines are those that match it.
    ...(tailLines === undefined || (grep && !wanted.follow) ? {} : { tail_lines: tailLines }),
  };
}

async function* paged(client: Client, request: PayloadOf<"job.log">): AsyncGenerator<Page, void> {
  let page = await client.request("job.log", request);
  yield page;
  const { run_id } = page;
  while (page.is_more) {
    page = await client.request("job.log", { ...placeless(request), run_id, from: page.next });
    yield page;
  }
}

/** Until the run has ended. */
async function* followed(
  client: Client,
  request: PayloadOf<"job.log">,
  signal: AbortSignal,
): AsyncGenerator<Page, void> {
  let page = await client.request("job.log", request);
  yield page;
  const { run_id } = page;
  while (page.is_running || page.is_more) {
    try {
      const next = { ...placeless(request), run_id, from: page.next, wait_ms: WAIT_MS };
      page = await client.request("job.log", next, { signal });
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    yield page;
  }
}

/** Where it begins is known from its first page on. */
function placeless({ tail_lines: _, since_ms: __, ...request }: PayloadOf<"job.log">): PayloadOf<"job.log"> {
  return request;
}

async function* itemsOf(pages: AsyncIterable<Page>, onPage: (page: Page) => void): AsyncGenerator<LogItem, void> {
  for await (const page of pages) {
    onPage(page);
    for (const piece of page.items) yield itemOf(page.run_id, piece);
  }
}

function itemOf(runId: string, piece: LogPiece): LogItem {
  if (piece.kind === "omitted") {
    const { stream, reason, bytes, lines } = piece;
    return {
      kind: "omitted",
      runId,
      reason,
      bytes,
      ...(stream ? { stream } : {}),
      ...(lines === undefined ? {} : { lines }),
    };
  }
  const { stream, offset, line = "", base64, complete = true, continues = false, time_ms } = piece;
  const bytes = base64 === undefined ? Buffer.from(line) : Buffer.from(base64, "base64");
  const base = { kind: "line", runId, stream, offsetBytes: offset, bytes, complete, continues } as const;
  return time_ms === undefined ? base : { ...base, timeMs: time_ms };
}

/** In the order of `warren logs`: the pattern, the last lines, the limit. */
function restricted(items: AsyncIterable<LogItem>, wanted: LogSelection): AsyncIterable<LogItem> {
  const { grep, tailLines, maxBytes, follow } = wanted;
  const matching = grep ? matches(items, grep) : items;
  if (follow) return matching;
  const tail = grep && tailLines !== undefined ? lastLines(matching, tailLines) : matching;
  return maxBytes === undefined ? tail : lastBytes(tail, "", maxBytes, 0);
}

async function* matches(
  items: AsyncIterable<LogItem>,
  grep: NonNullable<LogSelection["grep"]>,
): AsyncGenerator<LogItem, void> {
  for await (const item of items) if (item.kind === "omitted" || grep(item.bytes)) yield item;
}
