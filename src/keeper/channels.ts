import { WarrenError } from "../protocol/errors.ts";
import type { KeeperCall, KeeperChannel, PipeOpenCall, TerminalOpenCall } from "../protocol/keeper-calls.ts";
import { decodeInput, encodeReply, FRAME, type Frame } from "../protocol/keeper-frames.ts";
import { Channel } from "./channel.ts";
import type { Connection } from "./connection.ts";

type CallNamed<Name> = Extract<KeeperCall, { call: Name }>;

/** The programs that the keeper holds, by their numbers on the wire. */
export class Channels {
  readonly #channels = new Map<number, Channel>();
  #lastNumber = 0;

  get all(): Channel[] {
    return [...this.#channels.values()];
  }

  /** @throws CHANNEL_EXISTS, NAME_TAKEN, and what keeps a channel from being made */
  open(call: TerminalOpenCall | PipeOpenCall, holder: Connection): KeeperChannel {
    if (this.all.some(({ id }) => id === call.id)) {
      throw new WarrenError("CHANNEL_EXISTS", `The keeper holds ${call.id} already.`);
    }
    this.#checkName(call);
    const channel = new Channel(call, ++this.#lastNumber, holder);
    this.#channels.set(channel.number, channel);
    return channel.describe();
  }

  /** @throws CHANNEL_NOT_FOUND, STALE_EPOCH */
  take({ server, ids, from }: CallNamed<"lease.take">, holder: Connection): KeeperChannel[] {
    if (from) this.leased(from);
    const wanted = this.all.filter((channel) => (ids ? ids.includes(channel.id) : channel.server === server));
    return wanted.map((channel) => channel.take(server, holder));
  }

  rename(call: CallNamed<"rename">): { done: true } {
    const channel = this.leased(call);
    this.#checkName(call);
    channel.name = call.name;
    return { done: true };
  }

  close(call: CallNamed<"close">): { done: true } {
    const channel = this.leased(call);
    if (!channel.exit) throw new WarrenError("PROGRAM_RUNS", `The program of ${channel.id} runs.`);
    this.#channels.delete(channel.number);
    return { done: true };
  }

  write(frame: Frame, from: Connection): void {
    const channel = this.#channels.get(frame.channel);
    if (channel) return channel.write(frame, from);
    const refusal = { code: "CHANNEL_NOT_FOUND", error: `The keeper holds no channel ${frame.channel}.` };
    from.send(FRAME.refused, frame.channel, 0, encodeReply(decodeInput(frame.payload).source, refusal));
  }

  /** @throws CHANNEL_NOT_FOUND, STALE_EPOCH */
  leased = ({ id, epoch }: { id: string; epoch: number }): Channel => this.named(id).check(epoch);

  /** @throws CHANNEL_NOT_FOUND */
  named(id: string): Channel {
    const channel = this.all.find((one) => one.id === id);
    if (channel) return channel;
    throw new WarrenError("CHANNEL_NOT_FOUND", `The keeper holds no channel ${id}.`);
  }

  /** Names are unique among those whose program runs. */
  #checkName({ id, name }: { id: string; name?: string }): void {
    const isTaken = this.all.some((one) => one.name === name && one.id !== id && !one.exit);
    if (name !== undefined && isTaken) throw new WarrenError("NAME_TAKEN", `The name ${name} is taken.`);
  }
}
