import { type BigIntStats, type Stats, statSync } from "node:fs";

/**
 * What lies at `path`, through symbolic links; undefined where that cannot be said. Node's own `throwIfNoEntry: false` throws all the same for a link that
 * leads to itself (ELOOP) and for one into a folder that is closed to us (EACCES): who looks at whatever a project holds meets either.
 */
export function statOrUndefined(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The same, times in nanoseconds. */
export function exactStatOrUndefined(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
