import unicode from "@xterm/addon-unicode11";
import type { IUnicodeVersionProvider, Terminal } from "@xterm/headless";

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
}

/** The addon only gives it to a terminal. */
function unicode11(): IUnicodeVersionProvider {
  const given: IUnicodeVersionProvider[] = [];
  const register = (provider: IUnicodeVersionProvider): void => void given.push(provider);
  new unicode.Unicode11Addon().activate({ unicode: { register } } as never);
  return given[0]!;
}
