import type { Client } from "../client/client.ts";
import type { Job, Session } from "../protocol/units.ts";
import type { Action, Use } from "./model/model.ts";
import { useOf } from "./model/usage.ts";

/**
 * What the jobs and sessions that run use, asked every few seconds while the screen is shown. A server looks at all processes for it: so it is asked more
 * seldom than for states, one question at a time.
 */
const POLL_MS = 5_000;
/** A server that does not answer is away for a moment: what was known stays. */
const ANSWER_TIMEOUT_MS = 2_000;

export interface UsageFeedOptions {
  /** The server that has the jobs. */
  client: Pick<Client, "request">;
  /** The sessions of all servers, measured. */
  sessions: () => Promise<readonly Session[]>;
  /** Of workers their own feed asks. */
  askWorkers: () => void;
  dispatch: (action: Action) => void;
  signal: AbortSignal;
  /** Default 5 s. */
  pollMs?: number;
}

export class UsageFeed {
  readonly #options: UsageFeedOptions;
  #timer: NodeJS.Timeout | undefined;
  #isShown = true;
  #isAsking = false;

  constructor(options: UsageFeedOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => clearTimeout(this.#timer), { once: true });
  }

  /** The first look, when there is somebody to ask. */
  start(): void {
    if (this.#timer === undefined) void this.#ask();
  }

  /** Off while another program has the terminal. */
  setShown(isShown: boolean): void {
    this.#isShown = isShown;
    clearTimeout(this.#timer);
    if (isShown) void this.#ask();
  }

  async #ask(): Promise<void> {
    const { client, sessions, askWorkers, dispatch, signal, pollMs = POLL_MS } = this.#options;
    if (this.#isAsking || signal.aborted) return;
    this.#isAsking = true;
    askWorkers();
    const [jobs, measured] = await Promise.all([
      client.request("list", {}, { signal, timeoutMs: ANSWER_TIMEOUT_MS }).catch(() => undefined),
      sessions(),
    ]);
    this.#isAsking = false;
    if (signal.aborted || !this.#isShown) return;
    this.#timer = setTimeout(() => void this.#ask(), pollMs);
    if (jobs) dispatch({ type: "usage", usage: usageOf([...jobs.jobs, ...measured]) });
  }
}

function usageOf(units: readonly (Job | Session)[]): ReadonlyMap<string, Use> {
  const known = units.flatMap(({ id, status, cpu_percent, memory_bytes }) =>
    status === "running" && memory_bytes !== undefined ? [[id, useOf(cpu_percent ?? 0, memory_bytes)] as const] : [],
  );
  return new Map(known);
}
