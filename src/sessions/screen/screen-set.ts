import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../../platform/clock.ts";
import { messageOf } from "../../protocol/errors.ts";
import { READ_BYTES_MAX } from "../journal/journal-reader.ts";
import { FollowedScreen } from "./followed-screen.ts";
import type { ScreenAnswer, ScreenLook, ScreenRequest } from "./screen-messages.ts";

/**
 * All screens of a server, which take turns: one works at a time, by a slice of output. Whose picture is asked for comes first; a session that floods
 * delays the others by one slice.
 *
 * Invariants
 * 1. A picture is at least as new as the end that was known when it was asked for.
 * 2. Every look is answered once, after its session's `open` and before its `close` takes effect.
 * 3. What a session does not take (an error in its journal, or of the emulator) is passed over; the others do not notice.
 */
export interface ScreenSetOptions {
  say: (answer: ScreenAnswer) => void;
  clock: Clock;
  limits?: Partial<ScreenLimits>;
}

export interface ScreenLimits {
  /** Idle screens that are kept in memory. More: the one that was idle longest goes to disk. */
  idleScreensMax: number;
  /** Idle for so long: goes to disk. */
  sleepAfterMs: number;
  /** Without output for so long, a screen is idle. */
  idleAfterMs: number;
  /** An idle screen is saved when more than this would have to be read again. */
  unsavedBytesMax: number;
  /** A busy one as well, this often at most. */
  busyUnsavedBytesMax: number;
  busySaveMs: number;
}

const SCREEN_LIMITS: ScreenLimits = {
  idleScreensMax: 32,
  sleepAfterMs: 30_000,
  idleAfterMs: 1_000,
  unsavedBytesMax: 64 * 1024,
  busyUnsavedBytesMax: 8 * 1024 * 1024,
  busySaveMs: 5_000,
};

/** While others are busy, one idle screen is looked after in so many turns. */
const TURNS_PER_SWEEP = 8;

interface Member {
  id: string;
  screen: FollowedScreen;
  looks: ScreenLook[];
  savedAtMs: number;
  /** Answered when it is closed. */
  closeCall?: number | undefined;
}

export class ScreenSet {
  readonly #say: (answer: ScreenAnswer) => void;
  readonly #clock: Clock;
  readonly #limits: ScreenLimits;
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES_MAX);
  readonly #members = new Map<string, Member>();
  /** Members in the order of their turns; those that are looked at, and those that have output to read. */
  readonly #looked = new Set<Member>();
  readonly #behind = new Set<Member>();
  readonly #closing: Member[] = [];
  #isWorking = false;
  #turnCount = 0;
  #sweepIsDue = false;
  #cancelSweep: (() => void) | undefined;

  constructor({ say, clock, limits = {} }: ScreenSetOptions) {
    this.#say = say;
    this.#clock = clock;
    this.#limits = { ...SCREEN_LIMITS, ...limits };
  }

  /** Screens that are in memory. */
  get awakeCount(): number {
    return this.#awake().length;
  }

  /** It has something to do. */
  get isWorking(): boolean {
    return this.#isWorking;
  }

  take(request: ScreenRequest): void {
    if (request.kind === "open") this.#open(request);
    else {
      const member = this.#members.get(request.id);
      if (request.kind === "advance") this.#advance(member, request.end);
      else if (request.kind === "close") this.#close(member, request.call);
      else this.#look(member, request);
    }
    if (!this.#isWorking) void this.#work();
  }

  #open({ id, journalDir, end }: Extract<ScreenRequest, { kind: "open" }>): void {
    this.#close(this.#members.get(id));
    const screen = new FollowedScreen({
      journalDir,
      end,
      buffer: this.#buffer,
      clock: this.#clock,
      tell: (event) => this.#say({ kind: "event", id, event }),
    });
    const member: Member = { id, screen, looks: [], savedAtMs: this.#clock.monotonicMs() };
    this.#members.set(id, member);
    this.#behind.add(member);
  }

  #advance(member: Member | undefined, end: ScreenLook["end"]): void {
    if (!member) return;
    member.screen.advance(end);
    this.#behind.add(member);
  }

  #look(member: Member | undefined, look: ScreenLook): void {
    if (!member) return this.#say({ kind: "answer", call: look.call, error: `no screen ${look.id}` });
    member.looks.push(look);
    this.#looked.add(member);
  }

  #close(member: Member | undefined, call?: number): void {
    if (!member) {
      if (call !== undefined) this.#say({ kind: "closed", call });
      return;
    }
    member.closeCall = call;
    this.#members.delete(member.id);
    this.#looked.delete(member);
    this.#behind.delete(member);
    this.#closing.push(member);
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    while (await this.#turn()) await nextTurn(); // requests come in between
    this.#isWorking = false;
  }

  /** False when there is nothing to do. */
  async #turn(): Promise<boolean> {
    this.#turnCount += 1;
    if (this.#sweepIsDue && this.#turnCount % TURNS_PER_SWEEP === 0) await this.#sweep();
    // First: what is closed is waited for, and others may never be done with what their programs write.
    const gone = this.#closing.shift();
    if (gone) {
      await this.#finish(gone);
      return true;
    }
    const [member] = this.#looked.size > 0 ? this.#looked : this.#behind;
    if (member) {
      await this.#serve(member);
      return true;
    }
    if (!this.#sweepIsDue) return false;
    return this.#sweep();
  }

  async #serve(member: Member): Promise<void> {
    const { screen } = member;
    // To the end of the line, whatever happens.
    if (this.#looked.delete(member)) this.#looked.add(member);
    if (this.#behind.delete(member)) this.#behind.add(member);
    try {
      const isLookedAt = member.looks.some(({ end }) => !screen.isReadyFor(end));
      if (isLookedAt || screen.isBehind) await screen.step(isLookedAt);
      this.#answerReady(member);
      await this.#saveIfBusy(member);
    } catch (error) {
      await screen.recover().catch(() => {});
      for (const { call } of member.looks.splice(0)) this.#say({ kind: "answer", call, error: messageOf(error) });
    }
    if (member.looks.length === 0) this.#looked.delete(member);
    if (!screen.isBehind) this.#behind.delete(member);
    await this.#sleepExcess();
    this.#planSweep();
  }

  #answerReady(member: Member): void {
    const waiting: ScreenLook[] = [];
    for (const look of member.looks) {
      if (member.screen.isReadyFor(look.end)) this.#answer(member.screen, look);
      else waiting.push(look);
    }
    member.looks = waiting;
  }

  #answer(screen: FollowedScreen, look: ScreenLook): void {
    try {
      this.#say({ kind: "answer", call: look.call, data: screen.look(look) });
    } catch (error) {
      this.#say({ kind: "answer", call: look.call, error: messageOf(error) });
    }
  }

  /** So that a successor need not read everything again. */
  async #saveIfBusy(member: Member): Promise<void> {
    const { busyUnsavedBytesMax, busySaveMs } = this.#limits;
    const nowMs = this.#clock.monotonicMs();
    if (member.screen.unsavedBytes > busyUnsavedBytesMax && nowMs - member.savedAtMs >= busySaveMs)
      await this.#save(member);
  }

  async #save(member: Member): Promise<void> {
    member.savedAtMs = this.#clock.monotonicMs();
    await member.screen.save().catch(() => {}); // no room: the journal has it all
  }

  async #finish({ screen, looks, closeCall }: Member): Promise<void> {
    for (const look of looks) this.#answer(screen, look);
    await screen.sleep().catch(() => {});
    if (closeCall !== undefined) this.#say({ kind: "closed", call: closeCall });
  }

  #planSweep(): void {
    if (this.#cancelSweep || this.#sweepIsDue || this.#awake().length === 0) return;
    this.#cancelSweep = this.#clock.timer(this.#limits.idleAfterMs, () => {
      this.#cancelSweep = undefined;
      this.#sweepIsDue = true;
      if (!this.#isWorking) void this.#work();
    });
  }

  /** So that many looks, or sessions that were opened, do not add up. */
  async #sleepExcess(): Promise<boolean> {
    if (this.#awake().length <= this.#limits.idleScreensMax) return false;
    const idle = this.#idle();
    if (idle.length <= this.#limits.idleScreensMax) return false;
    await idle[0]!.screen.sleep();
    return true;
  }

  /** Saves one idle screen, or sends one to sleep; false when there is none. */
  async #sweep(): Promise<boolean> {
    if (await this.#sleepExcess()) return true;
    const nowMs = this.#clock.monotonicMs();
    const idle = this.#idle();
    const [oldest] = idle;
    if (oldest && nowMs - oldest.screen.usedAtMs >= this.#limits.sleepAfterMs) {
      await oldest.screen.sleep();
      return true;
    }
    const { idleAfterMs, unsavedBytesMax } = this.#limits;
    const unsaved = idle.find(
      ({ screen, savedAtMs }) => screen.unsavedBytes > unsavedBytesMax && nowMs - savedAtMs >= idleAfterMs,
    );
    if (unsaved) await this.#save(unsaved);
    this.#sweepIsDue = unsaved !== undefined;
    this.#planSweep();
    return unsaved !== undefined;
  }

  /** With nothing to do; first the one that was used least recently. */
  #idle(): Member[] {
    const nowMs = this.#clock.monotonicMs();
    return this.#awake()
      .filter((member) => !this.#behind.has(member) && !this.#looked.has(member))
      .filter(({ screen }) => nowMs - screen.outputAtMs >= this.#limits.idleAfterMs)
      .sort((a, b) => a.screen.usedAtMs - b.screen.usedAtMs);
  }

  #awake(): Member[] {
    return [...this.#members.values()].filter(({ screen }) => screen.isAwake);
  }
}
