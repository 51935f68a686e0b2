import type { Line } from "./json-lines.ts";
import type { Timeline } from "./timeline.ts";

export interface GarbageState {
  run: string | null;
  first: string | null;
}

/** What the agent writes to stdout and is no message: one item for lines in a row. */
export class Garbage {
  readonly #timeline: Timeline;
  /** The item that the next line of garbage belongs to. */
  #run: string | null = null;
  #first: string | null = null;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** How the first garbage of this process begins. */
  get first(): string | undefined {
    return this.#first ?? undefined;
  }

  add({ text, bytes }: Line): void {
    this.#first ??= text;
    const last = this.#timeline.get(this.#run ?? undefined, "garbage");
    if (!last) this.#run = this.#timeline.begin("garbage", { text, line_count: 1, bytes });
    else this.#timeline.change(last.id, "garbage", { line_count: last.line_count + 1, bytes: last.bytes + bytes });
  }

  /** A message came: the next garbage is another item. */
  endRun(): void {
    this.#run = null;
  }

  /** Another process begins. */
  reset(): void {
    this.#run = null;
    this.#first = null;
  }

  snapshot(): GarbageState {
    return { run: this.#run, first: this.#first };
  }

  restore({ run, first }: GarbageState): void {
    this.#run = run;
    this.#first = first;
  }
}
