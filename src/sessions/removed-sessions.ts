import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { readJsonIfExists, writeFileAtomic } from "../platform/atomic-file.ts";
import type { Clock } from "../platform/clock.ts";
import { makeDirectories } from "../platform/directories.ts";
import type { Session } from "../protocol/units.ts";
import { sessionIdFor } from "./session-ids.ts";

/**
 * The answers to requests that removed a session: of what is gone nothing else is left to answer a repeat from, after the first answer was lost with its server.
 * Written before anything is removed, in `sessions/.removed/`; kept for as long as a client repeats.
 */
const KEPT_MS = 10 * 60 * 1_000;

export class RemovedSessions {
  readonly #dir: string;
  readonly #clock: Clock;

  constructor(sessionsDir: string, clock: Clock) {
    this.#dir = join(sessionsDir, ".removed");
    this.#clock = clock;
  }

  /** Those that nobody repeats any more go on the way. */
  note(requestId: string, session: Session): void {
    makeDirectories(this.#dir, 0o700);
    for (const name of readdirSync(this.#dir)) {
      const atMs = statSync(join(this.#dir, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
      if (Math.abs(this.#clock.wallMs() - atMs) > KEPT_MS) rmSync(join(this.#dir, name), { force: true });
    }
    writeFileAtomic(this.#path(requestId), `${JSON.stringify({ request_id: requestId, session })}\n`);
  }

  answerTo(requestId: string): Session | undefined {
    const found = readJsonIfExists<{ request_id: string; session: Session }>(this.#path(requestId));
    return found?.request_id === requestId ? found.session : undefined;
  }

  #path(requestId: string): string {
    return join(this.#dir, sessionIdFor(requestId));
  }
}
