import { formatDuration } from "../../protocol/durations.ts";
import type { Output } from "../output.ts";

/** One line on the terminal while something is waited for: what, for how long, and how long it usually takes. Erased at the end. */
export interface WaitLine {
  erase(): void;
}

export interface WaitLineOptions {
  what: string;
  expectedMs: number | undefined;
  /** Milliseconds of any clock that does not go back. */
  nowMs?: () => number;
}

/** Short waits show nothing. */
const SHOW_AFTER_MS = 300;
const REFRESH_MS = 1_000;
const ERASE = "\r\x1b[K";

export function showWait(
  output: Output,
  { what, expectedMs, nowMs = () => performance.now() }: WaitLineOptions,
): WaitLine {
  if (!output.errorIsTerminal || !output.isTerminal) return { erase() {} };
  const startMs = nowMs();
  let timer: NodeJS.Timeout | undefined;
  let shown = false;
  const draw = (): void => {
    const expected = expectedMs === undefined ? "" : ` of about ${formatDuration(expectedMs)}`;
    const text = `… ${what} (${formatDuration(nowMs() - startMs)}${expected})`;
    void output.bytes("stderr", `${ERASE}${output.errorStyle.dim(text.slice(0, output.columnCount - 1))}`);
    shown = true;
    timer = setTimeout(draw, REFRESH_MS);
    timer.unref();
  };
  timer = setTimeout(draw, SHOW_AFTER_MS);
  timer.unref();
  return {
    erase() {
      clearTimeout(timer);
      if (shown) void output.bytes("stderr", ERASE);
      shown = false;
    },
  };
}
