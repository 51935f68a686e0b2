import type { HubNetwork } from "../../src/contact/network.ts";
import { socketNetwork } from "../../src/local/remote/socket-network.ts";

/** The first bytes of frames (docs/remote-design.md): of the hub's welcome, and of what a device waits for an answer to. `took` and `pong` are told and forgotten. */
const WELCOME = 3;
const ASKING: readonly number[] = [2, 32, 48, 65];

/** Frames and bytes of a device's connections, as the hub's protocol has them: without what HTTP, WebSocket and TCP add. */
export interface Traffic {
  sentBytes: number;
  sentFrames: number;
  receivedBytes: number;
  receivedFrames: number;
  /** Both ways, up to the hub's welcome. */
  welcomeBytes: number;
  /** How often the device had to wait for the hub's word before it could say its own. */
  roundTrips: number;
}

/** By address. */
export function countingNetwork(inner: HubNetwork = socketNetwork): {
  network: HubNetwork;
  of(address: string): Traffic;
} {
  const traffic = new Map<string, Traffic>();
  const of = (address: string): Traffic => {
    const known = traffic.get(address);
    if (known) return known;
    const fresh = { sentBytes: 0, sentFrames: 0, receivedBytes: 0, receivedFrames: 0, welcomeBytes: 0, roundTrips: 0 };
    traffic.set(address, fresh);
    return fresh;
  };
  const network: HubNetwork = {
    ...inner,
    async dial(address, events, signal) {
      const counts = of(address);
      let isAnswered = true;
      const onFrame = (frame: Uint8Array): void => {
        counts.receivedBytes += frame.length;
        counts.receivedFrames += 1;
        if (frame[0] === WELCOME) counts.welcomeBytes = counts.sentBytes + counts.receivedBytes;
        if (!isAnswered) counts.roundTrips += 1;
        isAnswered = true;
        events.onFrame(frame);
      };
      const wire = await inner.dial(address, { ...events, onFrame }, signal);
      return Object.assign(wire, {
        send: ((send) => (frame: Uint8Array) => {
          counts.sentBytes += frame.length;
          counts.sentFrames += 1;
          isAnswered &&= !ASKING.includes(frame[0]!);
          send(frame);
        })(wire.send),
      });
    },
  };
  return { network, of };
}
