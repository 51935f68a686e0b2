import type { DialBytes } from "../../client/terminal-world.ts";
import type { Outcome } from "../../protocol/outcome.ts";
import type { DetachKey } from "./detach-key.ts";

/** What it takes to look at a session from here, in a terminal or through pipes. */
export interface AttachRequest {
  dial: DialBytes;
  /** Its id. */
  session: string;
  /** Its name now, as far as it is known. */
  title: () => string;
  isViewer: boolean;
  detach: DetachKey;
  version: string;
  /** 16 hex digits. */
  clientId: string;
  /** Who types, as others are shown it. */
  label: string;
}

/** How it was left. `signal`: somebody told this process to end; the session goes on, as with `detached`. */
export type AttachEnd =
  | { kind: "detached" }
  | { kind: "ended"; outcome: Outcome }
  | { kind: "signal"; signal: EndSignal };

export const END_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;
export type EndSignal = keyof typeof END_SIGNALS;

/** 16 hex digits; unique is enough, nobody guesses against it, and loading `crypto` costs a fifth of a short command's time. */
export const newClientId = (random: () => number = Math.random): string =>
  [0, 1]
    .map(() =>
      Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, "0"),
    )
    .join("");

/** Calls `onSignal` instead of ending at once; the answer takes that back. */
export function onEndSignals(onSignal: (signal: EndSignal) => void): () => void {
  const signals = Object.keys(END_SIGNALS) as EndSignal[];
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}
