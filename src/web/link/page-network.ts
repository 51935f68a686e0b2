import type { HubClaim, HubNetwork, HubWire } from "../../contact/network.ts";
import { messageOf, WarrenError } from "../../protocol/errors.ts";
import { fromHex } from "../../sealing/bytes.ts";
import { KEY_BYTES } from "../../sealing/crypto.ts";

/** Hubs as a page reaches them: its WebSocket, which cannot be told to wait, and `fetch`. Nothing of the browser's own goes along: no cookie, no referrer. */
export interface PageWorld {
  /** Of this page: https pages may not open http addresses. */
  protocol: string;
  fetch: typeof fetch;
  WebSocket: typeof WebSocket;
}

const HUB_PATH = "/hub/v1";
const CLAIM_MS = 10_000;
/** What a hub says of itself is a few hundred bytes. */
const CLAIM_BYTES_MAX = 16 * 1024;
const LABEL_LENGTH_MAX = 100;

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
        resolve({ send: (frame) => socket.send(frame as Uint8Array<ArrayBuffer>), close: drop });
      });
      socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
        if (data instanceof ArrayBuffer) onFrame(new Uint8Array(data));
        else drop();
      });
      socket.addEventListener("close", () => {
        signal.removeEventListener("abort", drop);
        if (isOpen) onClosed();
        else reject(unreachable(address, "nothing answers there, or the way to it is cut"));
      });
      if (signal.aborted) drop();
      return promise;
    },

    async claim(address, signal) {
      const refused = notFromHere(world, address);
      if (refused) throw refused;
      const stop = AbortSignal.any([signal, AbortSignal.timeout(CLAIM_MS)]);
      try {
        const response = await world.fetch(`${address}${HUB_PATH}/key`, {
          signal: stop,
          redirect: "error",
          credentials: "omit",
          referrerPolicy: "no-referrer",
          cache: "no-store",
        });
        if (!response.ok) throw notThere(address);
        return parseClaim(await bounded(response, address), address);
      } catch (error) {
        if (error instanceof WarrenError) throw error;
        throw unreachable(address, whyOf(error));
      }
    },
  };
}

async function bounded(response: Response, address: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  const reader = response.body?.getReader();
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    text += decoder.decode(read.value, { stream: true });
    if (text.length <= CLAIM_BYTES_MAX) continue;
    await reader?.cancel();
    throw notThere(address);
  }
  return text + decoder.decode();
}

function parseClaim(text: string, address: string): HubClaim {
  try {
    const { key, label } = JSON.parse(text) as { key?: unknown; label?: unknown };
    const bytes = typeof key === "string" ? fromHex(key) : undefined;
    if (bytes?.length === KEY_BYTES)
      return { key: bytes, label: typeof label === "string" ? label.slice(0, LABEL_LENGTH_MAX) : "" };
  } catch {
    // no JSON: said below
  }
  throw notThere(address);
}

const LOCAL = /^http:\/\/(localhost|127\.[\d.]+|\[::1\])(:|\/|$)/;

/** Browsers refuse it without a word (W3C Mixed Content), but for this machine itself. */
function notFromHere({ protocol }: PageWorld, address: string): WarrenError | undefined {
  if (protocol !== "https:" || !address.startsWith("http:") || LOCAL.test(address)) return undefined;
  return unreachable(address, "a page that came by https may not open http", "give the hub an https address");
}

/** A page is told no more of a failed fetch than that it failed. */
function whyOf(error: unknown): string {
  if (error instanceof DOMException && error.name === "TimeoutError") return "it does not answer";
  if (error instanceof TypeError) return "nothing answers there, or the way to it is cut";
  return messageOf(error).replace(/\.$/, "");
}

const unreachable = (address: string, why: string, fix = "warren hub status      # on the hub"): WarrenError =>
  new WarrenError("HUB_UNREACHABLE", `The hub at ${address} cannot be reached: ${why}.`, { fix });

const notThere = (address: string): WarrenError =>
  new WarrenError("HUB_NOT_THERE", `Something answers at ${address}, but it is no hub of Warren.`, {
    fix: "warren hub status      # on the hub: shows its addresses",
  });
