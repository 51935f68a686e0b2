import type { Clock } from "../../platform/clock.ts";
import type { OfferedMessage } from "../../protocol/mail-units.ts";
import { contentOf } from "./ipc-content.ts";
import type { IpcMail, IpcSession } from "./ipc-log.ts";
import { type StoreLarge, shorten } from "./large-message.ts";
import { pythonDumps } from "./python-json.ts";
import { type IpcMessage, naiveTimestamp } from "./replies.ts";

/**
 * `check` without its loss. There, what was handed out is gone, whether or not it arrived. Here it is under a lease: `confirm` when the reader has read all of
 * it, `giveBack` when it has not.
 *
 * 1. Of one name, one set is out at a time: a `check` waits for the one before it, and after a while takes back what that has not read. So each sender's messages
 *    keep their order, whichever reader fails.
 * 2. What a former leader has offered to a session is given back at that session's first `check` here: its readers' connections ended with that leader.
 */

/**
 * What a client is given that says nothing else. Theirs read once, and that gets what one segment holds: on the loopback half of the window that a new
 * connection has, 32 KiB (of replies of 48 KB one in ten came in two). The others stay for the next `check`.
 */
export const REPLY_BYTES_MAX = 32_000;
/** What a client may ask for by `max_bytes`. */
const ASKED_BYTES = { min: 1024, max: 4 * 1024 * 1024 } as const;
const MESSAGES_MAX = 100;
/** How long a reader may take. */
export const READ_MS = 30_000;
/** How long a `check` waits for the one before it; its client gives up after 5 s. */
const BEFORE_MS = 2_000;
/** Of a reply, around its messages. */
const FRAME_BYTES = 96;

export interface Offered {
  session: IpcSession;
  ids: string[];
}

export interface CheckedMail {
  messages: IpcMessage[];
  /** What is unread besides. */
  remaining: number;
  offered: Offered | undefined;
}

interface Fitting {
  messages: IpcMessage[];
  ids: string[];
}

export class OfferedMail {
  readonly #mail: IpcMail;
  readonly #storeLarge: StoreLarge;
  readonly #clock: Clock;
  /** By name: what is out, and who waits for it. */
  readonly #out = new Map<string, Map<Offered, (() => void)[]>>();
  /** By name: the last `check` that has not been answered. */
  readonly #checks = new Map<string, Promise<unknown>>();
  /** Sessions that have checked here. */
  readonly #seen = new Set<string>();

  constructor(options: { mail: IpcMail; storeLarge: StoreLarge; clock: Clock }) {
    this.#mail = options.mail;
    this.#storeLarge = options.storeLarge;
    this.#clock = options.clock;
  }

  /** `askedBytes`: how long a reply the client says that it can read. */
  async check(session: IpcSession, askedBytes?: unknown): Promise<CheckedMail> {
    const { name } = session;
    const before = this.#checks.get(name) ?? Promise.resolve();
    const checked = before.then(() => this.#check(session, replyBytes(askedBytes) - FRAME_BYTES));
    const settled = checked.catch(() => undefined);
    this.#checks.set(name, settled);
    try {
      return await checked;
    } finally {
      if (this.#checks.get(name) === settled) this.#checks.delete(name);
    }
  }

  async #check(session: IpcSession, bytesMax: number): Promise<CheckedMail> {
    await this.#settleBefore(session);
    const shown = await this.#fetch(session, MESSAGES_MAX, true);
    if (shown.messages.length === 0) return { messages: [], remaining: shown.unread, offered: undefined };
    const { ids } = await this.#fitting(shown.messages, bytesMax);
    const fetched = await this.#fetch(session, ids.length, false);
    const fitting = await this.#fitting(fetched.messages, bytesMax);
    const left = fetched.messages.slice(fitting.ids.length).map(({ id }) => id);
    if (left.length > 0) await this.#mail.perform("mail.nak", session, { as: session.name, ids: left });
    const remaining = fetched.unread + left.length;
    if (fitting.ids.length === 0) return { messages: [], remaining, offered: undefined };
    return { messages: fitting.messages, remaining, offered: this.#noteOut({ session, ids: fitting.ids }) };
  }

  /** The reader has it all. */
  async confirm(offered: Offered): Promise<void> {
    const { session, ids } = offered;
    await this.#settle(offered, () =>
      this.#mail.perform("mail.ack", session, { as: session.name, ids, state: "handled" }),
    );
  }

  /** The reader is gone, or its answer was cut: the next one gets it. */
  async giveBack(offered: Offered): Promise<void> {
    const { session, ids } = offered;
    const reason = "its reader went away before it had read it all";
    await this.#settle(offered, () => this.#mail.perform("mail.nak", session, { as: session.name, ids, reason }));
  }

  #fetch(session: IpcSession, limit: number, peek: boolean): Promise<{ messages: OfferedMessage[]; unread: number }> {
    return this.#mail.perform("mail.fetch", session, {
      as: session.name,
      limit,
      ...(peek ? { peek } : { lease_ms: READ_MS }),
    });
  }

  /** The first ones that `bytesMax` holds; at least one, shortened when it is longer than that. */
  async #fitting(messages: readonly OfferedMessage[], bytesMax: number): Promise<Fitting> {
    const fitting: Fitting = { messages: [], ids: [] };
    let bytes = 0;
    for (const message of messages) {
      const whole = toIpc(message);
      const isLong = pythonDumps(whole).length > bytesMax;
      const each = isLong ? await shorten(whole, message.id, this.#storeLarge) : whole;
      bytes += pythonDumps(each).length + 2;
      if (bytes > bytesMax && fitting.ids.length > 0) break;
      fitting.messages.push(each);
      fitting.ids.push(message.id);
    }
    return fitting;
  }

  #noteOut(offered: Offered): Offered {
    const ofName = this.#out.get(offered.session.name) ?? new Map<Offered, (() => void)[]>();
    ofName.set(offered, []);
    this.#out.set(offered.session.name, ofName);
    return offered;
  }

  async #settle(offered: Offered, settle: () => Promise<unknown>): Promise<void> {
    const ofName = this.#out.get(offered.session.name);
    const waiting = ofName?.get(offered);
    if (waiting === undefined) return;
    try {
      await settle();
    } finally {
      ofName?.delete(offered);
      if (ofName?.size === 0 && this.#out.get(offered.session.name) === ofName) this.#out.delete(offered.session.name);
      for (const goOn of waiting) goOn();
    }
  }

  async #settleBefore(session: IpcSession): Promise<void> {
    if (!this.#seen.has(session.client)) {
      await this.#mail.perform("log.release", session, { client: session.client });
      this.#seen.add(session.client);
    }
    await this.#settlement(session.name);
    for (const unread of [...(this.#out.get(session.name)?.keys() ?? [])]) await this.giveBack(unread);
  }

  /** When nothing of `name` is out any more, or after a while. */
  async #settlement(name: string): Promise<void> {
    const all = [...(this.#out.get(name)?.values() ?? [])];
    if (all.length === 0) return;
    await new Promise<void>((resolve) => {
      let open = all.length;
      const cancel = this.#clock.timer(BEFORE_MS, resolve);
      for (const waiting of all)
        waiting.push(() => {
          open -= 1;
          if (open > 0) return;
          cancel();
          resolve();
        });
    });
  }
}

const replyBytes = (asked: unknown): number =>
  typeof asked === "number" && Number.isInteger(asked)
    ? Math.min(Math.max(asked, ASKED_BYTES.min), ASKED_BYTES.max)
    : REPLY_BYTES_MAX;

const toIpc = (message: OfferedMessage): IpcMessage => ({
  from: message.from,
  to: message.to,
  timestamp: naiveTimestamp(Date.parse(message.sent_at)),
  message: contentOf(message),
});
