import type { Clock } from "../../platform/clock.ts";
import { encodePacket, type Said } from "./packets.ts";
import type { Transport } from "./transport.ts";

/** Puts this machine's name on what it says. */
export class Post {
  readonly machine: string;
  readonly logId: string;
  readonly #transport: Transport;
  readonly #clock: Clock;
  /** Of what need not be recognised when it is said again. */
  #count = 0;
  readonly #run = crypto.randomUUID().slice(0, 8);

  constructor(options: { machine: string; logId: string; transport: Transport; clock: Clock }) {
    this.machine = options.machine;
    this.logId = options.logId;
    this.#transport = options.transport;
    this.#clock = options.clock;
  }

  /** Resolves when it is kept. `id`: of a packet that may be said twice. */
  say(to: string, said: Said, id = `${this.#run}.${++this.#count}`): Promise<void> {
    const { machine, logId } = this;
    const packet = encodePacket({ v: 1, from: machine, to, log_id: logId, at_ms: this.#clock.wallMs(), said });
    return this.#transport.publish(to, packet, `${logId}.${id}`);
  }

  /** What is said again by itself when it is lost. */
  mention(to: string, said: Said): void {
    void this.say(to, said).catch(() => undefined);
  }
}
