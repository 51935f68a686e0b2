import type { Log } from "../platform/log.ts";
import type { Failure } from "../protocol/envelope.ts";
import { isWarrenError, messageOf, toWire, type WarrenError } from "../protocol/errors.ts";

export interface FailureOptions {
  log: Log;
  /** What is said of an error that is a bug. */
  internal: (reason: string) => WarrenError;
}

/** The answer to a request that has failed; of a bug the log has where it is. */
export function failureOf(error: unknown, { log, internal }: FailureOptions): Omit<Failure, "id"> {
  if (!isWarrenError(error)) log.error("handler_failed", { error: messageOf(error), stack: (error as Error)?.stack });
  const known = isWarrenError(error) ? error : internal(messageOf(error));
  return { success: false, ...toWire(known, known.code) };
}
