import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isRunning, type ProcessRef } from "./agent-process.ts";
import { readSmall, writeSmall } from "./small-file.ts";

/**
 * What hooks have given to an agent, a file for each time: `asking` from before the mail is fetched until it is written out, then `given`, then `seen`.
 *
 * 1. A hook that is killed while it asks leaves `asking` behind; the next one repeats the same request, gets the same answer, and gives it then.
 * 2. What was given is confirmed by a hook that began after it was written out, never sooner: the agent came back.
 */
export interface Give {
  format: 1;
  /** Of the fetch: a repeat gets the first answer. */
  request_id: string;
  limit: number;
  /** The hook. */
  by: ProcessRef;
  /** To whom. */
  agent?: ProcessRef;
  state: "asking" | "given" | "seen";
  /** Of `given`: when, in milliseconds since 1970. */
  at_ms: number;
  ids: string[];
  /** Unread besides these. */
  left: number;
}

const PREFIX = "give-";

export class Gives {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  all(files: readonly string[] = listed(this.#dir)): Give[] {
    return files
      .filter((file) => file.startsWith(PREFIX) && file.endsWith(".json"))
      .map((file) => readSmall<Give>(join(this.#dir, file)))
      .filter((give) => give !== undefined && give.format === 1 && Array.isArray(give.ids))
      .map((give) => give as Give);
  }

  keep(give: Give): void {
    writeSmall(this.#pathOf(give), give);
  }

  forget(give: Give): void {
    rmSync(this.#pathOf(give), { force: true });
  }

  #pathOf({ request_id }: Give): string {
    return join(this.#dir, `${PREFIX}${request_id}.json`);
  }
}

/** Of hooks that are over without having written it out (1). */
export const isUnfinished = (give: Give): boolean => give.state === "asking" && !isRunning(give.by);

/** The agent came back after it (2). */
export const isProven = (give: Give, begunMs: number): boolean => give.state === "given" && give.at_ms < begunMs;

function listed(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
