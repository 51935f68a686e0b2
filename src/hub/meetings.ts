import type { FrameOf } from "../sealing/frames.ts";
import type { Audience } from "./audience.ts";
import type { Channels } from "./channels.ts";
import { type Connection, keyId } from "./connection.ts";
import type { Rendezvous } from "./rendezvous.ts";

/** How two ends come to a channel: a device by its space, a guest by a pairing code. */
export class Meetings {
  readonly #audience: Audience;
  readonly #channels: Channels;
  readonly #rendezvous: Rendezvous;

  constructor({
    audience,
    channels,
    rendezvous,
  }: {
    audience: Audience;
    channels: Channels;
    rendezvous: Rendezvous;
  }) {
    this.#audience = audience;
    this.#channels = channels;
    this.#rendezvous = rendezvous;
  }

  open(connection: Connection, { channel, space }: FrameOf<"open">): void {
    const { loginKey } = connection.identity!;
    // Whoever is no member learns as little as where nobody is.
    const machine = connection.memberOf(keyId(space)) && this.#audience.machine(space);
    this.#channels.open(connection, channel, machine, (number) => ({ kind: "opened", channel: number, loginKey }));
  }

  /** A machine, or a device that some machine lets in, waits for a guest. @throws RENDEZVOUS_FULL, RENDEZVOUS_TAKEN */
  async wait(connection: Connection, { id, expires }: FrameOf<"rendezvous">): Promise<void> {
    if (expires === 0) this.#rendezvous.takeBack(connection, id);
    else this.#rendezvous.add(connection, id, expires);
  }

  meet(connection: Connection, { channel, id }: FrameOf<"meet">): void {
    const { loginKey } = connection.identity!;
    const member = connection.channels.has(channel) ? undefined : this.#rendezvous.meet(id);
    this.#channels.open(connection, channel, member, (number) => ({ kind: "met", channel: number, id, loginKey }));
  }
}
