import type { Client } from "../../client/client.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/units.ts";
import { appClient } from "../link/app-client.ts";
import type { Machine } from "../link/machine.ts";
import type { HomeAction } from "../model/home.ts";
import { sessionAction } from "./session-actions.ts";

/**
 * The sessions of a server that is not the primary, reached by one of them. A build that has no such stream is asked once, when it is found. Where that session is no more, the way leads to
 * another server: what that one says is not heard, and the way is made anew.
 */
export interface ServerFeedOptions {
  machine: Machine;
  version: string;
  server: string;
  /** A session of it. */
  target: string;
  dispatch: (action: HomeAction) => void;
  nowMs: () => number;
}

const RETRY_MS = 2_000;

export class ServerFeed {
  readonly #options: ServerFeedOptions;
  #client: Client;
  readonly #closing = new AbortController();

  constructor(options: ServerFeedOptions) {
    this.#options = options;
    this.#client = this.#newClient();
    void this.#run();
  }

  close(): void {
    this.#closing.abort();
    this.#client.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const { server, dispatch, nowMs } = this.#options;
    while (!signal.aborted) {
      try {
        for await (const item of this.#client.subscribe({ streams: ["sessions"] }, signal)) {
          if (signal.aborted) return;
          if (!this.#isMeant()) break;
          const action =
            item.kind === "event"
              ? sessionAction(server, item.event.event, item.event.data, nowMs())
              : this.#all((item.snapshot as { sessions: Session[] }).sessions);
          if (action) dispatch(action);
        }
        if (signal.aborted) return;
        this.#client.close();
        this.#client = this.#newClient();
      } catch (error) {
        if (signal.aborted) return;
        if (isWarrenError(error, "UNKNOWN_STREAM")) return this.#askOnce();
      }
      await new Promise((wake) => setTimeout(wake, RETRY_MS));
    }
  }

  async #askOnce(): Promise<void> {
    const { signal } = this.#closing;
    try {
      const { sessions } = await this.#client.request("session.list", {}, { signal });
      if (!signal.aborted && this.#isMeant()) this.#options.dispatch(this.#all(sessions));
    } catch {
      // it has gone meanwhile, which the registry tells
    }
  }

  #newClient(): Client {
    const { machine, target, version } = this.#options;
    return appClient(machine.dialLines(target), version);
  }

  /** Of a session that has gone or moved, another server answers. */
  #isMeant(): boolean {
    return this.#client.server?.server === this.#options.server;
  }

  #all(sessions: readonly Session[]): HomeAction {
    const { server, nowMs } = this.#options;
    return { type: "sessions", server, sessions, nowMs: nowMs() };
  }
}
