import type { Socket } from "node:net";
import { WarrenError } from "../protocol/errors.ts";
import type { KeeperAnswers, KeeperCall, PipeOpenCall, TerminalOpenCall } from "../protocol/keeper-calls.ts";
import { encodeFrame, FRAME, type Frame } from "../protocol/keeper-frames.ts";
import { Channel } from "./channel.ts";

/** The programs that the keeper holds, by their ids and by their numbers on the wire. */
export class Channels {
  readonly #byId = new Map<string, Channel>();
  readonly #byNumber = new Map<number, Channel>();
  /** Ids and names of programs that are being started. */
  readonly #coming = new Set<string>();
  #lastNumber = 0;

  get count(): number {
    return this.#byId.size;
  }

  /** Undefined for a call that is not about channels. */
  async perform(call: KeeperCall, holder: Socket): Promise<KeeperAnswers[KeeperCall["call"]] | undefined> {
    switch (call.call) {
      case "channels":
        return { channels: [...this.#byId.values()].map((channel) => channel.describe()) };
      case "terminal.open":
      case "pipe.open":
        return this.#open(call, holder);
      case "lease.take": {
        const wanted = [...this.#byId.values()].filter(({ spec, isHeldBy }) =>
          call.ids ? call.ids.includes(spec.id) : isHeldBy(call.server),
        );
        return { channels: wanted.map((channel) => channel.take(call.server, holder)) };
      }
      case "resize":
        return this.#leased(call).resize(call.cols, call.rows);
      case "signal":
        this.#leased(call).signal(call.signal, call.foreground === true);
        return { done: true };
      case "rename":
        this.#checkName(call.name, call.id);
        this.#leased(call).name = call.name;
        return { done: true };
      case "input.seen":
        return { bytes: this.#named(call.id).bytesOf(BigInt(`0x${call.source}`)) };
      case "input.end":
        this.#leased(call).endInput();
        return { done: true };
      case "close":
        this.#close(this.#leased(call));
        return { done: true };
      default:
        return undefined;
    }
  }

  write(frame: Frame, from: Socket): void {
    const channel = this.#byNumber.get(frame.channel);
    if (channel) return channel.input(frame, from);
    const payload = Buffer.concat([
      frame.payload.subarray(4, 12),
      Buffer.from(JSON.stringify({ code: "CHANNEL_NOT_FOUND", error: `no channel ${frame.channel}` })),
    ]);
    from.write(encodeFrame({ type: FRAME.refused, channel: frame.channel, offset: 0n, payload }));
  }

  async #open(call: TerminalOpenCall | PipeOpenCall, holder: Socket) {
    const marks = [`id ${call.id}`, ...(call.name === undefined ? [] : [`name ${call.name}`])];
    if (this.#byId.has(call.id) || this.#coming.has(marks[0]!))
      throw new WarrenError("CHANNEL_EXISTS", `The keeper holds ${call.id} already.`);
    if (call.name !== undefined) this.#checkName(call.name, call.id);
    for (const mark of marks) this.#coming.add(mark);
    try {
      this.#lastNumber += 1;
      const channel = await Channel.open(call, this.#lastNumber, holder);
      this.#byId.set(call.id, channel);
      this.#byNumber.set(channel.number, channel);
      return channel.describe();
    } finally {
      for (const mark of marks) this.#coming.delete(mark);
    }
  }

  #close(channel: Channel): void {
    if (!channel.exit) throw new WarrenError("PROGRAM_RUNS", `The program of ${channel.spec.id} runs.`);
    channel.close();
    this.#byId.delete(channel.spec.id);
    this.#byNumber.delete(channel.number);
  }

  /** Among those whose program runs. */
  #checkName(name: string, id: string): void {
    const isTaken = [...this.#byId.values()].some((one) => one.name === name && !one.exit && one.spec.id !== id);
    if (isTaken || this.#coming.has(`name ${name}`)) throw new WarrenError("NAME_TAKEN", `The name ${name} is taken.`);
  }

  #leased = ({ id, epoch }: { id: string; epoch: number }): Channel => this.#named(id).check(epoch);

  #named(id: string): Channel {
    const channel = this.#byId.get(id);
    if (!channel) throw new WarrenError("CHANNEL_NOT_FOUND", `The keeper holds no channel ${id}.`);
    return channel;
  }
}
