import encodeQR from "qr";

/** A QR code as one path of an SVG, a module a unit, with its quiet zone around it. A chunk of its own. */
export interface QrPath {
  /** Units of a side. */
  size: number;
  path: string;
}

/** Modules of white around it, as the norm wants. */
const BORDER = 4;

export function qrPath(text: string): QrPath {
  const modules = encodeQR(text, "raw", { ecc: "low", border: BORDER });
  return { size: modules.length, path: modules.flatMap(runsOf).join("") };
}

/** Dark modules in a row are one rectangle. */
function runsOf(row: readonly boolean[], y: number): string[] {
  const runs: string[] = [];
  for (let x = 0; x < row.length; x++) {
    if (!row[x]) continue;
    let width = 1;
    while (row[x + width]) width++;
    runs.push(`M${x} ${y}h${width}v1h-${width}z`);
    x += width;
  }
  return runs;
}
