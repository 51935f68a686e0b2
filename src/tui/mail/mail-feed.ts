import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Client } from "../../client/client.ts";
import type { SubscriptionItem } from "../../client/subscription.ts";
import { dialMailbox, type Introduction } from "../../local/mail-link.ts";
import type { Build } from "../../platform/build.ts";
import type { Places } from "../../platform/paths.ts";
import { cutText } from "../../protocol/cut-text.ts";
import { MAIL_LINE_BYTES_MAX } from "../../protocol/envelope.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { MailMessage, Participant, Receipt } from "../../protocol/mail-units.ts";
import { BODY_CHARACTERS_MAX, type MailEntry, type MailNews } from "../model/mail.ts";
import type { Action } from "../model/model.ts";
import { leaderMayBeThere } from "./news-of-leaders.ts";

/**
 * The mail, kept fresh while its screen is open: a connection to the leader of its own, which follows the stream `mail` and those of the participants (their receipts).
 * What is heard says that something has happened; how it is then is read. It starts no leader, unless the user asks for something, and finds the next one when one dies.
 *
 * Invariants
 * 1. One look at a time, and a pause between two, so that a flood costs a few looks a second and no memory.
 * 2. After `leave` nothing is connected: an open screen elsewhere keeps no mailbox alive.
 */
const GATHER_MS = 30;
const PAUSE_MS = 150;
/** Messages that are read at each look. */
const LOOK_COUNT = 100;
/** Streams of participants that are followed; of the others a receipt is seen with the next message. */
const STREAMS_MAX = 200;

type Look = "participants" | "traffic" | "status";

export interface MailFeedOptions {
  places: Places;
  build: Build;
  env: Readonly<NodeJS.ProcessEnv>;
  me: string;
  dispatch: (action: Action) => void;
  signal: AbortSignal;
}

export class MailFeed {
  readonly #options: MailFeedOptions;
  #open: OpenMail | undefined;

  constructor(options: MailFeedOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.leave(), { once: true });
  }

  /** Shows the messages of this participant, or all. */
  watch(withName: string | null): void {
    this.#open ??= new OpenMail(this.#options);
    this.#open.watch(withName);
  }

  leave(): void {
    this.#open?.close();
    this.#open = undefined;
  }

  /** For what the user asks for: a leader is started when there is none. Undefined while the screen is closed. */
  demand(): Client | undefined {
    return this.#open?.demand();
  }
}

class OpenMail {
  readonly #options: MailFeedOptions;
  readonly #client: Client;
  readonly #closing = new AbortController();
  readonly #wanted = new Set<Look>();
  #following = new AbortController();
  #woken = new AbortController();
  #withName: string | null = null;
  #streams: readonly string[] = ["mail"];
  #epoch: number | undefined;
  #mayStart = false;
  #isLooking = false;
  #timer: NodeJS.Timeout | undefined;
  #key: string | undefined;

  constructor(options: MailFeedOptions) {
    this.#options = options;
    const { build, places, env } = options;
    const common = { places, build, env, isPerson: !env.WARREN_SESSION, clientId: crypto.randomUUID() };
    const introduce = (): Introduction[] =>
      this.#key === undefined ? [] : [{ type: "mail.register", payload: { name: options.me, key: this.#key } }];
    const dial = {
      start: dialMailbox({ ...common, mode: "start", introduce }),
      find: dialMailbox({ ...common, mode: "find", introduce }),
    };
    this.#client = new Client({
      name: "warren-tui",
      version: build.version,
      randomId: () => crypto.randomUUID(),
      lineBytesMax: MAIL_LINE_BYTES_MAX,
      dial: async (events) => {
        const wire = await dial[this.#mayStart ? "start" : "find"](events);
        this.#mayStart = false;
        return wire;
      },
    });
    void this.#run();
  }

  watch(withName: string | null): void {
    this.#withName = withName;
    this.#want("traffic");
  }

  demand(): Client {
    this.#mayStart = true;
    this.#woken.abort();
    return this.#client;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#closing.abort();
    this.#client.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    this.#key = await this.#readKey();
    while (!signal.aborted) {
      try {
        await this.#follow();
      } catch (error) {
        if (signal.aborted) return;
        this.#tellLost(error);
        this.#woken = new AbortController();
        await leaderMayBeThere(this.#options.places, AbortSignal.any([signal, this.#woken.signal]));
      }
    }
  }

  /** Until the streams to follow are others. */
  async #follow(): Promise<void> {
    this.#following = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, this.#following.signal]);
    for await (const item of this.#client.subscribe({ streams: [...this.#streams] }, signal)) this.#heard(item);
  }

  #tellLost(error: unknown): void {
    const isNobody = isWarrenError(error, "NO_LEADER");
    const hasMail = existsSync(this.#options.places.mailLock);
    this.#tell({ kind: "state", state: isNobody ? (hasMail ? "nobody" : "never") : "lost" });
    if (!isNobody) this.#options.dispatch({ type: "failed", text: messageOf(error) });
  }

  #heard(item: SubscriptionItem): void {
    if (item.kind === "snapshot") {
      if (item.stream !== "mail") return;
      this.#tell({ kind: "state", state: "live" });
      this.#tellLeader(item.snapshot as { epoch?: number; leader?: { pid?: number } });
      return this.#want("participants", "traffic", "status");
    }
    switch (item.event.event) {
      case "leader_changed":
        this.#tellLeader(item.event.data as { leader?: { pid?: number; epoch?: number } });
        return this.#want("status");
      case "member_joined":
      case "member_left":
        return this.#want("status");
      case "participant_changed":
        return this.#want("participants");
      default:
        return this.#want("participants", "traffic");
    }
  }

  #tellLeader({ epoch: own, leader }: { epoch?: number; leader?: { pid?: number; epoch?: number } }): void {
    const epoch = leader?.epoch ?? own;
    if (epoch === undefined || epoch === this.#epoch) return;
    if (this.#epoch !== undefined) this.#tell({ kind: "led", pid: leader?.pid, epoch });
    this.#epoch = epoch;
  }

  #want(...looks: Look[]): void {
    for (const look of looks) this.#wanted.add(look);
    if (!this.#isLooking) this.#lookIn(GATHER_MS);
  }

  #lookIn(delayMs: number): void {
    this.#isLooking = true;
    this.#timer = setTimeout(() => void this.#look(), delayMs);
  }

  /** A leader that is gone is told of by the stream; what was known stays. */
  async #look(): Promise<void> {
    const wanted = [...this.#wanted];
    this.#wanted.clear();
    await Promise.allSettled(wanted.map((look) => this.#lookAt(look)));
    if (this.#closing.signal.aborted) return;
    this.#isLooking = false;
    if (this.#wanted.size > 0) this.#lookIn(PAUSE_MS);
  }

  async #lookAt(look: Look): Promise<void> {
    const { signal } = this.#closing;
    const { me } = this.#options;
    switch (look) {
      case "status": {
        const { leader, members } = (await this.#client.request("mail.status", {}, { signal })).status;
        return this.#tell({ kind: "status", status: { leader, members } });
      }
      case "participants": {
        const { participants } = await this.#client.request("mail.list", {}, { signal });
        this.#followStreamsOf(participants);
        return this.#tell({ kind: "participants", participants });
      }
      case "traffic": {
        const withName = this.#withName;
        const asked = { as: me, limit: LOOK_COUNT, ...(withName === null ? {} : { with: withName }) };
        const { messages, has_more } = await this.#client.request("mail.history", asked, { signal });
        const entries = messages.map(entryOf).toReversed();
        return this.#tell({ kind: "traffic", withName, entries, hasOlder: has_more });
      }
    }
  }

  #followStreamsOf(participants: readonly Participant[]): void {
    const seen = participants.toSorted((a, b) => (b.last_seen ?? "").localeCompare(a.last_seen ?? ""));
    const names = seen.slice(0, STREAMS_MAX).map(({ name }) => name);
    const streams = ["mail", ...names.sort().map((name) => `mail/${name}`)];
    if (streams.join() === this.#streams.join()) return;
    this.#streams = streams;
    this.#following.abort();
  }

  #tell(news: MailNews): void {
    if (!this.#closing.signal.aborted) this.#options.dispatch({ type: "mail", news });
  }

  /** Of a name that belongs to a key; without it what is asked in that name is refused, which is said then. */
  async #readKey(): Promise<string | undefined> {
    const file = this.#options.env.WARREN_MAIL_KEY_FILE;
    if (!file) return undefined;
    try {
      return (await readFile(file, "utf8")).trim() || undefined;
    } catch (error) {
      this.#options.dispatch({ type: "failed", text: `The key file cannot be read: ${messageOf(error)}` });
      return undefined;
    }
  }
}

function entryOf({ message, receipts }: { message: MailMessage; receipts: readonly Receipt[] }): MailEntry {
  const { data, ...rest } = message;
  const isLong = message.body.length > BODY_CHARACTERS_MAX;
  const body = cutText(message.body, BODY_CHARACTERS_MAX);
  return { message: { ...rest, body }, isCut: isLong || data !== undefined, receipts };
}
