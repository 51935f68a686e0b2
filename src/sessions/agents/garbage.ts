import type { Line } from "./json-lines.ts";
import type { Timeline } from "./timeline.ts";

export interface GarbageState {
  run: string | null;
  first: string | null;
  /** Default: `new`. Since Warren 0.1.1. */
  process?: AgentProcess;
}

/** `new` until it has said something that is a message. */
type AgentProcess = "new" | "speaking" | "ended";

/** What the agent writes to stdout and is no message: one item for lines in a row. */
export class Garbage {
  readonly #timeline: Timeline;
  /** The item that the next line of garbage belongs to. */
  #run: string | null = null;
  #first: string | null = null;
  #process: AgentProcess = "new";

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** How that begins which the process has written instead of messages. Undefined when it has written a message, or nothing. */
  get first(): string | undefined {
    return this.#first ?? undefined;
  }

  add({ text, bytes }: Line): void {
    if (this.#process === "ended") this.#begin();
    if (this.#process === "new") this.#first ??= text;
    const last = this.#timeline.get(this.#run ?? undefined, "garbage");
    if (!last) this.#run = this.#timeline.begin("garbage", { text, line_count: 1, bytes });
    else this.#timeline.change(last.id, "garbage", { line_count: last.line_count + 1, bytes: last.bytes + bytes });
  }

  /** A message of the agent came: the next garbage is another item. */
  messageCame(): void {
    this.#run = null;
    this.#first = null;
    this.#process = "speaking";
  }

  /** The agent was sent something: the next garbage is another item. */
  endRun(): void {
    this.#run = null;
  }

  /** What `first` says stays true until another process begins. */
  processEnded(): void {
    this.#run = null;
    this.#process = "ended";
  }

  /** It is given its first request, which a fast one does not wait for to write something else. */
  firstRequest(): void {
    if (this.#process === "ended") this.#begin();
  }

  snapshot(): GarbageState {
    return { run: this.#run, first: this.#first, process: this.#process };
  }

  restore({ run, first, process = "new" }: GarbageState): void {
    this.#run = run;
    this.#first = first;
    this.#process = process;
  }

  #begin(): void {
    this.#run = null;
    this.#first = null;
    this.#process = "new";
  }
}
