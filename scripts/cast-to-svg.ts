import xterm, { type IBufferCell, type Terminal } from "@xterm/headless";

/**
 * Draws an asciinema recording (asciicast v2) as one SVG file that plays by itself, for a page that can show nothing but pictures. Each line that is
 * ever shown is drawn once and used wherever it stands; the frames lie side by side behind a window that jumps from one to the next.
 */
export interface SvgOptions {
  /** Events that are closer together are one frame. Milliseconds. */
  frameMs: number;
  /** How long the last frame stays. Milliseconds. */
  restMs: number;
}

interface Frame {
  atMs: number;
  rows: string[];
}

const CHAR = { width: 8.4, height: 18, size: 14 };
const MARGIN = 14;
/** The 16 colours of a dark terminal: readable, and of equal weight. */
const COLOURS = [
  "#3b4252", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4",
  "#7f8797", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#ffffff",
]; // biome-ignore format: a table

export async function castToSvg(cast: string, { frameMs, restMs }: SvgOptions): Promise<string> {
  const [head = "{}", ...lines] = cast.trimEnd().split("\n");
  const { width, height } = JSON.parse(head) as { width: number; height: number };
  const terminal = new xterm.Terminal({ cols: width, rows: height, allowProposedApi: true, scrollback: 0 });
  const events = lines.map((line) => JSON.parse(line) as [number, string, string]).filter(([, kind]) => kind === "o");
  const frames: Frame[] = [];
  for (const [at, [seconds, , text]] of events.entries()) {
    await new Promise<void>((resolve) => terminal.write(text, resolve));
    const nextMs = (events[at + 1]?.[0] ?? Number.POSITIVE_INFINITY) * 1000;
    if (nextMs - seconds * 1000 < frameMs) continue;
    frames.push({ atMs: seconds * 1000, rows: rowsOf(terminal) });
  }
  return draw(frames, { width, height }, (frames.at(-1)?.atMs ?? 0) + restMs);
}

function draw(frames: readonly Frame[], size: { width: number; height: number }, totalMs: number): string {
  const ids = new Map<string, number>();
  for (const { rows } of frames) for (const row of rows) if (row !== "" && !ids.has(row)) ids.set(row, ids.size);
  const width = Math.ceil(size.width * CHAR.width) + 2 * MARGIN;
  const height = size.height * CHAR.height + 2 * MARGIN;
  const steps = frames.map(({ atMs }, at) => {
    const percent = at === 0 ? 0 : (100 * atMs) / totalMs;
    return `${percent.toFixed(3)}%{transform:translateX(${-at * width}px)}`;
  });
  const pictures = frames.map(({ rows }, at) => {
    const used = rows.flatMap((row, y) =>
      row === "" ? [] : [`<use href="#r${ids.get(row)}" y="${MARGIN + (y + 0.78) * CHAR.height}"/>`],
    );
    return `<g transform="translate(${at * width + MARGIN})">${used.join("")}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Warren in a terminal">`,
    "<style>",
    `text{font:${CHAR.size}px ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",Consolas,monospace;fill:#c8ccd4;white-space:pre}`,
    ".b{font-weight:700}.d{opacity:.6}",
    `.f{animation:f ${(totalMs / 1000).toFixed(2)}s step-end infinite}`,
    `@keyframes f{${steps.join("")}}`,
    "@media(prefers-reduced-motion:reduce){.f{animation:none;transform:translateX(" +
      -(frames.length - 1) * width +
      "px)}}",
    "</style>",
    `<rect width="${width}" height="${height}" rx="8" fill="#1b1e25"/>`,
    `<defs>${[...ids].map(([row, id]) => `<g id="r${id}">${row}</g>`).join("\n")}</defs>`,
    `<g class="f">${pictures.join("\n")}</g>`,
    "</svg>\n",
  ].join("\n");
}

/** Each row as SVG text: a run for each look, placed by its column, so that no font can shift it. Empty for a blank one. */
function rowsOf(terminal: Terminal): string[] {
  const { active } = terminal.buffer;
  return Array.from({ length: terminal.rows }, (_, y) => {
    const line = active.getLine(active.baseY + y);
    const runs: { column: number; text: string; look: string }[] = [];
    for (let column = 0; column < terminal.cols; column++) {
      const cell = line?.getCell(column);
      if (!cell || cell.getWidth() === 0) continue;
      const text = cell.getChars() || " ";
      const look = lookOf(cell);
      const last = runs.at(-1);
      const isPlain = cell.getWidth() === 1 && /^[\x20-\x7e]$/.test(text);
      if (last && isPlain && last.look === look && last.column + last.text.length === column) last.text += text;
      else runs.push({ column, text, look });
    }
    return runs
      .filter(({ text }) => text.trim() !== "")
      .map(
        ({ column, text, look }) =>
          `<text x="${(column * CHAR.width).toFixed(1)}"${look}>${escaped(text.trimEnd())}</text>`,
      )
      .join("");
  });
}

function lookOf(cell: IBufferCell): string {
  const classes = [...(cell.isBold() ? ["b"] : []), ...(cell.isDim() ? ["d"] : [])];
  const index = cell.isFgPalette() ? COLOURS[cell.getFgColor()] : undefined;
  const rgb = cell.isFgRGB() ? `#${cell.getFgColor().toString(16).padStart(6, "0")}` : undefined;
  const colour = rgb ?? index;
  return (classes.length > 0 ? ` class="${classes.join(" ")}"` : "") + (colour ? ` style="fill:${colour}"` : "");
}

const escaped = (text: string): string =>
  text.replace(/[&<>]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[character] ?? character);
