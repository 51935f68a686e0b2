import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fields } from "./peer.ts";

/** A session as the agent keeps it: what it would say again to a client that loads it. */
export interface StoredSession {
  id: string;
  cwd: string;
  title: string | null;
  mode: string;
  /** Updates, in order. */
  history: Fields[];
  /** Tool calls so far. */
  toolCount: number;
  /** Blocks of the script file that were played. */
  blocksPlayed: number;
}

/** Sessions as files `<dir>/<id>.json`: a killed agent is followed by one that knows them. */
export class Store {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  create(cwd: string): StoredSession {
    mkdirSync(this.#dir, { recursive: true });
    for (let number = this.list().length + 1; ; number++) {
      const session = {
        id: `scripted-${number}`,
        cwd,
        title: null,
        mode: "code",
        history: [],
        toolCount: 0,
        blocksPlayed: 0,
      };
      try {
        writeFileSync(this.#pathOf(session.id), JSON.stringify(session), { flag: "wx" });
        return session;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    }
  }

  save(session: StoredSession): void {
    const path = this.#pathOf(session.id);
    writeFileSync(`${path}.tmp`, JSON.stringify(session));
    renameSync(`${path}.tmp`, path);
  }

  find(id: string): StoredSession | undefined {
    return this.list().find((session) => session.id === id);
  }

  list(): StoredSession[] {
    try {
      const names = readdirSync(this.#dir).filter((name) => name.endsWith(".json"));
      return names.map((name) => JSON.parse(readFileSync(join(this.#dir, name), "utf8")) as StoredSession);
    } catch {
      return []; // no directory yet
    }
  }

  #pathOf(id: string): string {
    return join(this.#dir, `${id}.json`);
  }
}

/** Writes down each prompt as a line of JSON, so that a test can count how often the agent was called. */
export function logPrompt(path: string | undefined, entry: Fields): void {
  if (path) appendFileSync(path, `${JSON.stringify(entry)}\n`);
}
