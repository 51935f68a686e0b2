import { unreachable } from "../protocol/errors.ts";
import { EXIT, exitStatusOf, type Outcome } from "../protocol/outcome.ts";
import type { Job } from "../protocol/units.ts";

/** The one place where an error's code becomes an exit status (CONTRACT §4). */
export function exitStatusOfCode(code: string): number {
  switch (code) {
    case "USAGE":
    // A value on the command line that only whoever uses it can judge.
    case "CODE_CUT":
    case "CODE_FOREIGN":
    case "CODE_TOO_LONG":
    case "COMMAND_EMPTY":
    case "HUB_ADDRESS_BAD":
    case "INVALID_NAME":
    case "INVALID_URL":
    case "NAME_INVALID":
    case "PATTERN_INVALID":
    case "SINCE_INVALID":
    case "CURSOR_NAME_INVALID":
    case "SERVER_NAME_INVALID":
    case "SESSION_PORT_INVALID":
    case "UNKNOWN_SIGNAL":
      return EXIT.usage;
    case "PROGRAM_NOT_FOUND":
      return EXIT.notFound;
    case "PROGRAM_NOT_EXECUTABLE":
      return EXIT.notExecutable;
    case "TIMEOUT":
      return EXIT.timeout;
    case "INTERRUPTED":
    case "ABORTED":
      return EXIT.interrupted;
    default:
      return EXIT.error;
  }
}

/** The status of a run that ended so; 0 while it has not. */
export const exitStatusOfOutcome = (outcome: Job["outcome"]): number =>
  outcome ? exitStatusOf(outcome as Outcome) : EXIT.ok;

export type WaitResult = "met" | "timeout" | "ended" | "stuck";

/** The status of a wait. `end`: how it ended, where its end was waited for. */
export function exitStatusOfWait(result: WaitResult, end: Job["outcome"]): number {
  switch (result) {
    case "met":
      return exitStatusOfOutcome(end);
    case "timeout":
      return EXIT.timeout;
    case "ended":
      return EXIT.failed;
    case "stuck":
      return EXIT.stuck;
    default:
      return unreachable(result);
  }
}
