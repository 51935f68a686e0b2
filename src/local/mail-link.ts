import type { Dial, Wire, WireEvents } from "../client/client.ts";
import { type Build, compareBuilds } from "../platform/build.ts";
import type { Places } from "../platform/paths.ts";
import { readProcess } from "../platform/process.ts";
import { newRequestId } from "../platform/request-id.ts";
import { PROTOCOL, type Response } from "../protocol/envelope.ts";
import { systemCode, WarrenError } from "../protocol/errors.ts";
import type { DataOf, MessageType, PayloadOf } from "../protocol/messages.ts";
import { mailSockets } from "./mail-leader-entry.ts";
import { dialUnix } from "./unix-wire.ts";

/**
 * The way to the mailbox's leader, through any number of its deaths: dials again until somebody leads, and starts a leader when nobody does. What was in
 * hand is repeated by the client with its request id; the link says on each new wire who asks (`client_id`), so that the repeat gets the first answer.
 *
 * A herd is held back by a gate (`gate.ts`) and harmless without it: the lock decides.
 */
export interface MailDialOptions {
  places: Places;
  build: Build;
  env: NodeJS.ProcessEnv;
  /** `find` starts nothing, and fails with NO_LEADER. */
  mode: "start" | "find";
  /** A person at a terminal: begins exchanges anew, and sees all mail. */
  isPerson?: boolean;
  /** What is said first on each new wire: that it joins, the names that it has. Its answers go nowhere. */
  introduce?: () => readonly Introduction[];
  /** Default: a random one for each dial, the same through its reconnections. Whoever says it may speak for the names that it has proven. */
  clientId?: string;
  random?: () => number;
}

export type Introduction = { [T in MessageType]: { type: T; payload: PayloadOf<T> } }[MessageType];

/** After the leader is gone: each time a quarter of what has been waited so far, so that a successor is found within a quarter of its own time. */
const REDIAL = { firstMs: 1, maxMs: 100, growth: 0.25 };
/** The standby leads within this time; after it, we start a leader ourselves. */
const START_AFTER_MS = 100;
/** `find` waits so long for a successor of a leader that was there. */
const FIND_MS = 400;
const GIVE_UP_AFTER_MS = 15_000;
/** A leader that has not said a word to a new wire after this time is looked at by a process that may take its place. */
const SILENT_MS = 1_000;
/** Lines with an id that begins so are the link's own. */
const OWN_ID = "link";
const OWN_ANSWER = `{"id":"${OWN_ID}`;

export function dialMailbox(options: MailDialOptions): Dial {
  const link = new Link(options);
  return (events) => link.dial(events);
}

class Link {
  readonly #options: MailDialOptions;
  readonly #clientId: string;
  /** Epochs that were asked to yield to our build. */
  readonly #askedToYield = new Set<number>();

  constructor(options: MailDialOptions) {
    this.#options = options;
    this.#clientId = options.clientId ?? crypto.randomUUID();
  }

  async dial(events: WireEvents): Promise<Wire> {
    const { mode } = this.#options;
    const begunMs = performance.now();
    let startAtMs = begunMs + START_AFTER_MS;
    let startCount = 0;
    for (;;) {
      const { wire, error } = await this.#tryEach(events);
      if (wire) return wire;
      if (events.unwanted?.aborted) throw noLeader(error);
      const nowMs = performance.now();
      // Nobody has led since the sockets' directory was made, or the last one ended for want of work.
      const neverLed = systemCode(error) === "ENOENT";
      if (mode === "find") {
        if (neverLed || nowMs - begunMs > FIND_MS) throw noLeader(error);
      } else if (neverLed || nowMs >= startAtMs) {
        if (nowMs - begunMs > GIVE_UP_AFTER_MS) throw noLeader(error);
        await this.#start(events.unwanted);
        startCount += 1;
        startAtMs = performance.now() + (startCount + 1) * START_AFTER_MS;
        if (startCount === 1) continue;
      }
      await new Promise((wake) => setTimeout(wake, this.#delayMs(nowMs - begunMs)));
    }
  }

  #delayMs(waitedMs: number): number {
    const whole = Math.min(REDIAL.maxMs, Math.max(REDIAL.firstMs, waitedMs * REDIAL.growth));
    return whole * (1 - (this.#options.random ?? Math.random)() / 4); // so that a herd spreads
  }

  async #tryEach(events: WireEvents): Promise<{ wire?: Wire; error?: unknown }> {
    let first: unknown;
    for (const socket of mailSockets(this.#options.places)) {
      try {
        return { wire: await this.#open(socket, events) };
      } catch (error) {
        if (!nobodyListens(error)) throw error;
        first ??= error;
      }
    }
    return { error: first };
  }

  async #open(socket: string, events: WireEvents): Promise<Wire> {
    let timer: NodeJS.Timeout | undefined;
    let isOpen = false;
    const wire = await dialUnix(socket, {
      onLine: (line) => {
        clearTimeout(timer);
        if (line.startsWith(OWN_ANSWER)) this.#onOwnAnswer(line, wire);
        else events.onLine(line);
      },
      onClose: () => {
        clearTimeout(timer);
        if (isOpen) events.onClose(); // of an attempt that failed, nobody has had a wire
      },
    });
    isOpen = true;
    if (this.#options.mode === "start") {
      timer = setTimeout(() => void this.#start(events.unwanted).catch(() => {}), SILENT_MS);
      timer.unref();
    }
    this.#introduce(wire);
    return wire;
  }

  #introduce(wire: Wire): void {
    const { build, isPerson, introduce } = this.#options;
    const ownStart = readProcess(process.pid)?.startTicks;
    const greeting = {
      protocol: PROTOCOL,
      client: "warren",
      version: build.version,
      client_id: this.#clientId,
      pid: process.pid,
      ...(ownStart === undefined ? {} : { pid_start: String(ownStart) }),
      ...(isPerson ? { is_person: true } : {}),
    };
    wire.send(JSON.stringify({ id: OWN_ID, type: "hello", payload: greeting }));
    for (const { type, payload } of introduce?.() ?? [])
      wire.send(JSON.stringify({ id: `${OWN_ID}-${type}`, type, payload, request_id: newRequestId() }));
  }

  #onOwnAnswer(line: string, wire: Wire): void {
    const answer = JSON.parse(line) as Response<"hello">;
    if (answer.id !== OWN_ID || !answer.success || this.#options.mode !== "start") return;
    void this.#yieldIfOlder(answer.data, wire).catch(() => {});
  }

  /** As servers do: the newer build leads. */
  async #yieldIfOlder(leader: DataOf<"hello">, wire: Wire): Promise<void> {
    const { build, places, env } = this.#options;
    const { git_hash, version, built_at_ms, epoch } = leader as typeof leader & {
      built_at_ms?: number;
      epoch?: number;
    };
    if (git_hash === build.hash || built_at_ms === undefined || epoch === undefined) return;
    if (compareBuilds({ version, builtAtMs: built_at_ms }, build) >= 0 || this.#askedToYield.has(epoch)) return;
    this.#askedToYield.add(epoch);
    const { mailLeaderCommand } = await import("./mail-start.ts");
    const payload = { command: mailLeaderCommand({ places, build, env }), git_hash: build.hash };
    wire.send(JSON.stringify({ id: `${OWN_ID}-yield`, type: "mail.yield", payload }));
  }

  /** Whoever closes its client while a leader is being started for it wants none. */
  async #start(unwanted: AbortSignal | undefined): Promise<void> {
    const { startMailLeaderOnce } = await import("./mail-start.ts"); // what starts processes is not loaded on the usual path
    await startMailLeaderOnce({ ...this.#options, unwanted });
  }
}

const nobodyListens = (error: unknown): boolean =>
  ["ECONNREFUSED", "ENOENT", "ENOTDIR", "ECONNRESET", "EAGAIN", "EPIPE"].includes(systemCode(error) ?? "");

const noLeader = (cause: unknown): WarrenError =>
  new WarrenError("NO_LEADER", "Nobody leads the mailbox.", { fix: "warren mail check      # starts a leader", cause });
