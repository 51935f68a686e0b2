import { statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { readProcess } from "../../platform/process.ts";
import { PROTOCOL, type Response } from "../../protocol/envelope.ts";
import { LineSplitter } from "../../protocol/lines.ts";
import { isHung, isStopped } from "./hung.ts";
import { PING_MS, STANDBY_LOOK_MS, STOPPED_LOOK_MS } from "./limits.ts";
import { STANDBY } from "./roll.ts";

/**
 * The standby's eye on the leader: one connection; each 150 ms a look at its process, three times as often once it is stopped; each second a ping, answered through the
 * writer's thread. `gone` when the connection ends: the lock decides what that means. A leader that hangs is ended here, by pid, start time and user, and by
 * nothing less.
 */
export interface LeaderWatchOptions {
  socketPath: string;
  clock: Clock;
  log: Log;
  /** Joins as the standby of this process, and leaves any other at once. Without it, it only looks. */
  leaderPid?: number;
  /** Where it is known from the log; else it says so itself. */
  kill?: (pid: number) => void;
}

interface Identity {
  pid: number;
  startTicks: number;
}

export class LeaderWatch implements Disposable {
  readonly gone: Promise<void>;
  readonly #options: LeaderWatchOptions;
  readonly #socket: Socket;
  readonly #resolveGone: () => void;
  readonly #answered = Promise.withResolvers<void>();
  #identity: Identity | undefined;
  /** By the leader itself, which is the better word than the log's. */
  #isTold = false;
  #answeredMs: number;
  #tickMs: number;
  #pingedMs = Number.NEGATIVE_INFINITY;
  /** Since when it is seen stopped. */
  #stoppedMs: number | undefined;
  #cancel = (): void => {};
  #nextId = 1;

  constructor(options: LeaderWatchOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.#resolveGone = resolve;
    this.#answeredMs = this.#tickMs = options.clock.monotonicMs();
    this.#socket = connect(options.socketPath);
    const lines = new LineSplitter();
    this.#socket.on("error", () => {}); // a close follows
    this.#socket.on("close", () => this.close());
    this.#socket.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#onLine(line);
    });
    this.#say("hello", { protocol: PROTOCOL, client: "warren-standby", pid: process.pid });
    if (options.leaderPid !== undefined) this.#say("mail.join", { kind: STANDBY, pid: process.pid, may_lead: true });
    else this.#say("mail.status", {});
    this.#tick();
  }

  /** What comes first. */
  async outcome(timeoutMs: number): Promise<"answered" | "gone" | "silent"> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"silent">((resolve) => {
      timer = setTimeout(resolve, timeoutMs, "silent");
    });
    const answered = this.#answered.promise.then(() => "answered" as const);
    const gone = this.gone.then(() => "gone" as const);
    return await Promise.race([answered, gone, late]).finally(() => clearTimeout(timer));
  }

  close(): void {
    this.#cancel();
    this.#socket.destroy();
    this.#resolveGone();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** From the log, as long as the leader has not said who it is. */
  identify({ pid, pidStart }: { pid: number; pidStart: string }): void {
    this.#identity ??= { pid, startTicks: Number(pidStart) };
  }

  #say(type: string, payload: object): void {
    this.#socket.write(`${JSON.stringify({ id: this.#nextId++, type, payload })}\n`);
  }

  #onLine(line: string): void {
    this.#answeredMs = this.#options.clock.monotonicMs();
    this.#answered.resolve();
    if (this.#isTold) return;
    const answer = JSON.parse(line) as Response;
    if (!answer.success) return;
    const { leader, status } = answer.data as { leader?: Told; status?: { leader: Told } };
    const told = leader ?? status?.leader;
    if (!told) return;
    this.#isTold = true;
    if (this.#options.leaderPid !== undefined && this.#options.leaderPid !== told.pid) return this.close();
    this.#identity = { pid: told.pid, startTicks: Number(told.pid_start) };
  }

  #tick(): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    // We were stopped ourselves, or had no processor: what it has answered is not read yet.
    if (nowMs - this.#tickMs > 2 * STANDBY_LOOK_MS) {
      this.#answeredMs = nowMs;
      this.#stoppedMs = undefined;
    }
    this.#tickMs = nowMs;
    if (this.#identity) this.#look(this.#identity, nowMs);
    if (nowMs - this.#pingedMs >= PING_MS) {
      this.#pingedMs = nowMs;
      this.#say("mail.ping", {});
    }
    const lookMs = this.#stoppedMs === undefined ? STANDBY_LOOK_MS : STOPPED_LOOK_MS;
    this.#cancel = clock.timer(lookMs, () => this.#tick());
  }

  #look({ pid, startTicks }: Identity, nowMs: number): void {
    const { log } = this.#options;
    const info = readProcess(pid);
    if (info?.startTicks !== startTicks) return; // gone: its lock is free
    this.#stoppedMs = isStopped(info) ? (this.#stoppedMs ?? nowMs) : undefined;
    const silentMs = nowMs - this.#answeredMs;
    const stoppedMs = this.#stoppedMs === undefined ? 0 : nowMs - this.#stoppedMs;
    if (!isHung({ silentMs, stoppedMs }) || !isOurs(pid)) return;
    log.warn("leader_hangs", { pid, state: info.state, silent_ms: Math.round(silentMs) });
    (this.#options.kill ?? kill)(pid);
  }
}

interface Told {
  pid: number;
  pid_start: string;
}

/** Of our own user; /proc's directory of a process belongs to it. */
const isOurs = (pid: number): boolean =>
  process.platform !== "linux" || statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === process.getuid?.();

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // gone between the look and the signal
  }
}
