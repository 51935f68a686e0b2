import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { BuildFailure } from "../../protocol/front-messages.ts";

/** How a build went. */
export type BuildOutcome =
  | {
      kind: "built";
      version: string;
      /** Undefined: nothing is built, the worker's folder is what runs. */
      artefactPath: string | undefined;
      /** What went into it: absolute. */
      inputs: readonly string[];
      tookMs: number;
      /** It was there already. */
      wasThere: boolean;
    }
  | { kind: "failed"; version: string; failure: BuildFailure }
  /** The caller's signal. */
  | { kind: "cancelled" }
  /** The sources were changed while it was built, and are another version now; who watches them is told to look again. */
  | { kind: "outdated" };

/** A failure that names no place: the disk, the folder, what could not be started. */
export function failureOf(worker: string, error: unknown, output: string[] = []): BuildFailure {
  const fix = isWarrenError(error) && error.fix !== undefined ? [`→ ${error.fix}`] : [];
  return {
    worker,
    at: new Date().toISOString(),
    phase: "build",
    message: messageOf(error),
    places: [],
    output: [...output, ...fix],
  };
}
