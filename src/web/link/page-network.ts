import { hubUnreachable } from "../../contact/errors.ts";
import { claimAt } from "../../contact/hub-claim.ts";
import type { HubNetwork, HubWire } from "../../contact/network.ts";
import { messageOf, WarrenError } from "../../protocol/errors.ts";
import { HUB_PATH } from "../../sealing/frames.ts";
import { sendOpen } from "./send-open.ts";

/** Hubs as a page reaches them: its WebSocket, which cannot be told to wait, and `fetch`. Nothing of the browser's own goes along: no cookie, no referrer. */
export interface PageWorld {
  /** Of this page: https pages may not open http addresses. */
  protocol: string;
  fetch: typeof fetch;
  WebSocket: typeof WebSocket;
}

export const pageWorld = (): PageWorld => ({
  protocol: location.protocol,
  fetch: (...given) => fetch(...given),
  WebSocket,
});

export function pageNetwork(world: PageWorld): HubNetwork {
  return {
    dial(address, { onFrame, onClosed }, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<HubWire>();
      const refused = notFromHere(world, address);
      if (refused) return Promise.reject(refused);
      const socket = new world.WebSocket(`${address.replace(/^http/, "ws")}${HUB_PATH}`);
      socket.binaryType = "arraybuffer";
      const drop = (): void => socket.close();
      signal.addEventListener("abort", drop, { once: true });
      let isOpen = false;
      socket.addEventListener("open", () => {
        isOpen = true;
        resolve({ send: (frame) => sendOpen(socket, frame), close: drop });
      });
      socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
        if (data instanceof ArrayBuffer) onFrame(new Uint8Array(data));
        else drop();
      });
      socket.addEventListener("close", () => {
        signal.removeEventListener("abort", drop);
        if (isOpen) onClosed();
        else reject(hubUnreachable(address, "nothing answers there, or the way to it is cut", ON_THE_HUB));
      });
      if (signal.aborted) drop();
      return promise;
    },

    async claim(address, signal) {
      const refused = notFromHere(world, address);
      if (refused) throw refused;
      try {
        // Nothing of the browser's own goes along.
        const alone = { credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store" } as const;
        return await claimAt(address, signal, (url, init) => world.fetch(url, { ...init, ...alone }));
      } catch (error) {
        if (error instanceof WarrenError) throw error;
        throw hubUnreachable(address, whyOf(error), ON_THE_HUB);
      }
    },
  };
}

const ON_THE_HUB = "warren hub status      # on the hub";

const LOCAL = /^http:\/\/(localhost|127\.[\d.]+|\[::1\])(:|\/|$)/;

/** Browsers refuse it without a word (W3C Mixed Content), but for this machine itself. */
function notFromHere({ protocol }: PageWorld, address: string): WarrenError | undefined {
  if (protocol !== "https:" || !address.startsWith("http:") || LOCAL.test(address)) return undefined;
  return hubUnreachable(address, "a page that came by https may not open http", "give the hub an https address");
}

/** A page is told no more of a failed fetch than that it failed. */
function whyOf(error: unknown): string {
  if (error instanceof DOMException && error.name === "TimeoutError") return "it does not answer";
  if (error instanceof TypeError) return "nothing answers there, or the way to it is cut";
  return messageOf(error).replace(/\.$/, "");
}
