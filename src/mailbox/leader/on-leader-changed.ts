import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { loadHomeConfig } from "../../config/home-config.ts";
import type { Clock } from "../../platform/clock.ts";
import { type Lock, tryLock, waitForLock } from "../../platform/lock.ts";
import type { Log } from "../../platform/log.ts";
import type { Places } from "../../platform/paths.ts";
import { messageOf } from "../../protocol/errors.ts";

/**
 * Runs `mail.on_leader_changed` of the home's config.yaml, once for each change of the leader, in a process that belongs to no leader. sh runs it in the user's
 * home directory, with what the leader has of the environment and WARREN_MAIL_PID, _EPOCH, _REASON, _GAP_MS. What it writes and how it ended stands in the mail log.
 *
 * One at a time, by a lock that the kernel frees; another waits for its turn. It is over when nothing that it has started holds its output any more, or is
 * ended with all of its process group at the limit.
 */
const LIMIT_MS = 30_000;
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 1_000;
/** So long one waits for those before it; then it is dropped, which is said. */
const TURN_MS = 10 * LIMIT_MS;
const TURN_LOOK_MS = 20;
/** Of its output; the rest is dropped. */
const OUTPUT_BYTES_MAX = 16 * 1024;

export interface OnLeaderChangedOptions {
  places: Places;
  env: NodeJS.ProcessEnv;
  log: Log;
  clock: Clock;
  /** Default 30 s. */
  limitMs?: number;
}

/** How it ended: `status` or `signal`, and whether it was at the limit. */
export interface Ran {
  status: number | null;
  signal: NodeJS.Signals | null;
  output: string;
  isLate: boolean;
}

export async function runOnLeaderChanged(options: OnLeaderChangedOptions): Promise<void> {
  const { places, env, log, clock } = options;
  const epoch = Number(env.WARREN_MAIL_EPOCH);
  const command = await commandOf(options);
  if (command === null) return;
  const lock = await turn(join(places.locksDir, "mail-changed.lock"), () =>
    log.info("on_leader_changed_waits", { epoch }),
  );
  if (!lock) return log.warn("on_leader_changed_dropped", { epoch, waited_ms: TURN_MS });
  const startedMs = clock.monotonicMs();
  try {
    const { status, signal, output, isLate } = await ran(command, options);
    const ms = Math.round(clock.monotonicMs() - startedMs);
    const facts = { epoch, command, status, signal, ms, output, ...(isLate ? { limit_ms: limitOf(options) } : {}) };
    if (status === 0) log.info("on_leader_changed", facts);
    else log.warn("on_leader_changed_failed", facts);
  } catch (error) {
    log.warn("on_leader_changed_failed", { epoch, command, error: messageOf(error) });
  } finally {
    lock.release();
  }
}

async function turn(path: string, onWait: () => void): Promise<Lock | undefined> {
  const lock = tryLock(path);
  if (lock) return lock;
  onWait();
  return await waitForLock(path, { timeoutMs: TURN_MS, intervalMs: TURN_LOOK_MS });
}

/** A file that cannot be read is said, and nothing is run. */
async function commandOf({ places, log }: OnLeaderChangedOptions): Promise<string | null> {
  try {
    return (await loadHomeConfig(places.home)).mail.onLeaderChanged;
  } catch (error) {
    log.error("config_invalid", { error: messageOf(error) });
    return null;
  }
}

function ran(command: string, options: OnLeaderChangedOptions): Promise<Ran> {
  const { env, clock } = options;
  const child = spawn("/bin/sh", ["-c", command], {
    cwd: env.HOME || "/",
    detached: true,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = new Captured();
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => output.add(chunk));
  return new Promise((resolve, reject) => {
    let isLate = false;
    let cancelKill = (): void => {};
    const cancelLimit = clock.timer(limitOf(options), () => {
      isLate = true;
      signalGroup(child, "SIGTERM");
      cancelKill = clock.timer(GRACE_MS, () => {
        signalGroup(child, "SIGKILL");
        for (const stream of [child.stdout, child.stderr]) stream.destroy(); // who has left the group may hold them
      });
    });
    const over = (): void => {
      cancelLimit();
      cancelKill();
    };
    child.once("error", (error) => {
      over();
      reject(error);
    });
    child.once("close", (status, signal) => {
      over();
      resolve({ status, signal, output: output.text, isLate });
    });
  });
}

const limitOf = ({ limitMs = LIMIT_MS }: OnLeaderChangedOptions): number => limitMs;

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // over by now
  }
}

/** The beginning of what was written. */
class Captured {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #droppedBytes = 0;

  add(chunk: Buffer): void {
    const kept = chunk.subarray(0, OUTPUT_BYTES_MAX - this.#bytes);
    if (kept.length > 0) this.#chunks.push(kept);
    this.#bytes += kept.length;
    this.#droppedBytes += chunk.length - kept.length;
  }

  get text(): string {
    const text = Buffer.concat(this.#chunks).toString("utf8").trimEnd();
    return this.#droppedBytes === 0 ? text : `${text}\n[${this.#droppedBytes} more bytes]`;
  }
}
