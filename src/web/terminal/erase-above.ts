import type { Terminal } from "@xterm/xterm";

/** What xterm.js has no public name for. */
interface Core {
  _core: { _inputHandler: { eraseInDisplay(params: { params: number[] }, isSelective: boolean): boolean } };
}

const ABOVE = 1;
const ALL = 2;

/**
 * "Erase everything up to the cursor" (ED 1) with the cursor in the last cell of the screen, which is the whole screen. xterm.js 6.0.0 throws there while
 * no line has scrolled off, and shows nothing that comes after.
 */
export function mendErasing(terminal: Terminal): void {
  const { _core } = terminal as unknown as Core;
  const erase = (isSelective: boolean, mode: number | number[] | undefined): boolean => {
    const { cursorX, cursorY } = terminal.buffer.active;
    if (mode !== ABOVE || cursorY < terminal.rows - 1 || cursorX < terminal.cols - 1) return false;
    return _core._inputHandler.eraseInDisplay({ params: [ALL] }, isSelective);
  };
  terminal.parser.registerCsiHandler({ final: "J" }, ([mode]) => erase(false, mode));
  terminal.parser.registerCsiHandler({ prefix: "?", final: "J" }, ([mode]) => erase(true, mode));
}
