import { type FSWatcher, watch } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../protocol/errors.ts";

/**
 * Tells of every status file that a shim has written to, in one directory, with one inotify watch: about half a millisecond from a job's last
 * instruction. First the watch, then a scan of what is there already, so nothing falls between. A change may be told twice; the listener reads the
 * file and compares. Where the system gives no watch (EMFILE, ENOSPC: the user has too many) the directory is looked at every 50 ms.
 */

const STATUS_FILE = /^(.+)\.(\d+)\.status$/;
const POLL_MS = 50;
/** Two writes within one tick of the file system's clock leave one time; so a file that was written lately is told again. */
const TIME_GRAIN_NS = 100_000_000n;

export interface StatusChange {
  runId: string;
  attempt: number;
  path: string;
}

export interface StatusWatchOptions {
  directory: string;
  onChange: (runId: string, change: StatusChange) => void;
  /** For tests that let it fail. */
  watch?: typeof watch;
}

export class StatusWatch {
  readonly #directory: string;
  readonly #onChange: StatusWatchOptions["onChange"];
  readonly #watch: typeof watch;
  readonly #toldAtNs = new Map<string, bigint>();
  #signal: AbortSignal | undefined;

  constructor(options: StatusWatchOptions) {
    this.#directory = options.directory;
    this.#onChange = options.onChange;
    this.#watch = options.watch ?? watch;
  }

  /** Resolves when every file that is there has been told of and changes are being watched; ends when `signal` is aborted. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#signal = signal;
    if (!this.#watchDirectory(signal)) return this.#startPolling(signal);
    await this.scan();
  }

  /** Tells of every status file once more: for a listener that suspects to have missed one. */
  async scan(): Promise<void> {
    for (const name of await readdir(this.#directory)) this.#tell(name);
  }

  #watchDirectory(signal: AbortSignal): boolean {
    let watcher: FSWatcher;
    try {
      watcher = this.#watch(this.#directory, { persistent: false, signal });
    } catch (error) {
      if (systemCode(error) === "EMFILE" || systemCode(error) === "ENOSPC") return false;
      throw error;
    }
    watcher.on("change", (_, name) => {
      if (name === null) void this.scan().catch(() => {});
      else this.#tell(String(name));
    });
    watcher.on("error", () => {
      watcher.close();
      void this.#startPolling(signal).catch(() => {});
    });
    return true;
  }

  #tell(name: string): void {
    const [, runId, attempt] = STATUS_FILE.exec(name) ?? [];
    if (runId === undefined || this.#signal?.aborted) return;
    this.#onChange(runId, { runId, attempt: Number(attempt), path: join(this.#directory, name) });
  }

  async #startPolling(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    let isLooking = false;
    const look = async () => {
      if (isLooking) return;
      isLooking = true;
      await this.#poll().finally(() => {
        isLooking = false;
      });
    };
    const timer = setInterval(() => void look().catch(() => {}), POLL_MS);
    timer.unref();
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
    await look();
  }

  async #poll(): Promise<void> {
    const names = new Set(await readdir(this.#directory));
    for (const name of this.#toldAtNs.keys()) if (!names.has(name)) this.#toldAtNs.delete(name);
    for (const name of names) {
      if (!STATUS_FILE.test(name)) continue;
      const found = await stat(join(this.#directory, name), { bigint: true }).catch(() => undefined);
      if (found === undefined || this.#toldAtNs.get(name) === found.mtimeNs) continue;
      const isSettled = BigInt(Date.now()) * 1_000_000n - found.mtimeNs > TIME_GRAIN_NS;
      if (isSettled) this.#toldAtNs.set(name, found.mtimeNs);
      this.#tell(name);
    }
  }
}
