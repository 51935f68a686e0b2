/** FNV-1a, 64 bits: the same number for the same text, for names that a repeat finds again. Not for secrets. */
export function hash64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

/** 16 hex digits, the same for the same text: a source of input to the keeper. */
export const sourceFor = (text: string): string => hash64(text).toString(16).padStart(16, "0");
