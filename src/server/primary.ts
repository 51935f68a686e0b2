import { join } from "node:path";
import { type Build, compareBuilds } from "../platform/build.ts";
import { type Lock, tryLock, waitForLock } from "../platform/lock.ts";
import type { Places } from "../platform/paths.ts";
import { WarrenError } from "../protocol/errors.ts";
import { isServing, readEntries, type ServerEntry } from "../registry/entries.ts";
import { askEntry } from "./peer.ts";

/**
 * Who has the home's jobs: the holder of `locks/primary.lock`. The newest build alive should: a newer server asks an older holder to yield, and
 * takes over when the kernel says that the lock is free. An older server does without.
 */
const TAKE_OVER_TIMEOUT_MS = 15_000;
/** An answer to `yield` comes at once; a holder that is being restarted is asked again. */
const YIELD_ANSWER_TIMEOUT_MS = 1_000;
const LOCK_LOOK_MS = 200;

/** The lock, or undefined when a newer server has it. @throws PRIMARY_STUCK when an older one does not let go. */
export async function becomePrimary(places: Places, build: Build, name: string): Promise<Lock | undefined> {
  const path = join(places.locksDir, "primary.lock");
  const deadlineMs = performance.now() + TAKE_OVER_TIMEOUT_MS;
  for (;;) {
    const lock = tryLock(path);
    if (lock) return lock;
    const holder = livePrimary(places, name);
    if (holder && !isOlder(holder, build)) return undefined;
    if (holder) await askToYield(holder, name);
    const soon = await waitForLock(path, { timeoutMs: LOCK_LOOK_MS });
    if (soon) return soon;
    if (performance.now() > deadlineMs) {
      throw new WarrenError("PRIMARY_STUCK", `${holder?.name ?? "Another server"} does not give up the jobs.`, {
        fix: `kill -9 ${holder?.pid ?? "<pid>"}      # jobs go on`,
      });
    }
  }
}

/** Another server of this home that says it is the primary and lives. */
export function livePrimary(places: Places, self: string): ServerEntry | undefined {
  return readEntries(places.serversDir).find((entry) => entry.primary && entry.name !== self && isServing(entry));
}

const isOlder = (entry: ServerEntry, build: Build): boolean =>
  compareBuilds({ version: entry.version, builtAtMs: entry.built_at_ms }, build) < 0;

async function askToYield(holder: ServerEntry, name: string): Promise<void> {
  try {
    await askEntry(holder, "server.yield", { to: name }, YIELD_ANSWER_TIMEOUT_MS);
  } catch {
    // It ended meanwhile, or does not answer: the lock tells.
  }
}
