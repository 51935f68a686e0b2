/**
 * What was typed into prompt lines and is not sent, by whom it is for: it is there when the person comes back to it. It ends with the page.
 *
 * 1. While one is being sent it can be typed on, and is not sent a second time.
 * 2. What was sent goes from it, and nothing that was typed since.
 */
export interface Draft {
  text: string;
  isSending: boolean;
}

/** Drafts kept, and their characters together; past either the one that was changed longest ago goes. */
const DRAFT_COUNT_MAX = 50;
const DRAFT_CHARS_MAX = 1_000_000;

const NOTHING: Draft = { text: "", isSending: false };

export class Drafts {
  /** The one that was changed last is the last. */
  readonly #drafts = new Map<string, Draft>();
  readonly #listeners = new Set<() => void>();

  get(key: string): Draft {
    return this.#drafts.get(key) ?? NOTHING;
  }

  /** Told at once: a field that is given its text later loses the place of its cursor. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  write(key: string, text: string): void {
    this.#set(key, { ...this.get(key), text });
  }

  /** @param say resolves with whether it is said, or kept */
  async send(key: string, say: (text: string) => Promise<boolean>): Promise<void> {
    const { text: sent, isSending } = this.get(key);
    if (isSending || sent.trim() === "") return;
    this.#set(key, { text: sent, isSending: true });
    const isSent = await say(sent);
    const { text } = this.get(key);
    this.#set(key, { text: isSent ? unsent(text, sent) : text, isSending: false });
  }

  #set(key: string, draft: Draft): void {
    this.#drafts.delete(key);
    if (draft.text !== "" || draft.isSending) this.#drafts.set(key, draft);
    this.#dropOldest();
    for (const listener of [...this.#listeners]) listener();
  }

  #dropOldest(): void {
    let chars = [...this.#drafts.values()].reduce((sum, { text }) => sum + text.length, 0);
    for (const [key, { text }] of this.#drafts) {
      const { size } = this.#drafts;
      if (size === 1 || (size <= DRAFT_COUNT_MAX && chars <= DRAFT_CHARS_MAX)) return;
      this.#drafts.delete(key);
      chars -= text.length;
    }
  }
}

/** What is left of a text, once a part of it that stood there was sent. */
export const unsent = (now: string, sent: string): string => (now.startsWith(sent) ? now.slice(sent.length) : now);
