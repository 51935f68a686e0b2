import type { Client } from "../../client/client.ts";
import type { ConversationEvent, ConversationSnapshot } from "../../protocol/conversation.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import { appClient } from "../link/app-client.ts";
import type { Machine } from "../link/machine.ts";
import type { TalkAction } from "../model/talk.ts";

/** Follows the conversation of one agent, through every server that it has; one that is not live is read once. */
export interface TalkFeedOptions {
  machine: Machine;
  version: string;
  /** The session's id. */
  session: string;
  dispatch: (action: TalkAction) => void;
  onFailed: (text: string) => void;
}

const RETRY_MS = 1_000;

export class TalkFeed {
  /** For requests about this session, to the server that has it. */
  readonly client: Client;
  readonly #options: TalkFeedOptions;
  readonly #closing = new AbortController();

  constructor(options: TalkFeedOptions) {
    this.#options = options;
    const { machine, session, version } = options;
    this.client = appClient(machine.dialLines(session), version, { followsSession: true });
    void this.#run();
  }

  close(): void {
    this.#closing.abort();
    this.client.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const { session, dispatch, onFailed } = this.#options;
    while (!signal.aborted) {
      try {
        for await (const item of this.client.subscribe({ streams: [`session/${session}`] }, signal)) {
          if (signal.aborted) return;
          if (item.kind === "event")
            dispatch({ type: "event", event: item.event.data as unknown as ConversationEvent });
          else dispatch({ type: "snapshot", snapshot: item.snapshot as ConversationSnapshot });
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (isWarrenError(error, "UNKNOWN_STREAM")) return this.#readOnce();
        if (!isWarrenError(error, "CONNECTION_LOST")) onFailed(messageOf(error));
      }
      await new Promise((wake) => setTimeout(wake, RETRY_MS));
    }
  }

  async #readOnce(): Promise<void> {
    const { session, dispatch, onFailed } = this.#options;
    const { signal } = this.#closing;
    try {
      const { conversation } = await this.client.request("session.conversation", { session }, { signal });
      if (!signal.aborted) dispatch({ type: "snapshot", snapshot: conversation });
    } catch (error) {
      if (!signal.aborted) onFailed(messageOf(error));
    }
  }
}
