import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { FrontLimits, FrontToServer } from "../../protocol/front-messages.ts";
import { AnswerReader } from "../http/answer-head.ts";
import type { Identifiers } from "../http/identifiers.ts";
import { RequestReader } from "../http/request-head.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { Flusher } from "./output.ts";
import { ReadBuffers } from "./read-buffers.ts";
import type { Explain, RecordExchange, Resolver } from "./responder.ts";

/** What the front says of itself to the server while it moves bytes. */
export type Told = Extract<FrontToServer, { type: "applied" | "drained" | "trouble" | "waiting" }>;

export interface ContextOptions {
  clock: Clock;
  log: Log;
  identifiers: Identifiers;
  resolve: Resolver;
  explain: Explain | undefined;
  record: RecordExchange | undefined;
  tell: (message: Told) => void;
}

/** What all connections of one data plane share. */
export class Context {
  readonly clock: Clock;
  readonly log: Log;
  readonly identifiers: Identifiers;
  readonly resolve: Resolver;
  readonly explain: Explain | undefined;
  readonly record: RecordExchange | undefined;
  readonly tell: (message: Told) => void;
  readonly flusher = new Flusher();
  readonly readBuffers = new ReadBuffers();
  readonly requests = new RequestReader();
  readonly answers = new AnswerReader();
  limits: Readonly<FrontLimits> = DEFAULT_LIMITS;
  /** Answers from now on end their connection. */
  isEnding = false;
  /** Monotonic; as of the last sweep, so up to 250 ms behind: good enough for deadlines, and free. */
  nowMs: number;
  requestCount = 0;
  /** Requests that were no good. */
  refusedCount = 0;
  #date = { second: -1, line: "" };

  constructor(options: ContextOptions) {
    this.clock = options.clock;
    this.log = options.log;
    this.identifiers = options.identifiers;
    this.resolve = options.resolve;
    this.explain = options.explain;
    this.record = options.record && guarded(options.record, options.log);
    this.tell = options.tell;
    this.nowMs = options.clock.monotonicMs();
  }

  /** The Date line of an answer that is ours (RFC 9110 §6.6.1). */
  dateLine(): string {
    const second = Math.floor(this.clock.wallMs() / 1_000);
    if (this.#date.second !== second)
      this.#date = { second, line: `date: ${new Date(second * 1_000).toUTCString()}\r\n` };
    return this.#date.line;
  }
}

/** Who looks on does no harm to what is looked at. */
function guarded(record: RecordExchange, log: Log): RecordExchange {
  return (exchange) => {
    try {
      record(exchange);
    } catch (error) {
      log.error("record_failed", { error: messageOf(error) });
    }
  };
}
