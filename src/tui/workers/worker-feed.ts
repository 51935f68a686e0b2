import type { Client } from "../../client/client.ts";
import type { Action } from "../model/model.ts";

/**
 * The gateways of the home. Their events say that something has happened, and then they are asked how they are now; while a worker is selected they are asked
 * every second as well, for its requests. One question at a time; what is heard meanwhile is asked after.
 */
const GATHER_MS = 50;
const POLL_MS = 1_000;

export interface WorkerFeedOptions {
  client: Pick<Client, "request">;
  dispatch: (action: Action) => void;
  signal: AbortSignal;
  /** While a worker is selected; default 1 s. */
  pollMs?: number;
}

export class WorkerFeed {
  readonly #options: WorkerFeedOptions;
  #timer: NodeJS.Timeout | undefined;
  #isWatching = false;
  #isAsking = false;
  #isAskedAgain = false;

  constructor(options: WorkerFeedOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => clearTimeout(this.#timer), { once: true });
  }

  /** Something has happened at a gateway. */
  heard(): void {
    if (this.#isAsking) this.#isAskedAgain = true;
    else this.#askIn(GATHER_MS);
  }

  /** A worker is selected, or none (null). */
  watch(id: string | null): void {
    this.#isWatching = id !== null;
    if (this.#isWatching) this.heard();
  }

  #askIn(delayMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#options.signal.aborted) this.#timer = setTimeout(() => void this.#ask(), delayMs);
  }

  /** A server that is away for a moment says so by its connection; what was known stays. */
  async #ask(): Promise<void> {
    const { client, dispatch, signal } = this.#options;
    this.#isAsking = true;
    this.#isAskedAgain = false;
    const answer = await client.request("gateway.status", {}, { signal }).catch(() => undefined);
    this.#isAsking = false;
    if (signal.aborted) return;
    if (answer) dispatch({ type: "gateways", gateways: answer.gateways, nowMs: Date.now() });
    if (this.#isAskedAgain) this.#askIn(GATHER_MS);
    else if (this.#isWatching) this.#askIn(this.#options.pollMs ?? POLL_MS);
  }
}
