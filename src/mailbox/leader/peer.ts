import { environValues, hasEnded, readProcess } from "../../platform/process.ts";
import type { MailMember, Presence } from "../../protocol/mail-units.ts";
import type { PayloadOf } from "../../protocol/messages.ts";
import type { LineConnection } from "../../serving/line-connection.ts";
import type { By } from "../log/operations.ts";

/** One connection that speaks our protocol: who is at its other end, as far as it has said, and for whom it speaks. */
export class Peer {
  readonly connection: LineConnection;
  /** When it came, in wall time. */
  readonly sinceMs: number;
  member: MailMember | undefined;
  /** Of a server's agents, by their ids. */
  states: Readonly<Record<string, Presence>> = {};
  /** What it has registered last. */
  name: string | undefined;
  pid: number | undefined;
  pidStart: string | undefined;
  #clientId: string | undefined;
  #isPerson = false;
  #unit: string | undefined;

  constructor(connection: LineConnection, sinceMs: number) {
    this.connection = connection;
    this.sinceMs = sinceMs;
  }

  /** A second greeting adds to the first: the link of a client says who it is, and the client behind it what it is. */
  greeted(greeting: PayloadOf<"hello">): void {
    const { client_id, pid, pid_start, is_person } = greeting;
    if (typeof client_id === "string" && client_id !== "") this.#clientId = client_id;
    if (is_person === true) this.#isPerson = true;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return;
    const found = readProcess(pid);
    const start = typeof pid_start === "string" ? pid_start : undefined;
    if (!found || (start !== undefined && start !== String(found.startTicks))) return; // of another pid namespace, or gone
    this.pid = pid;
    this.pidStart = String(found.startTicks);
    this.#unit = environValues(pid, SESSION_VARIABLE)[0];
  }

  /** It waits for the end of a handover, and gets its answer. */
  isKept = false;
  /** It has fetched mail, which it may still hold. */
  hasFetched = false;

  get clientId(): string | undefined {
    return this.#clientId;
  }

  /** Its process has ended; false when that cannot be known. */
  isOver(): boolean {
    if (this.pid === undefined) return false;
    const info = readProcess(this.pid);
    return info === undefined || hasEnded(info) || String(info.startTicks) !== this.pidStart;
  }

  /** Who asks, with `as` of the payload. Without an id of its own a client is its connection. */
  by(as: string | undefined): By {
    this.#clientId ??= crypto.randomUUID();
    const name = as ?? this.name;
    return {
      client: this.#clientId,
      ...(name === undefined ? {} : { name }),
      ...(this.#unit === undefined ? {} : { unit: this.#unit }),
      ...(this.member?.kind === "server" ? { isServer: true } : {}),
      ...(this.#isPerson ? { isPerson: true } : {}),
    };
  }
}

/** The id of the session or agent in which a process runs. */
const SESSION_VARIABLE = "WARREN_SESSION";
