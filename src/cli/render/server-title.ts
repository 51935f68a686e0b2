import type { Output } from "../output.ts";

/** `🔥 blazing`; the name alone where icons are not wanted or nobody looks. */
export const serverTitle = (output: Output, { icon, name }: { icon: string; name: string }): string =>
  output.isTerminal && output.glyphs ? `${icon} ${output.style.bold(name)}` : output.style.bold(name);
