import { graphemes, graphemeWidth, isPlainAscii, widthOf } from "./width.ts";

/** Text in rows of at most `columns`, broken at blanks where that leaves more than half of a row. Nothing is left out. */
export function wrapRows(text: string, columns: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, Math.max(2, columns)));
}

function wrapLine(line: string, columns: number): string[] {
  if (line.length <= columns && isPlainAscii(line)) return [line];
  const rows: string[] = [];
  let row = "";
  let width = 0;
  for (const grapheme of isPlainAscii(line) ? line : graphemes(line)) {
    const more = graphemeWidth(grapheme);
    if (width + more > columns) {
      const blank = grapheme === " " ? -1 : row.lastIndexOf(" ");
      const cut = blank > row.length / 2 ? blank + 1 : row.length;
      rows.push(row.slice(0, cut));
      row = row.slice(cut);
      width = widthOf(row);
    }
    row += grapheme;
    width += more;
  }
  return [...rows, row];
}
