import { writeFileSync } from "node:fs";
import type { Chromium } from "./chromium.ts";

/** What a camera sees of a terminal that shows a pairing code. */
const QR_ROW = /^(?=.*[█▀▄])[█▀▄ ]+$/;

const qrRows = (terminal: string): string[] => terminal.split("\n").filter((row) => QR_ROW.test(row));

/** A picture of the terminal's rows, drawn with letters as a terminal draws them. */
export async function photograph(browser: Chromium, terminal: string, path: string): Promise<void> {
  const rows = qrRows(terminal);
  const page = `<!doctype html><meta charset="utf-8"><style>body{margin:24px;background:#fff}pre{margin:0;font:16px/19px "DejaVu Sans Mono",monospace;color:#000;background:#fff}</style><pre>${rows.join("\n")}</pre>`;
  const tab = await browser.tab({ width: 700, height: 560 });
  await tab.goto(`data:text/html;base64,${Buffer.from(page).toString("base64")}`);
  await tab.until('document.querySelector("pre")?.textContent.length > 100', "the terminal's picture");
  await tab.screenshot(path);
  await tab.close();
}

const VIDEO = { width: 640, height: 480 };
/** Pixels for each module. */
const SCALE = 8;

/** A film of one frame, of the same: what Chromium takes in the place of a camera (YUV4MPEG2, 4:2:0). */
export function film(terminal: string, path: string): void {
  const { width, height } = VIDEO;
  const modules = modulesOf(terminal);
  const [across, down] = [modules[0]!.length * SCALE, modules.length * SCALE];
  const [left, top] = [Math.floor((width - across) / 2), Math.floor((height - down) / 2)];
  const luma = Buffer.alloc(width * height, 235);
  for (let y = 0; y < down; y++)
    for (let x = 0; x < across; x++)
      if (modules[Math.floor(y / SCALE)]![Math.floor(x / SCALE)]) luma[(top + y) * width + left + x] = 16;
  const chroma = Buffer.alloc((width * height) / 2, 128);
  writeFileSync(
    path,
    Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420mpeg2\nFRAME\n`), luma, chroma]),
  );
}

/** Two rows of modules in each row of letters. */
const modulesOf = (terminal: string): boolean[][] =>
  qrRows(terminal).flatMap((row) => ["█▀", "█▄"].map((halves) => [...row].map((letter) => halves.includes(letter))));
