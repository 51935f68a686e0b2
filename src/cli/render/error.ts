import type { WarrenError } from "../../protocol/errors.ts";
import type { Output } from "../output.ts";

/** `✗ sentence`, then the fix, to stderr; without the glyph in a pipe; as one JSON line for programs. */
export function renderError(output: Output, error: WarrenError, json: boolean): void {
  if (json) {
    const { message, code, fix, detail } = error;
    output.errorLine(JSON.stringify({ error: message, code, ...(fix ? { fix } : {}), ...(detail ? { detail } : {}) }));
    return;
  }
  const style = output.errorStyle;
  output.errorLine(`${style.tone("bad", errorMark(output))} ${error.message}`);
  if (error.fix) output.errorLine(style.dim(error.fix));
}

/** What stands before an error's sentence. */
export const errorMark = ({ errorIsTerminal, glyphs }: Pick<Output, "errorIsTerminal" | "glyphs">): string =>
  !errorIsTerminal ? "error:" : glyphs ? "✗" : "x";
