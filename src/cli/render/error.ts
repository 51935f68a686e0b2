import type { WarrenError } from "../../protocol/errors.ts";
import type { Output } from "../output.ts";

/** `✗ sentence`, then the fix, to stderr; as one JSON line for programs. */
export function renderError(output: Output, error: WarrenError, json: boolean): void {
  if (json) {
    const { message, code, fix, detail } = error;
    output.errorLine(JSON.stringify({ error: message, code, ...(fix ? { fix } : {}), ...(detail ? { detail } : {}) }));
    return;
  }
  const style = output.errorStyle;
  const mark = output.glyphs ? "✗" : "x";
  output.errorLine(`${style.tone("bad", mark)} ${error.message}`);
  if (error.fix) output.errorLine(style.dim(error.fix));
}
