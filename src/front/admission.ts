import { readFileSync } from "node:fs";
import type net from "node:net";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { DataPlane } from "./proxy/data-plane.ts";
import type { Door } from "./tls/door.ts";

/**
 * How many clients may be connected, so that the process never runs out of descriptors: what it cannot accept, and what it cannot open for those that it has
 * accepted, would hit anybody. When there is no room, connections without a request are closed, the oldest first; when there is none of these either, a new one is
 * refused. An instance has no more connections in use than clients have requests, and a bounded number that wait; these are the other half.
 */
export interface AdmissionOptions {
  door: Pick<Door, "accept" | "pendingCount" | "dropOldest">;
  plane: Pick<DataPlane, "connectionCount" | "closeIdle" | "limits">;
  clock: Clock;
  log: Log;
  /** Default: what this process may have. */
  descriptorsMax?: number;
}

/** Of descriptors: for files, logs, watches, sockets of servers, and connections that wait at instances. A small limit keeps a quarter. */
const RESERVED_DESCRIPTORS = 1_024;
/** Closed at a time, so that looking for them costs little for each: this many, or this part of all, whichever is less. */
const CLOSED_AT_ONCE_MAX = 64;
const CLOSED_PART = 16;
/** After a look at all connections found none idle, the next look waits so long. */
const LOOK_AGAIN_MS = 250;
/** How often it is said that there is no room. */
const SAID_EVERY_MS = 60_000;

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #most: number;
  #lookAtMs = Number.NEGATIVE_INFINITY;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #refusedCount = 0;

  constructor(options: AdmissionOptions) {
    const { descriptorsMax = descriptorLimit() } = options;
    this.#options = options;
    this.#most = Math.max(1, Math.floor((descriptorsMax - Math.min(RESERVED_DESCRIPTORS, descriptorsMax / 4)) / 2));
  }

  /** Connections of clients at a time. */
  get most(): number {
    return Math.min(this.#most, this.#options.plane.limits.connectionsMax);
  }

  accept(socket: net.Socket): void {
    const { door, plane } = this.#options;
    if (plane.connectionCount + door.pendingCount >= this.most && !this.#makeRoom()) this.#refuse(socket);
    else door.accept(socket);
  }

  #makeRoom(): boolean {
    const { door, plane, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs >= this.#lookAtMs) {
      const most = Math.min(CLOSED_AT_ONCE_MAX, Math.ceil(this.most / CLOSED_PART));
      if (plane.closeIdle(most) > 0) return true;
      this.#lookAtMs = nowMs + LOOK_AGAIN_MS;
    }
    return door.dropOldest();
  }

  /** By a reset: an answer would have to be waited for until the client has read it. */
  #refuse(socket: net.Socket): void {
    const { clock, log } = this.#options;
    this.#refusedCount++;
    socket.on("error", () => {}); // a close follows
    socket.resetAndDestroy();
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#saidAtMs < SAID_EVERY_MS) return;
    this.#saidAtMs = nowMs;
    log.warn("connections_refused", { most: this.most, refusedCount: this.#refusedCount });
  }
}

/** RLIMIT_NOFILE of this process: Node raises it to the hard limit at its start. Where the system does not tell, what all have. */
function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
    return soft === undefined || soft === "unlimited" ? UNKNOWN_DESCRIPTORS : Number(soft);
  } catch {
    return UNKNOWN_DESCRIPTORS;
  }
}

/** macOS's kern.maxfilesperproc is 10,240 at the least. */
const UNKNOWN_DESCRIPTORS = 10_240;
