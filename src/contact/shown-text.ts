/** What steers a terminal, or turns text around: nothing of it is shown of what another end says. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;
const NAME_LENGTH_MAX = 60;
const SENTENCE_LENGTH_MAX = 300;

/** A name, as another end gives it. */
export const shownName = (text: string, otherwise: string): string =>
  text.replace(UNPRINTABLE, "").trim().slice(0, NAME_LENGTH_MAX) || otherwise;

/** A sentence, as another end gives it. */
export const shownSentence = (text: string): string =>
  text.replace(UNPRINTABLE, " ").trim().slice(0, SENTENCE_LENGTH_MAX);
