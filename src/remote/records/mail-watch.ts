import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { DataOf } from "../../protocol/messages.ts";
import { isUnreadBy, MAIL_MESSAGES_MAX } from "../../sealing/mail-item.ts";
import type { ConnectUnit } from "../network.ts";
import { UnitTalk } from "./unit-talk.ts";

/**
 * Follows the person's mail of this home, as a page does: the streams say that something has happened, and how it is then is read. What comes together, or
 * within {@link GATHER_MS}, is one look. A mailbox that is not used is asked nothing; of one that is used, somebody leads as long as it is followed.
 *
 * That the person has read a message is said on its sender's stream; so those of whom something is unread are followed besides.
 */
export interface MailWatchOptions {
  connect: ConnectUnit;
  clock: Clock;
  log: Log;
  /** Resolves once this home uses mail. */
  isUsed(signal: AbortSignal): Promise<void>;
  /** The last messages that the person has sent and received, each time; whether they differ is for the caller. */
  onMail(look: MailLook): void;
}

export type MailLook = DataOf<"mail.history">["messages"];

/** Opens one; the answer ends it. */
export type WatchMail = (options: Omit<MailWatchOptions, "isUsed">) => { close(): void };

/** As whom a person speaks at a page. */
export const PERSON = "you";
/** From one look to the next. */
const GATHER_MS = 10_000;
/** After what has happened last before it. */
const SETTLE_MS = 300;
const RETRY_MS = 5_000;
/** Senders of unread messages that are followed, those who wrote last. */
const SENDERS_MAX = 50;
/** What else the streams tell, of programs that come and go, changes no message. */
const OF_MESSAGES = ["message_sent", "message_queued", "receipt_changed"];
const PRIMARY = "primary";
const GREETING = { scopes: ["view"] as const, by: "records" };

export class MailWatch {
  readonly #options: MailWatchOptions;
  readonly #closing = new AbortController();
  #talk: UnitTalk | undefined;
  #cancel: (() => void) | undefined;
  #lookedMs: number | undefined;
  #isLooking = false;
  #isStale = false;
  #streams: readonly string[] = [];

  constructor(options: MailWatchOptions) {
    this.#options = options;
    void options.isUsed(this.#closing.signal).then(() => this.#follow());
  }

  close(): void {
    this.#closing.abort();
    this.#cancel?.();
    this.#talk?.close();
  }

  async #follow(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const { connect, clock, log } = this.#options;
    let talk: UnitTalk | undefined;
    try {
      const onEvent = (event: string): void => void (OF_MESSAGES.includes(event) && this.#plan());
      talk = await UnitTalk.open({ connect, target: PRIMARY, greeting: GREETING, clock, onEvent });
      if (this.#closing.signal.aborted) return talk.close();
      this.#talk = talk;
      this.#streams = [];
      await this.#subscribe(talk, []);
      this.#plan();
      await talk.ended;
    } catch (error) {
      log.debug("mail_not_followed", { error: messageOf(error) });
      talk?.close();
    }
    this.#after(RETRY_MS, () => void this.#follow());
  }

  #plan(): void {
    if (this.#isLooking) this.#isStale = true;
    if (this.#isLooking || this.#cancel) return;
    const restMs = this.#lookedMs === undefined ? 0 : this.#lookedMs + GATHER_MS - this.#nowMs();
    this.#after(Math.max(SETTLE_MS, restMs), () => void this.#look());
  }

  async #look(): Promise<void> {
    const { log, onMail } = this.#options;
    const talk = this.#talk!;
    this.#isLooking = true;
    this.#isStale = false;
    this.#lookedMs = this.#nowMs();
    try {
      const payload = { as: PERSON, limit: MAIL_MESSAGES_MAX };
      const { messages } = (await talk.ask({ type: "mail.history", payload })) as { messages: MailLook };
      if (this.#closing.signal.aborted) return;
      onMail(messages);
      // What was said on a stream before it was followed is seen with another look.
      if (await this.#subscribe(talk, messages)) this.#isStale = true;
    } catch (error) {
      log.debug("mail_not_read", { error: messageOf(error) }); // with the connection gone all begins anew
    } finally {
      this.#isLooking = false;
      if (this.#isStale) this.#plan();
    }
  }

  /** True: others are followed than before. Asked anew, a subscription replaces the one before. */
  async #subscribe(talk: UnitTalk, messages: MailLook): Promise<boolean> {
    const unread = messages.filter((one) => isUnreadBy(PERSON, one)).map(({ message }) => message.from);
    const senders = [...new Set(unread)].filter((name) => name !== PERSON).slice(0, SENDERS_MAX);
    const streams = ["mail", `mail/${PERSON}`, ...senders.sort().map((name) => `mail/${name}`)];
    if (streams.join() === this.#streams.join()) return false;
    await talk.ask({ type: "subscribe", payload: { streams } });
    const isMore = streams.some((stream) => !this.#streams.includes(stream));
    this.#streams = streams;
    return isMore;
  }

  /** One thing at a time is waited for. */
  #after(delayMs: number, then: () => void): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#closing.signal.aborted) return;
    this.#cancel = this.#options.clock.timer(delayMs, () => {
      this.#cancel = undefined;
      then();
    });
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}
