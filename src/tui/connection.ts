import { Client } from "../client/client.ts";
import type { SubscriptionItem } from "../client/subscription.ts";
import { dialPrimary } from "../local/dial-primary.ts";
import type { Build } from "../platform/build.ts";
import type { Places } from "../platform/paths.ts";
import { Backoff } from "../protocol/backoff.ts";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import type { Job } from "../protocol/units.ts";
import type { Action } from "./model/model.ts";

/**
 * The line to the server. The first connection starts one when none runs; later ones only find it, so that a screen left open does not bring back what
 * `shutdown` or `nuke` ended. `demand` allows one start again: the user asked for something.
 *
 * A server that is replaced is back within milliseconds, and then nothing is said; only a longer absence is shown.
 */

const LOST_SHOWN_AFTER_MS = 300;
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 3_000;

export interface ConnectionOptions {
  places: Places;
  build: Build;
  env: NodeJS.ProcessEnv;
  dispatch: (action: Action) => void;
  /** Something has happened at a gateway, or may have while nobody heard it. */
  onGateway: () => void;
  signal: AbortSignal;
}

export class Connection {
  readonly client: Client;
  readonly #options: ConnectionOptions;
  #mayStart = true;
  #isLive = false;
  #lostTimer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { places, build, env, signal } = options;
    const dial = {
      start: dialPrimary({ places, build, env, mode: "start" }),
      find: dialPrimary({ places, build, env, mode: "find" }),
    };
    this.client = new Client({
      name: "warren-tui",
      version: build.version,
      randomId: () => crypto.randomUUID(),
      dial: async (events) => {
        const wire = await dial[this.#mayStart ? "start" : "find"](events);
        this.#mayStart = false;
        return wire;
      },
      onConnection: (state) => this.#onConnection(state),
    });
    signal.addEventListener("abort", () => this.#close(), { once: true });
  }

  /** Resolves when `signal` aborts. Rejects when the first connection fails: without a server there is nothing to show. */
  async run(): Promise<void> {
    const { signal, dispatch } = this.#options;
    const backoff = new Backoff({ firstMs: RETRY_FIRST_MS, maxMs: RETRY_MAX_MS });
    let wasLive = false;
    while (!signal.aborted) {
      try {
        for await (const item of this.client.subscribe({ streams: ["jobs", "gateway"] }, signal)) {
          wasLive = true;
          backoff.reset();
          this.#onItem(item);
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!wasLive) throw error;
        this.#isLive = false;
        this.#clearLost();
        const isGone = isWarrenError(error, "NO_SERVER");
        dispatch({
          type: "connection",
          state: isGone ? "gone" : "reconnecting",
          ...(isGone ? {} : { message: messageOf(error) }),
        });
      }
      await this.#pause(backoff.nextMs());
    }
  }

  demand(): void {
    if (this.#isLive) return;
    this.#mayStart = true;
    this.#wake?.();
  }

  #onItem(item: SubscriptionItem): void {
    const { dispatch } = this.#options;
    this.#clearLost();
    this.#isLive = true;
    const nowMs = Date.now();
    if ((item.kind === "event" ? item.event.stream : item.stream) === "gateway") return this.#options.onGateway();
    if (item.kind === "event") dispatch({ type: "event", event: item.event, nowMs });
    else if (item.stream === "jobs")
      dispatch({ type: "snapshot", jobs: (item.snapshot as { jobs: Job[] }).jobs, nowMs });
  }

  #onConnection(state: "lost" | "back"): void {
    this.#clearLost();
    const { dispatch } = this.#options;
    if (state === "back") dispatch({ type: "connection", state: "live" });
    else
      this.#lostTimer = setTimeout(() => dispatch({ type: "connection", state: "reconnecting" }), LOST_SHOWN_AFTER_MS);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    }).then(() => {
      this.#wake = undefined;
    });
  }

  #clearLost(): void {
    clearTimeout(this.#lostTimer);
    this.#lostTimer = undefined;
  }

  #close(): void {
    this.#clearLost();
    this.#wake?.();
    this.client.close();
  }
}
