import unicode from "@xterm/addon-unicode11";
import type { IUnicodeVersionProvider, Terminal } from "@xterm/headless";
import { type Core, coreOf } from "./xterm-core.ts";

/**
 * How wide characters are: Unicode 11. A combining character is added to the one that stands left of the cursor, as in other terminals, also when
 * something came between the two; the library would give it a cell of its own, behind the last column even.
 */
const VERSION = "warren-11";
/** A property of no width that joins (UnicodeService.createPropertyValue). */
const JOINS = 1;

export function useWidths(terminal: Terminal): void {
  const widths = unicode11();
  terminal.unicode.register({
    version: VERSION,
    wcwidth: (codePoint) => widths.wcwidth(codePoint),
    charProperties: (codePoint, preceding) => widths.charProperties(codePoint, preceding) || JOINS,
  });
  terminal.unicode.activeVersion = VERSION;
  dropAtLineStart(coreOf(terminal), widths);
}

/** In the first column there is nothing to add it to. */
function dropAtLineStart({ buffers, _inputHandler: handler }: Core, widths: IUnicodeVersionProvider): void {
  const print = handler.print.bind(handler);
  handler.print = (codePoints, start, end) => {
    let from = start;
    if (buffers.active.x === 0) while (from < end && isCombining(codePoints[from]!, widths)) from += 1;
    if (from < end) print(codePoints, from, end);
  };
}

/** The first of them is U+0300. */
const isCombining = (codePoint: number, widths: IUnicodeVersionProvider): boolean =>
  codePoint >= 0x300 && widths.wcwidth(codePoint) === 0;

/** The addon only gives it to a terminal. */
function unicode11(): IUnicodeVersionProvider {
  const given: IUnicodeVersionProvider[] = [];
  const register = (provider: IUnicodeVersionProvider): void => void given.push(provider);
  new unicode.Unicode11Addon().activate({ unicode: { register } } as never);
  return given[0]!;
}
