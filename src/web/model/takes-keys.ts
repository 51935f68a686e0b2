/** A question takes no key in its first moment, nor where it has just been left alone: who pressed it may have meant the one that stood there before. */
export const TAKES_KEYS_AFTER_MS = 500;
