import { quoteWord } from "../protocol/quote-word.ts";

/** A command line for a shell of the other end, whatever is in the words. */
export const shellCommand = (words: readonly string[]): string => words.map(quoteWord).join(" ");

/** For rsync's `-e` (rsync(1)): split at blanks, quotes hold together, a doubled quote is one. */
export const rsyncShell = (words: readonly string[]): string =>
  words.map((word) => (/[\s"']/.test(word) ? `"${word.replaceAll('"', '""')}"` : word)).join(" ");
