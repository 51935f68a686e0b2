/**
 * "Erase everything up to the cursor" (ED 1) with the cursor in the last cell of the screen. xterm.js 6.0.0 throws there when no line is below in its
 * buffer, as on an alternate screen that has been made smaller, and shows nothing that comes after. There, it is the whole screen.
 */
interface Erasing {
  readonly cols: number;
  readonly rows: number;
  readonly buffer: { readonly active: { readonly cursorX: number; readonly cursorY: number } };
  readonly parser: {
    registerCsiHandler(
      id: { prefix?: string; final: string },
      callback: (params: (number | number[])[]) => boolean,
    ): unknown;
  };
}

/** What xterm.js has no public name for. */
interface Core {
  _core: { _inputHandler: { eraseInDisplay(params: { params: number[] }, isSelective: boolean): boolean } };
}

const ABOVE = 1;
const ALL = 2;

export function mendErasing(terminal: Erasing): void {
  const { _core } = terminal as unknown as Core;
  const erase = (isSelective: boolean, mode: number | number[] | undefined): boolean => {
    const { cursorX, cursorY } = terminal.buffer.active;
    if (mode !== ABOVE || cursorY < terminal.rows - 1 || cursorX < terminal.cols - 1) return false;
    return _core._inputHandler.eraseInDisplay({ params: [ALL] }, isSelective);
  };
  terminal.parser.registerCsiHandler({ final: "J" }, ([mode]) => erase(false, mode));
  terminal.parser.registerCsiHandler({ prefix: "?", final: "J" }, ([mode]) => erase(true, mode));
}
