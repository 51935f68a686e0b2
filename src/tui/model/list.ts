/** Scrolling of a list whose rows are all one line high. */

/** The first shown row, moved as little as needed to show `index`. */
export function scrollToShow(top: number, index: number, rows: number, count: number): number {
  if (index < 0 || rows <= 0) return clampTop(top, rows, count);
  const shown = index < top ? index : index >= top + rows ? index - rows + 1 : top;
  return clampTop(shown, rows, count);
}

export const clampTop = (top: number, rows: number, count: number): number =>
  Math.max(0, Math.min(top, Math.max(0, count - rows)));
