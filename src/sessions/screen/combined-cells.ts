import type { Core, Line } from "./xterm-core.ts";

/** Lines of all emulators have one prototype. */
let isMended = false;

/**
 * Characters of several code points, when lines are broken anew. The library copies the cells and keeps those characters beside them, by their columns;
 * it reads them while it writes them when a line moves within itself, and takes along those behind the cells that it copies.
 */
export function keepCombinedCells({ buffers }: Core): void {
  const line = buffers.normal.lines.get(0);
  if (isMended || !line) return;
  isMended = true;
  const prototype = Object.getPrototypeOf(line) as Line;
  const { copyCellsFrom } = prototype;
  prototype.copyCellsFrom = function (source, from, to, count, inReverse) {
    const sources = Object.entries(source._combined);
    const kept = { ...this._combined };
    copyCellsFrom.call(this, source, from, to, count, inReverse);
    for (const [column, chars] of sources) {
      const at = Number(column) - from;
      if (at >= 0 && at < count) kept[to + at] = chars;
    }
    this._combined = kept;
  };
}
