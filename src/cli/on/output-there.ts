import type { Client } from "../../client/client.ts";
import { unreachable } from "../../protocol/errors.ts";
import type { PayloadOf } from "../../protocol/messages.ts";
import type { LogPiece } from "../../protocol/units.ts";
import { type Positions, STREAMS, type Stream } from "../../runs/logs/files.ts";
import type { LineTest } from "../../runs/logs/grep.ts";
import { lastBytes, lastLines } from "../../runs/logs/line-window.ts";
import { type LogItem, printedBytes } from "../../runs/logs/log-item.ts";
import type { Selection, SelectOptions } from "../../runs/logs/select.ts";
import type { Start } from "../../runs/logs/start.ts";
import { type FollowOutput, isRemoved, type OutputBytes, type OutputRun, type RunOutput } from "../run-output.ts";

/**
 * The output of runs of another machine, page by page over the wire. What it can leave out is not sent; what is searched for is searched for here. A request
 * that is lost with its way is repeated by the client from the same place, so nothing is missing and nothing comes twice.
 */
const WAIT_MS = 30_000;
/** The longest line that is expected at a limit on bytes: where a line begins is known there only behind a newline. */
const LINE_BYTES = 64 * 1024;

type Wanted = Omit<PayloadOf<"job.log">, "job_id" | "workdir" | "run_id">;

interface Page {
  is_running: boolean;
  items: LogPiece[];
  next: Positions;
  is_more: boolean;
}

export class OutputThere implements RunOutput {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  select(run: OutputRun, options: SelectOptions): Selection {
    let next: Positions = { stdout: 0, stderr: 0, ...options.from };
    const pages = this.#pages(run, options, (page) => {
      next = page.next;
    });
    const { maxBytes } = options;
    // Of the last bytes of a long log only those are sent.
    const isEnd =
      maxBytes?.keep === "last" && Object.keys(options).every((key) => ["maxBytes", "streams"].includes(key));
    const items = () => (isEnd ? this.#end(run, options, maxBytes.bytes) : restricted(pages, run.runId, options));
    return { [Symbol.asyncIterator]: items, consumed: () => next };
  }

  async *follow(
    run: OutputRun,
    { start, streams = STREAMS, ended, signal }: FollowOutput,
  ): AsyncGenerator<LogItem, void> {
    const over = new AbortController();
    const end = (): void => over.abort();
    ended.then(end, end);
    const until = AbortSignal.any([over.signal, ...(signal ? [signal] : [])]);
    let wanted: Wanted = { streams: [...streams], ...beginning(start) };
    for (;;) {
      const isLast = over.signal.aborted;
      const request = isLast ? { ...wanted, wait_ms: 0, unterminated: true } : wanted;
      const page = await this.#page(run, request, isLast ? signal : until).catch((error: unknown) => {
        if (isRemoved(error)) return "removed";
        if (until.aborted && !(isLast && !signal?.aborted)) return undefined;
        throw error;
      });
      if (signal?.aborted || page === "removed") return;
      if (!page) continue; // it ended while it was asked: once more, for the rest
      for (const piece of page.items) {
        yield itemOf(run.runId, piece);
        if (signal?.aborted) return;
      }
      if (!page.is_more && (!page.is_running || isLast)) return;
      wanted = { streams: [...streams], from: { ...page.next }, wait_ms: WAIT_MS };
    }
  }

  async *bytes(
    run: OutputRun,
    stream: Stream,
    { ended, signal, onDropped }: OutputBytes,
  ): AsyncGenerator<Uint8Array, void> {
    for await (const item of this.follow(run, { streams: [stream], ended, ...(signal ? { signal } : {}) })) {
      if (item.kind === "omitted") onDropped(item.bytes);
      else yield item.complete ? Buffer.concat([item.bytes, NEWLINE]) : item.bytes;
    }
  }

  /** One after the other, from where the restrictions begin. */
  async *#pages(
    run: OutputRun,
    { streams = STREAMS, from, sinceMs, tailLines, grep, holdUnterminated }: SelectOptions,
    onPage: (page: Page) => void = () => {},
  ): AsyncGenerator<LogItem, void> {
    const all: Wanted = { streams: [...streams], unterminated: holdUnterminated !== true };
    let wanted: Wanted = {
      ...all,
      ...(from === undefined ? {} : { from: { ...from } }),
      ...(sinceMs === undefined ? {} : { since_ms: sinceMs }),
      // With a pattern the last lines are those that match it.
      ...(tailLines === undefined || grep ? {} : { tail_lines: tailLines }),
    };
    for (;;) {
      const page = await this.#page(run, wanted);
      onPage(page);
      for (const piece of page.items) yield itemOf(run.runId, piece);
      if (!page.is_more) return;
      wanted = { ...all, from: { ...page.next } };
    }
  }

  /** The last `bytes`, on lines' borders. */
  async *#end(run: OutputRun, { streams = STREAMS }: SelectOptions, bytes: number): AsyncGenerator<LogItem, void> {
    const { next } = await this.#page(run, { streams: [...streams], tail_lines: 0, unterminated: true });
    const from = mapped(streams, (stream) => Math.max(0, next[stream] - bytes - LINE_BYTES));
    let skippedBytes = from.stdout + from.stderr;
    const cut = new Set(streams.filter((stream) => from[stream] > 0));
    const whole = async function* (items: AsyncIterable<LogItem>): AsyncGenerator<LogItem, void> {
      for await (const item of items) {
        // The first line behind a place that was only counted is the end of one.
        if (item.kind === "line" && cut.delete(item.stream)) skippedBytes += printedBytes(item);
        else yield item;
      }
    };
    let isSaid = false;
    for await (const item of lastBytes(whole(this.#pages(run, { streams, from })), run.runId, bytes, 0)) {
      const isLimit = item.kind === "omitted" && item.reason === "limit";
      const saysIt = !isSaid && skippedBytes > 0 && (isLimit || item.kind === "line");
      if (saysIt) {
        isSaid = true;
        yield { kind: "omitted", runId: run.runId, reason: "limit", bytes: skippedBytes + (isLimit ? item.bytes : 0) };
      }
      if (!(saysIt && isLimit)) yield item;
    }
  }

  async #page({ of, runId }: OutputRun, wanted: Wanted, signal?: AbortSignal): Promise<Page> {
    const options = signal ? { signal } : {};
    return of.kind === "job"
      ? this.#client.request("job.log", { job_id: of.id, run_id: runId, ...wanted }, options)
      : this.#client.request("gateway.log", { worker: of.name, workdir: of.dir, instance: runId, ...wanted }, options);
  }
}

const NEWLINE = Buffer.from("\n");

const mapped = (streams: readonly Stream[], of: (stream: Stream) => number): Positions => ({
  stdout: streams.includes("stdout") ? of("stdout") : 0,
  stderr: streams.includes("stderr") ? of("stderr") : 0,
});

function beginning(start: Start = { kind: "beginning" }): Wanted {
  switch (start.kind) {
    case "beginning":
      return {};
    case "positions":
      return { from: { ...start.positions } };
    case "tail":
      return { tail_lines: start.lines };
    case "since":
      return { since_ms: start.timeMs };
    case "all":
      return Object.assign({}, ...start.of.map(beginning));
    default:
      return unreachable(start);
  }
}

function itemOf(runId: string, piece: LogPiece): LogItem {
  if (piece.kind === "omitted") {
    const { stream, reason, bytes, lines } = piece;
    const which = { ...(stream ? { stream } : {}), ...(lines === undefined ? {} : { lines }) };
    return { kind: "omitted", runId, reason, bytes, ...which };
  }
  const { stream, offset, line = "", base64, complete = true, continues = false, time_ms } = piece;
  const bytes = base64 === undefined ? Buffer.from(line) : Buffer.from(base64, "base64");
  const base = { kind: "line", runId, stream, offsetBytes: offset, bytes, complete, continues } as const;
  return time_ms === undefined ? base : { ...base, timeMs: time_ms };
}

/** In the order of `warren logs`: the pattern, the last lines, the limit. */
function restricted(
  items: AsyncIterable<LogItem>,
  runId: string,
  { grep, tailLines, maxBytes }: SelectOptions,
): AsyncIterator<LogItem> {
  const matching = grep ? matches(items, grep) : items;
  const tail = grep && tailLines !== undefined ? lastLines(matching, tailLines) : matching;
  return (maxBytes === undefined ? tail : lastBytes(tail, runId, maxBytes.bytes, 0))[Symbol.asyncIterator]();
}

async function* matches(items: AsyncIterable<LogItem>, grep: LineTest): AsyncGenerator<LogItem, void> {
  for await (const item of items) if (item.kind === "omitted" || grep(item.bytes)) yield item;
}
