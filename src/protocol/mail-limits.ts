/** Limits of the mailbox that whoever asks it should know. Larger values are refused. */

/** A message's life, by default and at most; unread after that, it is expired. */
export const MAIL_LIFE_MS = 7 * 24 * 3_600_000;
/** Messages of one page of its history. */
export const MAIL_PAGE_MAX = 500;
/** Characters of an id that a sender chose. */
export const MAIL_ID_CHARACTERS_MAX = 128;
