import { formatDuration } from "../../protocol/durations.ts";
import type { Context } from "../context.ts";
import { qrLines, qrSize } from "./qr-text.ts";

/** A pairing code on the terminal, and how long it still lives. */

const ERASE = "\r\x1b[K";

export interface ShownCode {
  link: string;
  qr: string;
  /** The hub's: the device shows it too, and asks to compare. */
  fingerprint: string;
  /** Only this machine's own browsers can open its address. */
  isLocal: boolean;
}

export function showCode({ output }: Context, { link, qr, fingerprint, isLocal }: ShownCode): void {
  output.line(link);
  if (!output.isTerminal) return;
  output.line(`  fingerprint  ${fingerprint}`);
  if (isLocal) output.line(output.style.dim("Only this machine's own browsers can open that address."));
  // Last, so that it stands whole in 24 rows, with the line that counts below it.
  const picture = qrLines(qr);
  if (qrSize(picture).columns <= output.columnCount) for (const line of picture) output.line(line);
  else output.line(output.style.dim("The QR code needs a wider window; the link does as well."));
}

/** What is left, each second, on one line. */
export function startCountdown(
  { output, nowMs }: Context,
  { untilMs, isJson }: { untilMs: number; isJson: boolean },
): { stop(): void } {
  if (isJson || !output.isTerminal) return { stop() {} };
  let isShown = false;
  const draw = (): void => {
    const left = formatDuration(Math.max(0, Math.round((untilMs - nowMs()) / 1_000)) * 1_000);
    void output.bytes(
      "stdout",
      `${ERASE}${output.style.dim(`Waiting for a device, ${left} left. Ctrl-C forgets the code.`)}`,
    );
    isShown = true;
  };
  draw();
  const timer = setInterval(draw, 1_000);
  return {
    stop() {
      clearInterval(timer);
      if (isShown) void output.bytes("stdout", ERASE);
      isShown = false;
    },
  };
}
