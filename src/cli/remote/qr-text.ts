import encodeQR from "qr";

/**
 * A QR code for a terminal: two modules in each character, black on white whatever the theme is, since not every camera takes an inverted one. The
 * colours are said even where NO_COLOR asks for none: without them it is no picture.
 */
const BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m";
const RESET = "\x1b[0m";
/** Modules of white around it; the norm wants 4, and cameras take 2. */
const BORDER = 2;

/** @param text capitals, digits and ` $%*+-./:`, which take the least room; anything else is taken too. */
export function qrLines(text: string): string[] {
  const modules = encodeQR(text, "raw", { ecc: "low", border: BORDER });
  const lines: string[] = [];
  for (let row = 0; row < modules.length; row += 2) {
    const [upper, lower] = [modules[row]!, modules[row + 1] ?? []];
    const cells = upper.map((isDark, column) => half(isDark, lower[column] === true));
    lines.push(`${BLACK_ON_WHITE}${cells.join("")}${RESET}`);
  }
  return lines;
}

const half = (upper: boolean, lower: boolean): string => (upper ? (lower ? "█" : "▀") : lower ? "▄" : " ");

/** How many columns and rows it takes. */
export const qrSize = (lines: readonly string[]): { columns: number; rows: number } => ({
  columns: (lines[0]?.length ?? 0) - BLACK_ON_WHITE.length - RESET.length,
  rows: lines.length,
});
