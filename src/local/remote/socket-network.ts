import WebSocket from "ws";
import { hubUnreachable } from "../../contact/errors.ts";
import { claimAt } from "../../contact/hub-claim.ts";
import type { HubNetwork, HubWire } from "../../contact/network.ts";
import { messageOf, systemCode, WarrenError } from "../../protocol/errors.ts";
import { FRAME_BYTES_MAX, HUB_PATH } from "../../sealing/frames.ts";

/** Hubs as a machine and a command line reach them: WebSockets that can wait, and HTTP. */
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
      else reject(hubUnreachable(address, whyOf(lastError)));
    });
    if (signal.aborted) drop();
    return promise;
  },

  async claim(address, signal) {
    try {
      return await claimAt(address, signal, fetch);
    } catch (error) {
      throw error instanceof WarrenError ? error : hubUnreachable(address, whyOf(error));
    }
  },
};

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
