import { WebSocket } from "ws";
import { HubTalk, logIn } from "../../src/hub/testing/hub-talk.ts";
import { nodeCrypto } from "../../src/platform/node-crypto.ts";
import type { SigningKey } from "../../src/sealing/crypto.ts";
import { decodeFrame, type FrameKind, type FrameOf } from "../../src/sealing/frames.ts";
import type { Role } from "../../src/sealing/login.ts";
import type { HubHost } from "./hub-process.ts";

/** Machines and devices of a hub, frame by frame, in the benchmark's own process. */
export const crypto = nodeCrypto();

/** Fewer than the hub lets wait for their login from one address. */
const CONNECTING = 50;

/** A talk of which some frames are given to a listener as they come, instead of waiting to be asked for. */
export class GuestTalk extends HubTalk {
  readonly #listeners = new Map<FrameKind, (frame: never) => void>();

  on<Kind extends FrameKind>(kind: Kind, listener: (frame: FrameOf<Kind>) => void): void {
    this.#listeners.set(kind, listener);
  }

  override hear(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    const listener = this.#listeners.get(frame.kind);
    if (listener) listener(frame as never);
    else super.hear(bytes);
  }
}

export interface Guest {
  talk: GuestTalk;
  key: SigningKey;
  socket: WebSocket;
}

export interface Space {
  machine: Guest;
  devices: Guest[];
}

/** Logs in. @throws the refusal's code */
export async function enter({ port, key: hubKey }: HubHost, role: Role, key: SigningKey, cursor = 0): Promise<Guest> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/hub/v1`, { perMessageDeflate: false });
  const talk = new GuestTalk((bytes) => socket.send(bytes));
  socket.on("message", (data: Buffer) => talk.hear(data));
  socket.on("close", () => talk.end());
  socket.on("error", () => {}); // a close follows
  const missed = await logIn(talk, { crypto, hubKey, key, role, cursor, isNew: true });
  if (typeof missed === "object" && "refused" in missed) throw new Error(missed.refused);
  return { talk, key, socket };
}

/** Machines with so many devices each, all of them connected. */
export async function fillSpaces(
  host: HubHost,
  { spaceCount, devicesOfSpace }: { spaceCount: number; devicesOfSpace: number },
): Promise<Space[]> {
  const spaces: Space[] = [];
  const waiting: (() => Promise<void>)[] = [];
  for (let count = 0; count < spaceCount; count++) {
    const space: Space = { machine: await enter(host, "machine", await crypto.newSigningKey()), devices: [] };
    spaces.push(space);
    for (let request = 0; request < devicesOfSpace; request++) {
      const key = await crypto.newSigningKey();
      await space.machine.talk.answer({ kind: "admit", request, loginKey: key.publicKey });
      waiting.push(async () => void space.devices.push(await enter(host, "device", key)));
    }
  }
  while (waiting.length > 0) await Promise.all(waiting.splice(0, CONNECTING).map((connect) => connect()));
  return spaces;
}

/** From the space's first device to its machine. Answers the machine's number of it. */
export async function openChannel({ machine, devices }: Space, channel: number): Promise<number> {
  devices[0]!.talk.send({ kind: "open", channel, space: machine.key.publicKey });
  return (await machine.talk.next("opened")).channel;
}
