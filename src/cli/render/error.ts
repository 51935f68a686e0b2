import type { WarrenError } from "../../protocol/errors.ts";
import { type Output, typed } from "../output.ts";

/** Of the way to another machine, and of this command line: what mends it is typed as it stands. */
const OF_THIS_END = /^(USAGE|REMOTE_NOT_POSSIBLE|CONNECTION_LOST|(MACHINE|DEVICE|HUB|PAIRING|OUTBOX|ITEM)_)/;

/** `✗ sentence`, then the fix, to stderr; without the glyph in a pipe; as one JSON line for programs. */
export function renderError(output: Output, error: WarrenError, json: boolean): void {
  const { message, code, detail } = error;
  const fix = error.fix !== undefined && !OF_THIS_END.test(code) ? typed(output, error.fix) : error.fix;
  if (json) {
    output.errorLine(JSON.stringify({ error: message, code, ...(fix ? { fix } : {}), ...(detail ? { detail } : {}) }));
    return;
  }
  const style = output.errorStyle;
  output.errorLine(`${style.tone("bad", errorMark(output))} ${message}`);
  if (fix) output.errorLine(style.dim(fix));
}

/** What stands before an error's sentence. */
export const errorMark = ({ errorIsTerminal, glyphs }: Pick<Output, "errorIsTerminal" | "glyphs">): string =>
  !errorIsTerminal ? "error:" : glyphs ? "✗" : "x";
