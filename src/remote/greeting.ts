import { PROTOCOL } from "../protocol/envelope.ts";
import { fromWire, isWarrenError, type WarrenError, type WireError } from "../protocol/errors.ts";
import { LineSplitter } from "../protocol/lines.ts";
import type { Scope } from "../sealing/scopes.ts";
import { targetOld } from "./errors.ts";

/**
 * The first line that a server hears on a device's stream is ours: who it is, and what it may. Nothing of the device is passed on before the server has
 * said that it holds it to that; a server of an older build would take the line, and let everything through.
 */
export interface StreamGreeting {
  scopes: readonly Scope[];
  /** The device's name. */
  by: string;
}

interface Greeted {
  refusal: WarrenError | undefined;
  /** By name; empty: it does not say. */
  server: string;
}

/** A longer answer to a greeting is none. */
const ANSWER_BYTES_MAX = 64 * 1024;

export const greetingLine = ({ scopes, by }: StreamGreeting): Uint8Array =>
  Buffer.from(
    `${JSON.stringify({ type: "hello", payload: { protocol: PROTOCOL, client: "warren-remote", scopes, by } })}\n`,
  );

/** Reads the one line that answers. */
export class GreetingAnswer {
  readonly #splitter = new LineSplitter(ANSWER_BYTES_MAX);
  readonly #wanted: readonly Scope[];

  constructor(wanted: readonly Scope[]) {
    this.#wanted = wanted;
  }

  /** Undefined until the line is whole; then whether it is refused, which server has answered, and what stands behind it. @throws LineTooLong */
  push(bytes: Uint8Array): (Greeted & { rest: Uint8Array }) | undefined {
    const end = bytes.indexOf(0x0a);
    if (end === -1) {
      this.#splitter.push(bytes);
      return undefined;
    }
    const [line = ""] = this.#splitter.push(bytes.subarray(0, end + 1));
    return { ...this.#read(line), rest: bytes.subarray(end + 1) };
  }

  #read(line: string): Greeted {
    try {
      const answer = JSON.parse(line) as {
        success?: boolean;
        data?: { server?: string; scopes?: string[] };
      } & WireError;
      if (answer.success !== true) return { refusal: fromWire(answer), server: "" };
      const { server = "", scopes } = answer.data ?? {};
      const isHeld = Array.isArray(scopes) && scopes.every((scope) => (this.#wanted as string[]).includes(scope));
      return { refusal: isHeld ? undefined : targetOld(server), server };
    } catch (error) {
      return { refusal: isWarrenError(error) ? error : targetOld(""), server: "" };
    }
  }
}
