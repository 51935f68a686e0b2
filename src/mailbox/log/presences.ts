import { bootId, readProcess } from "../../platform/process.ts";
import type { Row } from "./statements.ts";

/** Whether a process is there, by boot, pid and start time; `startTicks` as text. */
export type IsAlive = (process: { pid: number; pidStart: string | undefined; bootId: string | undefined }) => boolean;

export type PresenceSeen = "live" | "gone";

/** A process is looked at once in so long. */
const LOOK_MS = 250;
/** Forgotten as a whole when there are more. */
const LOOKS_MAX = 4_096;

/** Who is there of those that have a process: looked up, and remembered for a moment. Idle and busy are known to the leader. */
export class Presences {
  readonly #isAlive: IsAlive;
  readonly #looks = new Map<string, { atMs: number; presence: PresenceSeen }>();

  constructor(isAlive: IsAlive = processIsAlive()) {
    this.#isAlive = isAlive;
  }

  /** Of a row of `participants`. */
  of(row: Row | undefined, nowMs: number): PresenceSeen {
    if (!row || row.pid === null) return "gone";
    const key = `${row.pid} ${row.pid_start}`;
    const known = this.#looks.get(key);
    if (known && Math.abs(nowMs - known.atMs) < LOOK_MS) return known.presence;
    const presence = this.#isAlive({
      pid: Number(row.pid),
      pidStart: row.pid_start === null ? undefined : String(row.pid_start),
      bootId: row.boot_id === null ? undefined : String(row.boot_id),
    })
      ? "live"
      : "gone";
    if (this.#looks.size >= LOOKS_MAX) this.#looks.clear();
    this.#looks.set(key, { atMs: nowMs, presence });
    return presence;
  }
}

function processIsAlive(boot: string = bootId()): IsAlive {
  return ({ pid, pidStart, bootId: theirs }) => {
    if (theirs !== undefined && theirs !== boot) return false;
    const found = readProcess(pid);
    return (
      found !== undefined && found.state !== "Z" && (pidStart === undefined || pidStart === String(found.startTicks))
    );
  };
}
