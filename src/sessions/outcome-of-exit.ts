import { signalName } from "../platform/process.ts";
import type { ChannelExit } from "../protocol/keeper-calls.ts";
import type { Outcome, SignalledBy } from "../protocol/outcome.ts";

/** The kernel told the keeper, so a signal is known for certain; who sent it is what we remember of it. */
export function outcomeOfExit({ code, signal }: ChannelExit, by: SignalledBy): Outcome {
  if (signal === null) return { kind: "exited", status: code ?? 0 };
  return { kind: "signalled", signal: signalName(signal), status: 128 + signal, by };
}
