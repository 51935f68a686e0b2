/** A word of a command that is proposed, as a POSIX shell takes it: in single quotes, in which nothing is carried out, unless it needs none. */
export const quoteWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
