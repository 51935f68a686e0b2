import { type FSWatcher, watch } from "node:fs";
import type { FrontTable } from "../protocol/front-messages.ts";
import { readEntries } from "../registry/entries.ts";

/**
 * Where each live session of the home listens, on whatever server it is: each says so in its entry of the registry, and a change there is noticed by inotify(7).
 * Where the system gives no watch, the entries are read once a second.
 */
export interface SessionAddressesOptions {
  serversDir: string;
  /** They are others than before. */
  onChange: () => void;
}

/** Several servers that announce themselves at once are one change. */
const QUIET_MS = 30;
const POLL_MS = 1_000;

export class SessionAddresses {
  readonly #options: SessionAddressesOptions;
  readonly #watcher: FSWatcher | undefined;
  readonly #poll: NodeJS.Timeout | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #all: FrontTable["sessions"];
  #isClosed = false;

  constructor(options: SessionAddressesOptions) {
    this.#options = options;
    this.#watcher = this.#watch();
    if (!this.#watcher) this.#poll = setInterval(() => this.#look(), POLL_MS).unref();
    this.#all = sessionsIn(options.serversDir);
  }

  /** By name. Port 0: it has none. */
  get all(): FrontTable["sessions"] {
    return this.#all;
  }

  close(): void {
    this.#isClosed = true;
    this.#watcher?.close();
    clearInterval(this.#poll);
    clearTimeout(this.#quiet);
  }

  #watch(): FSWatcher | undefined {
    try {
      const watcher = watch(this.#options.serversDir, { persistent: false }, () => this.#lookSoon());
      watcher.on("error", () => {}); // the directory has gone, and with it every server
      return watcher;
    } catch {
      return undefined; // ENOSPC, EMFILE
    }
  }

  #lookSoon(): void {
    this.#quiet ??= setTimeout(() => this.#look(), QUIET_MS).unref();
  }

  #look(): void {
    this.#quiet = undefined;
    if (this.#isClosed) return;
    const now = sessionsIn(this.#options.serversDir);
    if (JSON.stringify(now) === JSON.stringify(this.#all)) return;
    this.#all = now;
    this.#options.onChange();
  }
}

const sessionsIn = (serversDir: string): FrontTable["sessions"] =>
  readEntries(serversDir)
    .flatMap(({ sessions = [] }) => sessions.map(({ name, port = 0 }) => ({ name, port })))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
