import type { Client } from "../../client/client.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { Backoff } from "../../protocol/backoff.ts";
import { messageOf } from "../../protocol/errors.ts";

/** Between attempts to listen anew, when nobody leads the mailbox for long. */
const RETRY = { firstMs: 100, maxMs: 5_000 };

/** Follows what happens to one participant, through any number of leaders. */
export class InboxWatch {
  readonly #clock: Clock;
  readonly #log: Log;
  #followed: { name: string; controller: AbortController } | undefined;

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** In the place of whom was followed before. `onChange` is called when mail has come, or may have while nobody could hear it. */
  follow(client: Client, name: string, onChange: () => void): void {
    if (this.#followed?.name === name) return;
    this.close();
    const controller = new AbortController();
    this.#followed = { name, controller };
    void this.#listen(client, name, { onChange, signal: controller.signal });
  }

  close(): void {
    this.#followed?.controller.abort();
    this.#followed = undefined;
  }

  async #listen(
    client: Client,
    name: string,
    { onChange, signal }: { onChange: () => void; signal: AbortSignal },
  ): Promise<void> {
    const backoff = new Backoff(RETRY);
    while (!signal.aborted) {
      try {
        for await (const item of client.subscribe({ streams: [`mail/${name}`] }, signal)) {
          backoff.reset();
          if (item.kind === "snapshot" ? item.gap : item.event.event === "message_queued") onChange();
        }
        return; // given up, or the client is closed
      } catch (error) {
        if (signal.aborted) return;
        this.#log.debug("inbox_lost", { name, error: messageOf(error) });
      }
      await this.#pause(backoff.nextMs(), signal);
    }
  }

  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.timer(delayMs, resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    return promise.finally(cancel);
  }
}
