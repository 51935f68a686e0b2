import { MAIL_TOLD, type Told, toldTalk } from "../../sealing/item.ts";
import type { MailBook } from "./mail-book.ts";
import type { TalkBook, TalkMark } from "./talk-book.ts";

/** All of this home that is told as entries: its mail, and its conversations. The same for all hubs. */
export class ToldStreams {
  readonly #talks: TalkBook;
  readonly #mail: MailBook;

  constructor(talks: TalkBook, mail: MailBook) {
    this.#talks = talks;
    this.#mail = mail;
  }

  /** Undefined before the first look at the conversations. */
  marks(): TalkMark[] | undefined {
    const talks = this.#talks.marks();
    const mail = this.#mail.mark(MAIL_TOLD);
    return talks && mail ? [mail, ...talks] : talks;
  }

  /** What is not there any more has been told to its end. */
  has(session: string): boolean {
    return session === MAIL_TOLD || this.#talks.has(session);
  }

  /** Undefined: it cannot be read now. */
  async read(session: string): Promise<Told | undefined> {
    if (session === MAIL_TOLD) return this.#mail.read();
    const conversation = await this.#talks.read(session);
    return conversation && toldTalk(conversation);
  }
}
