import { signalName, signalNumber } from "../platform/process.ts";
import type { Outcome, SignalledBy } from "../protocol/outcome.ts";
import type { RunStatus } from "./status-file.ts";

/** A signal that we sent to the run. */
export interface SentSignal {
  /** "SIGTERM", or any other spelling that `signalNumber` takes. */
  signal: string;
  by: SignalledBy;
}

export interface Ending {
  /** As the shell told it. */
  exitStatus: number;
  shellWord?: RunStatus["shellWord"];
  /** In the order of sending. */
  sent: readonly SentSignal[];
}

/** A shell tells death by signal n as 128 + n. */
const SIGNAL_STATUS_BASE = 128;
const SIGNAL_MAX = 64;

/**
 * A shell reports 137 for `exit 137` and for death by SIGKILL alike. So `signalled` is claimed only where the shell itself was told by the kernel
 * (`shellWord`) or where we sent that very signal; otherwise the run `exited` with that status.
 */
export function outcomeOf({ exitStatus, shellWord, sent }: Ending): Outcome {
  const number = exitStatus - SIGNAL_STATUS_BASE;
  if (number < 1 || number > SIGNAL_MAX) return { kind: "exited", status: exitStatus };
  const sender = sent.findLast(({ signal }) => signalNumber(signal) === number);
  const told = shellWord === signalName(number);
  if (sender === undefined && !told) return { kind: "exited", status: exitStatus };
  return { kind: "signalled", signal: signalName(number), status: exitStatus, by: sender?.by ?? "unknown" };
}
