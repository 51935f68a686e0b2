import WebSocket from "ws";
import type { HubClaim, HubNetwork, HubWire } from "../../contact/network.ts";
import { messageOf, systemCode, WarrenError } from "../../protocol/errors.ts";
import { fromHex } from "../../sealing/bytes.ts";
import { KEY_BYTES } from "../../sealing/crypto.ts";
import { FRAME_BYTES_MAX } from "../../sealing/frames.ts";

/** Hubs as a machine and a command line reach them: WebSockets that can wait, and HTTP. */
const HUB_PATH = "/hub/v1";
const CLAIM_MS = 10_000;
/** What a hub says of itself is a few hundred bytes. */
const CLAIM_BYTES_MAX = 16 * 1024;
const LABEL_LENGTH_MAX = 100;

export const socketNetwork: HubNetwork = {
  dial(address, { onFrame, onClosed }, signal) {
    const { promise, resolve, reject } = Promise.withResolvers<HubWire>();
    const socket = new WebSocket(`${address.replace(/^http/, "ws")}${HUB_PATH}`, {
      perMessageDeflate: false, // what is sealed does not get smaller
      maxPayload: FRAME_BYTES_MAX,
      followRedirects: false,
    });
    const drop = (): void => socket.terminate();
    signal.addEventListener("abort", drop, { once: true });
    let lastError: unknown;
    let isOpen = false;
    socket.on("error", (error) => {
      lastError = error; // a close follows
    });
    socket.on("open", () => {
      isOpen = true;
      resolve({
        send: (frame) => socket.send(frame),
        pause: () => socket.pause(),
        resume: () => socket.resume(),
        close: drop,
      });
    });
    socket.on("message", (data, isBinary) => {
      if (isBinary) onFrame(data as Buffer);
      else drop();
    });
    socket.on("close", () => {
      signal.removeEventListener("abort", drop);
      if (isOpen) onClosed();
      else reject(unreachable(address, whyOf(lastError)));
    });
    if (signal.aborted) drop();
    return promise;
  },

  async claim(address, signal) {
    const stop = AbortSignal.any([signal, AbortSignal.timeout(CLAIM_MS)]);
    try {
      const response = await fetch(`${address}${HUB_PATH}/key`, { signal: stop, redirect: "error" });
      if (!response.ok) throw notThere(address);
      return parseClaim(await bounded(response, address), address);
    } catch (error) {
      throw error instanceof WarrenError ? error : unreachable(address, whyOf(error));
    }
  },
};

async function bounded(response: Response, address: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > CLAIM_BYTES_MAX) throw notThere(address);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
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

const UNKNOWN_SIGNER =
  "its certificate is signed by nobody whom this machine knows; whom it is to know besides stands in remote/hub-ca.pem in its home";
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ENOTFOUND: "there is no such name",
  EAI_AGAIN: "its name cannot be looked up now",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "there is no way to it",
  ENETUNREACH: "there is no way to it",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_SIGNER,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_SIGNER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_SIGNER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_SIGNER,
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};

function whyOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const inner = cause instanceof AggregateError ? cause.errors[0] : cause;
  const code = systemCode(inner);
  if (code !== undefined && WORDS[code]) return WORDS[code];
  return error === undefined ? "the connection was given up" : messageOf(inner).replace(/\.$/, "");
}

const unreachable = (address: string, why: string): WarrenError =>
  new WarrenError("HUB_UNREACHABLE", `The hub at ${address} cannot be reached: ${why}.`, {
    fix: `curl ${address}/hub/v1/key      # on the hub: warren hub status`,
  });

const notThere = (address: string): WarrenError =>
  new WarrenError(
    "HUB_NOT_THERE",
    `Something answers at ${address}, but it is no hub of Warren, or one of another version.`,
    {
      fix: "warren hub status      # on the hub: shows its addresses",
    },
  );
