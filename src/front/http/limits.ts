/** What a message may take (docs/gateway.md, Limits). Reached: 431 for a request, 502 for an answer, unless it says otherwise. */

/** From the start line to the empty line. */
export const HEAD_BYTES_MAX = 64 * 1024;
export const FIELDS_MAX = 100;
/** 414. */
export const TARGET_BYTES_MAX = 8 * 1024;
/** RFC 9110 §9.1 knows none as long; 400. */
export const METHOD_CHARS_MAX = 20;
/** Of one chunk; 400. */
export const CHUNK_EXTENSION_BYTES_MAX = 256;
/** Digits of a chunk's size: 4 GiB; 400. */
export const CHUNK_SIZE_DIGITS_MAX = 8;
/** Of one body; 400. */
export const TRAILER_BYTES_MAX = 4 * 1024;
/** Digits of a length: below 2^53, so that it is exact; 400. */
export const LENGTH_DIGITS_MAX = 15;
/** A request that has come through us more often goes in circles; 508. */
export const HOPS_MAX = 10;
