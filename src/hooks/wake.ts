import { existsSync, type FSWatcher, watch } from "node:fs";
import type { Clock } from "../platform/clock.ts";
import { isWarrenError } from "../protocol/errors.ts";
import { isRunning, isSame, type ProcessRef } from "./agent-process.ts";
import { type HookAnswer, NOTHING, wakeAnswer } from "./answer.ts";
import { deliver } from "./deliver.ts";
import type { HookSession, SessionRecord } from "./hook-session.ts";
import type { LeaderWire } from "./leader-wire.ts";
import { mailText } from "./mail-text.ts";
import { recordNow } from "./record-now.ts";
import { readSmall, writeSmall } from "./small-file.ts";
import { deliveryOf, type HookWorld, openWire, speakingOf } from "./world.ts";

/**
 * Waits in the background until there is mail and the agent is idle, and ends with status 2 then: the agent is woken, and reads the mail. One for each session.
 * While the agent works, its own hooks give it its mail. It starts no leader: where nobody leads, nobody writes.
 *
 * It ends with its agent, and with its session.
 */
const WAITER = "waiter.json";
/** So often it looks whether its agent is still there: one read of /proc. */
const LOOK_MS = 2_000;
/** A wait is asked again after this time. */
const WAIT_MS = 45_000;

/** Tells of changes in a directory; may throw, since the system has only so many. */
type WatchDirectory = (dir: string, onChange: () => void) => Watcher;
type Watcher = Pick<FSWatcher, "on" | "close">;

export async function wake(
  world: HookWorld,
  session: HookSession,
  { clock, watchDirectory = watch }: { clock: Clock; watchDirectory?: WatchDirectory },
): Promise<HookAnswer> {
  const { agent, self, places } = world;
  if (agent === undefined) return NOTHING;
  session.make();
  const other = readSmall<ProcessRef>(session.path(WAITER));
  if (other && !isSame(other, self) && isRunning(other)) return NOTHING;
  writeSmall(session.path(WAITER), self);
  const isNeeded = (): boolean => isRunning(agent) && isSame(readSmall<ProcessRef>(session.path(WAITER)), self);
  using changes = new Changes([session.dir, places.mailDir], { clock, isNeeded, watchDirectory });
  for (;;) {
    const record = await changes.until(() => recordNow(world, session));
    if (!record || record.stands_down) return NOTHING;
    const wire = await changes.until(() => leading(world, record));
    if (!wire) return NOTHING;
    try {
      const answer = await waited(wire, { world, session, record, changes });
      if (answer) return answer;
    } catch (error) {
      if (isWarrenError(error, "NAME_OWNED")) return NOTHING; // its next prompt introduces it again
      const isOldName = isWarrenError(error, "NAME_TAKEN") && isRenamed(world, { session, record });
      if (!isOldName && !isWarrenError(error, "CONNECTION_LOST")) throw error;
    } finally {
      wire.close();
    }
    if (!changes.isNeeded) return NOTHING;
    if (!isRenamed(world, { session, record })) await changes.next();
  }
}

const isRenamed = (world: HookWorld, { session, record }: Pick<At, "session" | "record">): boolean =>
  recordNow(world, session)?.name !== record.name;

const leading = async (world: HookWorld, record: SessionRecord): Promise<LeaderWire | undefined> =>
  existsSync(world.places.mailLeaderFile) ? openWire(world, record) : undefined;

interface At {
  world: HookWorld;
  session: HookSession;
  record: SessionRecord;
  changes: Changes;
}

/** Undefined when it has to begin anew. */
async function waited(wire: LeaderWire, { world, session, record, changes }: At): Promise<HookAnswer | undefined> {
  changes.onLook(() => {
    if (!changes.isNeeded || isRenamed(world, { session, record })) wire.close();
  });
  for (;;) {
    const { messages } = await wire.ask("mail.fetch", { as: record.name, peek: true, limit: 1, wait_ms: WAIT_MS });
    if (messages.length === 0) continue;
    if (!(await changes.until(() => session.isIdle))) return NOTHING;
    const delivery = deliveryOf(world, { wire, session, record });
    const out = await deliver(delivery, { give: "worthwhile", turn: "goes_on" }, []);
    if (out) return wakeAnswer(mailText(out.messages, out.left, speakingOf(record)), out.written);
    await changes.next(); // something that is worth no interruption waits
  }
}

/** Tells of changes in directories, and every two seconds, as long as `isNeeded` holds. */
class Changes implements Disposable {
  readonly #watchers: Watcher[] = [];
  readonly #isNeeded: () => boolean;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #onLook = (): void => {};
  #cancelLook = (): void => {};
  isNeeded = true;

  constructor(
    dirs: readonly string[],
    { clock, isNeeded, watchDirectory }: { clock: Clock; isNeeded: () => boolean; watchDirectory: WatchDirectory },
  ) {
    this.#isNeeded = isNeeded;
    this.#clock = clock;
    for (const dir of dirs) this.#watch(dir, watchDirectory);
    this.#lookLater();
  }

  /** Called now, and at each look; the one before is forgotten. */
  onLook(listener: () => void): void {
    this.#onLook = listener;
    listener();
  }

  /** Undefined when it is needed no more. */
  async until<T>(found: () => T | Promise<T>): Promise<Exclude<T, false | undefined> | undefined> {
    while (this.isNeeded) {
      const changed = this.next();
      const value = await found();
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
      await changed;
    }
    return undefined;
  }

  next(): Promise<void> {
    if (!this.isNeeded) return Promise.resolve();
    return new Promise((resolve) => void this.#waiting.add(resolve));
  }

  [Symbol.dispose](): void {
    this.#cancelLook();
    for (const watcher of this.#watchers) watcher.close();
  }

  /** Where it cannot be watched, the look every two seconds is enough. */
  #watch(dir: string, watchDirectory: WatchDirectory): void {
    try {
      const watcher = watchDirectory(dir, () => {
        if (this.#waiting.size > 0) this.#look(); // each message of anybody's is a change of the log
      });
      watcher.on("error", () => {});
      this.#watchers.push(watcher);
    } catch {}
  }

  #lookLater(): void {
    this.#cancelLook();
    this.#cancelLook = this.#clock.timer(LOOK_MS, () => this.#look());
  }

  #look(): void {
    this.#lookLater();
    this.isNeeded &&= this.#isNeeded();
    this.#onLook();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
