import { toHex, utf8 } from "../../sealing/bytes.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import type { Told } from "../../sealing/item.ts";
import { MAIL_MESSAGES_MAX, type MailItem, mailItemOf } from "../../sealing/mail-item.ts";
import type { RemoteStore } from "../store.ts";
import { Kept } from "./kept.ts";
import type { MailLook } from "./mail-watch.ts";
import type { TalkMark } from "./talk-book.ts";

/**
 * The person's mail of this home as it is to be told, the same for all hubs. A mailbox numbers its messages, and not what becomes of them; so each change of
 * what is told of a message gets a number here, higher than all before: that is on disk before anything of it is sealed, and so nothing is told twice.
 *
 * Numbers are at least the wall clock in ms: a home that was restored from a backup repeats none.
 */
export interface MailBookOptions {
  store: RemoteStore;
  crypto: SealingCrypto;
  nowMs: () => number;
}

interface MailFile {
  format: 1;
  oldest_reader: 1;
  /** The last number that was given. */
  seq: number;
  /** By the message's place in the mailbox: its last change, and the hash of what was told. */
  told: Record<string, { seq: number; hash: string }>;
}

const FILE = "mail.json";
const EMPTY: MailFile = { format: 1, oldest_reader: 1, seq: 0, told: {} };

export class MailBook {
  readonly #options: MailBookOptions;
  readonly #file: Kept<MailFile>;
  /** The last look with the numbers of its changes: set as one, since it is read while the next one is being written down. */
  #told: Told<MailItem> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  static async open(options: MailBookOptions): Promise<MailBook> {
    const text = await options.store.read(FILE);
    return new MailBook(options, (text && readFile(text)) || EMPTY);
  }

  private constructor(options: MailBookOptions, file: MailFile) {
    this.#options = options;
    this.#file = new Kept(options.store, FILE, file);
  }

  /** How the mailbox is now. True, once it is on disk: something of it is another. */
  put(look: MailLook): Promise<boolean> {
    const work = this.#last.then(() => this.#put(look));
    this.#last = work.catch(() => {});
    return work;
  }

  /** Undefined before the first look, and where there is no mail. */
  mark(session: string): TalkMark | undefined {
    return this.#told?.entries.length ? { session, mark: String(this.#told.seq) } : undefined;
  }

  read(): Told<MailItem> | undefined {
    return this.#told;
  }

  close(): void {
    this.#file.close();
  }

  async #put(look: MailLook): Promise<boolean> {
    const items = look
      .map(({ message, receipts }) => mailItemOf(message, receipts, 0))
      .sort((a, b) => a.message.seq - b.message.seq)
      .slice(-MAIL_MESSAGES_MAX);
    const hashes = new Map<string, string>();
    for (const item of items) hashes.set(item.id, await this.#hashOf(item));
    const isChanged = await this.#file.change((draft) => tell(draft, hashes, this.#options.nowMs()));
    const isFirst = this.#told === undefined;
    const { seq, told } = this.#file.now;
    const entries = items.flatMap((item): [number, MailItem][] => {
      const known = told[item.id];
      return known && known.hash === hashes.get(item.id) ? [[item.message.seq, { ...item, seq: known.seq }]] : [];
    });
    this.#told = { seq, state: "idle", entries };
    return isChanged || isFirst;
  }

  async #hashOf(item: MailItem): Promise<string> {
    const hash = await this.#options.crypto.sha256(utf8(JSON.stringify(item)));
    return toHex(hash.subarray(0, 16));
  }
}

/** Numbers what is another than what was told, in the order of the messages. */
function tell(draft: MailFile, hashes: ReadonlyMap<string, string>, nowMs: number): boolean {
  const before = draft.told;
  let isChanged = false;
  draft.told = {};
  for (const [id, hash] of hashes) {
    const known = before[id];
    if (known?.hash === hash) {
      draft.told[id] = known;
      continue;
    }
    draft.seq = Math.max(draft.seq + 1, nowMs);
    draft.told[id] = { seq: draft.seq, hash };
    isChanged = true;
  }
  return isChanged;
}

/** Undefined: it is none, or of a newer Warren. What is there is told once more then, and changes nothing. */
function readFile(text: string): MailFile | undefined {
  try {
    const value = JSON.parse(text) as MailFile;
    const isOurs = value.oldest_reader === 1 && Number.isSafeInteger(value.seq) && typeof value.told === "object";
    return isOurs && value.told !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
