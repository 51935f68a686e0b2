import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Log } from "../platform/log.ts";
import { messageOf, systemCode } from "../protocol/errors.ts";

/**
 * What has happened to the gateways of a home, by number: the stream `gateway`. A line is in the file before anybody is told; the numbers go on after a
 * restart. Two files of at most `FILE_BYTES_MAX` are kept, and read back at the start.
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

export class GatewayEventFile {
  readonly #path: string;
  readonly #log: Log;
  readonly #onEvent: (event: GatewayEvent) => void;
  #events: GatewayEvent[];
  #fileBytes: number;
  #seq: number;

  constructor({ path, log, onEvent }: { path: string; log: Log; onEvent: (event: GatewayEvent) => void }) {
    this.#path = path;
    this.#log = log;
    this.#onEvent = onEvent;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#events = [...read(`${path}.1`), ...read(path)];
    this.#fileBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    this.#seq = this.#events.at(-1)?.seq ?? 0;
    // Behind a line that a crash has cut off.
    if (this.#fileBytes > 0) this.#write("\n");
  }

  get seq(): number {
    return this.#seq;
  }

  add(type: string, dir: string, data: Record<string, unknown>): void {
    this.#seq += 1;
    const event: GatewayEvent = { seq: this.#seq, at: new Date().toISOString(), type, dir, data };
    this.#write(`${JSON.stringify(event)}\n`);
    this.#events.push(event);
    this.#onEvent(event);
  }

  /** At most `limit` of those after `seq`; undefined when some of them are gone. */
  after(seq: number, limit: number): GatewayEvent[] | undefined {
    const first = this.#events[0]?.seq ?? this.#seq + 1;
    if (seq + 1 < first && seq < this.#seq) return undefined;
    return this.#events.filter((event) => event.seq > seq).slice(0, limit);
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
    this.#events = this.#events.slice(-kept);
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
