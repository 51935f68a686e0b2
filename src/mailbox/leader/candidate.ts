import { closeSync, statSync } from "node:fs";
import { type Lock, tryLock, waitForLock } from "../../platform/lock.ts";
import { bootId } from "../../platform/process.ts";
import { MailLog } from "../log/mail-log.ts";
import { lockTaken } from "./errors.ts";
import { leaderRow } from "./leader-row.ts";
import { LeaderWatch } from "./leader-watch.ts";
import { Leading } from "./leading.ts";
import type { LeadingOptions } from "./leading-options.ts";
import { HUNG_MS, LOCK_RETRY_MS, SUCCESSOR_LEAD_MS } from "./limits.ts";
import type { Inherited } from "./listeners.ts";
import type { PredecessorLine } from "./predecessor-line.ts";

/** A process before it leads: it gets the lock, or it ends. The log is opened beforehand, so that nothing has to be loaded when it counts. */
export interface CandidateOptions extends Omit<LeadingOptions, "mailLog" | "lock" | "reason" | "gapMs" | "inherited"> {
  logPath: string;
}

/** A leader is looked at for so long by a process that was started because it did not answer. */
const LOOK_MS = HUNG_MS + 1_000;
/** A standby whose leader is gone and whose lock is not free: somebody else leads, or is about to. */
const GIVE_UP_AFTER_MS = 2_000;
const START_RETRY_MS = 10;
/** How often a successor looks whether another was quicker. */
const OTHER_LEADER_LOOK_MS = 20;

export class Candidate {
  readonly #options: CandidateOptions;
  #starting: Promise<Leading> | undefined;
  #opened: { mailLog: MailLog; file: bigint | undefined } | undefined;

  constructor(options: CandidateOptions) {
    this.#options = options;
  }

  /** Leads, unless somebody does who answers. */
  async lead(): Promise<"leading" | "busy"> {
    const { places } = this.#options;
    const lock = tryLock(places.mailLock) ?? (await this.#lockOfHung());
    if (!lock) return "busy";
    await this.#start(lock, { reason: "started" });
    return "leading";
  }

  /** Waits for the death of the leader that has started it, and follows that one alone: after another it is not needed. */
  async standBy(leaderPid: number): Promise<void> {
    const { places, clock, log, onEnded } = this.#options;
    const { mailLog } = await this.#open();
    const watch = new LeaderWatch({ socketPath: places.mailSocket, clock, log, leaderPid });
    // It may hang already, and never say who it is.
    const row = await leaderRow(mailLog, clock.wallMs());
    if (row?.pid === leaderPid && row.bootId === bootId()) watch.identify(row);
    await watch.gone;
    const goneMs = clock.monotonicMs();
    const lock = await this.#lockWithin(GIVE_UP_AFTER_MS);
    const newest = lock && (await leaderRow(mailLog, clock.wallMs()));
    if (!lock || newest?.pid !== leaderPid) {
      lock?.release();
      return onEnded(0);
    }
    await this.#start(lock, { reason: "taken_over", gapMs: () => clock.monotonicMs() - goneMs });
  }

  /** Is handed the lead, with the sockets. */
  async succeed(line: PredecessorLine, inherited: Inherited): Promise<void> {
    const { clock } = this.#options;
    const predecessorPid = process.ppid;
    const { mailLog } = await this.#open();
    line.say("warm");
    await line.go;
    const toldMs = clock.monotonicMs();
    const lock = await this.#lockOf(predecessorPid);
    if (!lock) return this.#options.onEnded(0);
    // Its predecessor may have died on the way and another have led: then the socket's path is that one's, and nobody would find us at the inherited one.
    const isNext = (await leaderRow(mailLog, clock.wallMs()))?.pid === predecessorPid;
    if (!isNext) closeInherited(inherited);
    const leading = await this.#start(lock, {
      reason: isNext ? "handed_over" : "taken_over",
      inherited: isNext ? inherited : undefined,
      gapMs: () => clock.monotonicMs() - toldMs,
    });
    line.say(`leading ${JSON.stringify(leading.leader())}`);
    line.end();
  }

  /** One that has begun to take the lead finishes that first: it may have the port already, and be written down as the leader. */
  async terminate(): Promise<void> {
    const leading = await this.#starting?.catch(() => undefined);
    if (leading) await leading.terminate();
    else this.#options.onEnded(0);
  }

  /** Nobody wants it to lead. */
  async end(): Promise<void> {
    const leading = await this.#starting;
    if (leading) await leading.end();
    else this.#options.onEnded(0);
  }

  /** The lock is another's: undefined when that one answers. When it hangs, it is ended. */
  async #lockOfHung(): Promise<Lock | undefined> {
    const { places, clock, log } = this.#options;
    const { mailLog } = await this.#open();
    const untilMs = clock.monotonicMs() + LOOK_MS;
    while (clock.monotonicMs() < untilMs) {
      const lock = tryLock(places.mailLock);
      if (lock) return lock;
      using watch = new LeaderWatch({ socketPath: places.mailSocket, clock, log });
      const row = await leaderRow(mailLog, clock.wallMs());
      if (row?.bootId === bootId()) watch.identify(row);
      if ((await watch.outcome(untilMs - clock.monotonicMs())) === "answered") return undefined;
      await new Promise((wake) => setTimeout(wake, START_RETRY_MS)); // it is starting, handing over, or was ended just now
    }
    return undefined;
  }

  /**
   * Undefined as soon as another leads: whoever has connected to the sockets that we hold waits in vain, and comes to that one when they are closed.
   * @throws MAIL_LOCK_TAKEN
   */
  async #lockOf(predecessorPid: number): Promise<Lock | undefined> {
    const { clock } = this.#options;
    const { mailLog } = await this.#open();
    const untilMs = clock.monotonicMs() + SUCCESSOR_LEAD_MS;
    while (clock.monotonicMs() < untilMs) {
      const lock = await this.#lockWithin(OTHER_LEADER_LOOK_MS);
      if (lock) return lock;
      if ((await leaderRow(mailLog, clock.wallMs()))?.pid !== predecessorPid) return undefined;
    }
    throw lockTaken();
  }

  async #lockWithin(timeoutMs: number): Promise<Lock | undefined> {
    return await waitForLock(this.#options.places.mailLock, { timeoutMs, intervalMs: LOCK_RETRY_MS });
  }

  async #open(): Promise<{ mailLog: MailLog; file: bigint | undefined }> {
    const { logPath, log, clock } = this.#options;
    this.#opened ??= { mailLog: await MailLog.open({ path: logPath, log, clock }), file: fileAt(logPath) };
    return this.#opened;
  }

  #start(lock: Lock, how: Pick<LeadingOptions, "reason" | "gapMs" | "inherited">): Promise<Leading> {
    this.#starting = this.#take(lock, how);
    return this.#starting;
  }

  async #take(lock: Lock, how: Pick<LeadingOptions, "reason" | "gapMs" | "inherited">): Promise<Leading> {
    try {
      const { mailLog, file } = await this.#open();
      if (file !== fileAt(this.#options.logPath)) {
        this.#opened = undefined; // it was replaced while we waited
        await mailLog.close();
      }
      return await Leading.start({ ...this.#options, ...how, mailLog: (await this.#open()).mailLog, lock });
    } catch (error) {
      lock.release();
      throw error;
    }
  }
}

function closeInherited({ unix, tcp }: Inherited): void {
  closeSync(unix);
  if (tcp) closeSync(tcp.fd);
}

const fileAt = (path: string): bigint | undefined => statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
