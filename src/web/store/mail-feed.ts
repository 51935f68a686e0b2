import type { Client } from "../../client/client.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import { appClient } from "../link/app-client.ts";
import type { Machine } from "../link/machine.ts";
import type { HomeAction } from "../model/home.ts";

/**
 * The mail of the home, as the person at this page (`you`) sees it: the stream `mail` says that something has happened, and how it is then is read; at most one look at a time. In a home that
 * does not use mail nothing is started: it is looked at again when somebody opens the page of the mail, or writes.
 */
export const ME = "you";

export interface MailFeedOptions {
  machine: Machine;
  version: string;
  dispatch: (action: HomeAction) => void;
  nowMs?: () => number;
}

const GATHER_MS = 50;
const RETRY_MS = 3_000;
/** Messages that are read at each look. */
const LOOK_COUNT = 100;

export class MailFeed {
  readonly client: Client;
  readonly #options: MailFeedOptions;
  readonly #nowMs: () => number;
  readonly #closing = new AbortController();
  #wake: () => void = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;
  #isWanted = false;

  constructor(options: MailFeedOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    const { machine, version } = options;
    this.client = appClient(machine.dialLines(), version);
    void this.#run();
  }

  /** Somebody wants to see it, or has written. */
  hurry(): void {
    this.#wake();
    this.#look();
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
    this.#wake();
    this.client.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      let isUnused = false;
      try {
        for await (const _ of this.client.subscribe({ streams: ["mail", `mail/${ME}`] }, signal)) this.#look();
        return;
      } catch (error) {
        if (signal.aborted) return;
        isUnused = isWarrenError(error, "NO_LEADER");
        this.#tell({ state: isUnused ? "unused" : "away" });
      }
      await this.#pause(isUnused ? undefined : RETRY_MS);
    }
  }

  #look(): void {
    this.#isWanted = true;
    if (this.#isLooking || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#isWanted = false;
      this.#isLooking = true;
      void this.#read().finally(() => {
        this.#isLooking = false;
        if (this.#isWanted && !this.#closing.signal.aborted) this.#look();
      });
    }, GATHER_MS);
  }

  async #read(): Promise<void> {
    const { signal } = this.#closing;
    try {
      const [{ participants }, { messages }, { messages: unread }] = await Promise.all([
        this.client.request("mail.list", {}, { signal }),
        this.client.request("mail.history", { as: ME, limit: LOOK_COUNT }, { signal }),
        this.client.request("mail.fetch", { as: ME, peek: true, limit: LOOK_COUNT }, { signal }),
      ]);
      this.#tell({ state: "live", participants, messages, unread });
    } catch {
      // the stream says what is wrong, or begins anew
    }
  }

  #tell(mail: Extract<HomeAction, { type: "mail" }>["mail"]): void {
    if (!this.#closing.signal.aborted) this.#options.dispatch({ type: "mail", mail, nowMs: this.#nowMs() });
  }

  /** Without a time: until `hurry`. */
  #pause(delayMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = delayMs === undefined ? undefined : setTimeout(resolve, delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
