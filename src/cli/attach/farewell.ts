import { EXIT, exitStatusOf, type Outcome } from "../../protocol/outcome.ts";
import type { Context } from "../context.ts";
import { typed } from "../output.ts";
import { type AttachEnd, END_SIGNALS } from "./attachment.ts";

/** What stands on the terminal afterwards: one line, and what to type next. */
export interface LeftSession {
  icon: string;
  name: string;
}

export function sayFarewell({ output }: Pick<Context, "output">, session: LeftSession, end: AttachEnd): void {
  const { style } = output;
  const title = output.glyphs ? `${session.icon} ${style.bold(session.name)}` : style.bold(session.name);
  if (end.kind !== "ended") {
    output.line(`[detached from ${title}: it goes on]`);
    output.line(style.dim(typed(output, `warren attach ${session.name}`)));
    return;
  }
  output.line(`[${title} ${endWords(end.outcome)}]`);
  if (end.outcome.kind === "lost") output.line(style.dim(typed(output, `warren resume ${session.name}`)));
}

function endWords(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return outcome.status === 0 ? "has ended" : `has ended: exit status ${outcome.status}`;
    case "signalled":
      return outcome.by === "stop" ? "was stopped" : `was ended by ${outcome.signal}`;
    default:
      return `is lost: ${outcome.reason}`;
  }
}

const MOMENT_MS = 500;

/** Resolves with what only makes the farewell better, however it comes out, or soon without it: whoever leaves waits for no machine that is away. */
export async function forAMoment(looking: Promise<unknown>): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, MOMENT_MS);
  await Promise.race([looking.catch(() => {}), over]);
  clearTimeout(timer);
}

/** The program's own when it has ended; 128 + n when a signal made us leave. */
export function exitStatusOfEnd(end: AttachEnd): number {
  switch (end.kind) {
    case "detached":
      return EXIT.ok;
    case "ended":
      return exitStatusOf(end.outcome);
    case "signal":
      return 128 + END_SIGNALS[end.signal];
  }
}
