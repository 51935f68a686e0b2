import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { awayReason } from "../log/away-reason.ts";
import { Confirmations } from "./confirmations.ts";
import { Lane } from "./lane.ts";
import { AWAY_MS, CLOCK_AHEAD_MS } from "./limits.ts";
import type { MachineLog } from "./machine-log.ts";
import type { Packet } from "./packets.ts";
import type { Post } from "./post.ts";
import { Told } from "./told.ts";
import type { ReceivedPacket } from "./transport.ts";

/** Another machine: what goes to it, what comes from it, and whether it is there. */
export interface PeerMachineOptions {
  name: string;
  epoch: number;
  log: MachineLog;
  post: Post;
  clock: Clock;
  ownLog: Log;
  /** It has come, or gone. */
  onPresence: (isHere: boolean) => void;
}

export class PeerMachine {
  readonly name: string;
  readonly lane: Lane;
  readonly told: Told;
  readonly #options: PeerMachineOptions;
  readonly #confirmations: Confirmations;
  #isHere = false;
  #sinceMs = 0;
  #epoch: unknown;
  #cancelAway = (): void => {};

  constructor(options: PeerMachineOptions) {
    const { name, epoch, log, post, clock, ownLog } = options;
    this.name = name;
    this.#options = options;
    this.lane = new Lane({ machine: name, epoch, log, post, clock, ownLog });
    this.told = new Told({ machine: name, log, post, clock });
    this.#confirmations = new Confirmations({ machine: name, post, clock });
  }

  get isHere(): boolean {
    return this.#isHere;
  }

  /** Wall time. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  connected(isFresh: boolean): void {
    this.lane.connected(isFresh);
    this.told.connected();
  }

  /** Nobody can say whether it is there. */
  disconnected(): void {
    this.lane.disconnected();
    this.told.disconnected();
    this.#setHere(false);
  }

  /** It has said that it is there, led in that epoch of its own. */
  heard(epoch: unknown): void {
    if (this.#epoch !== undefined && this.#epoch !== epoch) {
      this.lane.restarted();
      this.told.restarted();
    }
    this.#epoch = epoch;
    this.#cancelAway();
    this.#cancelAway = this.#options.clock.timer(AWAY_MS, () => this.#setHere(false));
    this.#setHere(true);
  }

  gone(): void {
    this.#setHere(false);
  }

  close(): void {
    this.#cancelAway();
    this.lane.close();
    this.told.close();
    this.#confirmations.close();
  }

  /** Done with only when its effect is in the log. */
  async take(packet: Packet, { done }: Pick<ReceivedPacket, "done">): Promise<void> {
    if (await this.#take(packet)) done();
  }

  async #take({ said, log_id, at_ms }: Packet): Promise<boolean> {
    const { log, post, clock } = this.#options;
    if ("of" in said && said.of !== post.logId) return true; // of a log that is not here any more
    switch (said.type) {
      case "mail": {
        const aheadMs = at_ms - clock.wallMs();
        if (aheadMs <= CLOCK_AHEAD_MS) return this.#arrive(log_id, said.copy);
        const reason = `its clock is ${Math.round(aheadMs / 60_000)} minutes ahead of that of ${post.machine}`;
        post.mention(this.name, { type: "hold", of: log_id, n: said.copy.n, reason });
        return true;
      }
      case "stored":
        await this.lane.stored(said.ns);
        return true;
      case "want":
        this.lane.wanted(said.after);
        return true;
      case "hold":
        this.lane.held(said.n, said.reason);
        return true;
      case "refused":
        await this.lane.refused(said.n, said.reason);
        return true;
      case "receipts":
        await log.perform("log.receipts", { machine: this.name, receipts: said.receipts });
        post.mention(this.name, { type: "noted", receipts: said.receipts.map(({ n, state }) => ({ n, state })) });
        return true;
      case "noted":
        await this.told.noted(said.receipts);
        return true;
    }
  }

  async #arrive(logId: string, copy: Extract<Packet["said"], { type: "mail" }>["copy"]): Promise<boolean> {
    const { log, post } = this.#options;
    const { n, from } = copy;
    const { outcome, last, reason = "" } = await log.perform("log.arrive", { machine: this.name, log_id: logId, copy });
    if (outcome === "taken" || outcome === "known") this.#confirmations.stored(logId, n);
    else if (outcome === "gap") this.#confirmations.want(logId, from, last);
    else {
      const type = outcome === "full" ? "hold" : "refused";
      post.mention(this.name, { type, of: logId, n, reason: awayReason(reason) });
    }
    return true;
  }

  #setHere(isHere: boolean): void {
    if (isHere === this.#isHere) return;
    if (!isHere) this.#cancelAway();
    this.#isHere = isHere;
    this.#sinceMs = this.#options.clock.wallMs();
    this.lane.here(isHere);
    this.told.here(isHere);
    this.#options.onPresence(isHere);
  }
}
