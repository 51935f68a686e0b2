import { appendFileSync, readFileSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { makeDirectories } from "../platform/directories.ts";
import type { Log } from "../platform/log.ts";
import type { GatewayEventType } from "../protocol/envelope.ts";
import { messageOf, systemCode } from "../protocol/errors.ts";

/**
 * What has happened to the gateways of a home, by number: the stream `gateway`. A line is in the file before anybody is told; the numbers go on after a
 * restart. Two files of at most `FILE_BYTES_MAX` are kept, and read back when they are first asked for or added to: a server's start does not wait for that.
 */
export interface GatewayEvent {
  seq: number;
  /** RFC 3339. */
  at: string;
  type: string;
  /** The project's directory. */
  dir: string;
  data: Record<string, unknown>;
}

const FILE_BYTES_MAX = 1024 * 1024;
/** In memory: about what two files hold. It counts while the disk is full, and no file comes to its end. */
const EVENTS_MAX = 20_000;

export class GatewayEventFile {
  readonly #path: string;
  readonly #log: Log;
  readonly #onEvent: (event: GatewayEvent) => void;
  #read: { events: GatewayEvent[]; seq: number } | undefined;
  #fileBytes = 0;

  constructor({ path, log, onEvent }: { path: string; log: Log; onEvent: (event: GatewayEvent) => void }) {
    this.#path = path;
    this.#log = log;
    this.#onEvent = onEvent;
  }

  get seq(): number {
    return this.#known().seq;
  }

  add(type: GatewayEventType, dir: string, data: Record<string, unknown>): void {
    const known = this.#known();
    known.seq += 1;
    const event: GatewayEvent = { seq: known.seq, at: new Date().toISOString(), type, dir, data };
    this.#write(`${JSON.stringify(event)}\n`);
    known.events.push(event);
    if (known.events.length > EVENTS_MAX) known.events.shift();
    this.#onEvent(event);
  }

  /** At most `limit` of those after `seq`; undefined when some of them are gone, or `seq` is of none that there was: of lines that were lost. */
  after(seq: number, limit: number): GatewayEvent[] | undefined {
    const { events, seq: last } = this.#known();
    if (seq > last) return undefined;
    const first = events[0]?.seq ?? last + 1;
    if (seq + 1 < first) return undefined;
    return events.filter((event) => event.seq > seq).slice(0, limit);
  }

  #known(): { events: GatewayEvent[]; seq: number } {
    if (this.#read) return this.#read;
    makeDirectories(dirname(this.#path), 0o700);
    const events = [...read(`${this.#path}.1`), ...read(this.#path)];
    this.#read = { events, seq: events.at(-1)?.seq ?? 0 };
    this.#fileBytes = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    // Behind a line that a crash has cut off.
    if (this.#fileBytes > 0) this.#write("\n");
    return this.#read;
  }

  /** A full disk loses the line, not the event: who follows is told all the same. */
  #write(line: string): void {
    try {
      if (this.#fileBytes > FILE_BYTES_MAX) this.#turn();
      appendFileSync(this.#path, line, { mode: 0o600 });
      this.#fileBytes += Buffer.byteLength(line);
    } catch (error) {
      this.#log.warn("event_not_written", { error: messageOf(error) });
    }
  }

  #turn(): void {
    const kept = read(this.#path).length;
    renameSync(this.#path, `${this.#path}.1`);
    if (this.#read) this.#read.events = this.#read.events.slice(-kept);
    this.#fileBytes = 0;
  }
}

/** A last line that was cut off by a crash is nobody's event. */
function read(path: string): GatewayEvent[] {
  try {
    const lines = readFileSync(path, "utf8").split("\n");
    return lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as GatewayEvent];
      } catch {
        return [];
      }
    });
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
