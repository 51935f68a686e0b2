import type { IpcDesk, IpcPeer } from "./ipc-desk.ts";
import { JsonEndScanner } from "./json-end.ts";
import type { Offered } from "./offered-mail.ts";
import { pythonDumps, pythonJsonError } from "./python-json.ts";
import * as replies from "./replies.ts";

/**
 * One connection of claude-ipc's protocol, without its socket: bytes in, replies out. Their clients send one request and go; here several may follow each other,
 * and each may come in pieces or together with the next. A request is carried out after the reply to the one before is made.
 */

/** A message of 1 MiB when all of it is written as escapes of three-byte characters, and what stands around it. A longer request is refused and the connection ended. */
export const REQUEST_BYTES_MAX = 2.25 * 1024 * 1024;

export interface ConversationReply {
  /** JSON as Python writes it, without a newline. */
  text: string;
  /** Mail in it, to be confirmed or given back. */
  offered?: Offered | undefined;
  /** After it nothing more is understood. */
  isLast: boolean;
}

export class IpcConversation {
  readonly #desk: IpcDesk;
  readonly #peer: IpcPeer | undefined;
  readonly #scanner = new JsonEndScanner();
  #unfinished: Uint8Array[] = [];
  #unfinishedBytes = 0;
  #isOver = false;

  constructor(desk: IpcDesk, peer?: IpcPeer) {
    this.#desk = desk;
    this.#peer = peer;
  }

  /** A request has begun and not ended. */
  get isInRequest(): boolean {
    return !this.#scanner.isAtStart;
  }

  /** Carries out what `bytes` completes, one after the other. */
  async *feed(bytes: Uint8Array): AsyncGenerator<ConversationReply> {
    let from = 0;
    while (!this.#isOver) {
      const found = this.#scanner.push(bytes, from);
      if (found.kind === "complete") {
        this.#keep(bytes.subarray(from, found.end));
        from = found.end;
        if (this.#unfinishedBytes > REQUEST_BYTES_MAX) yield this.#refuseLast(replies.tooLong("1 MiB"));
        else yield await this.#answer(this.#take());
        continue;
      }
      this.#keep(bytes.subarray(from));
      if (found.kind === "not_json") yield await this.#answerLast(this.#take());
      else if (found.kind === "too_deep") yield this.#refuseLast(replies.TOO_DEEP);
      else if (this.#unfinishedBytes > REQUEST_BYTES_MAX) yield this.#refuseLast(replies.tooLong("1 MiB"));
      return;
    }
  }

  /** Nothing more comes: what is unfinished is answered as Python's parser would. */
  async *end(): AsyncGenerator<ConversationReply> {
    if (this.#isOver) return;
    const text = this.#take();
    this.#isOver = true;
    if (text.trim() !== "") yield await this.#answerLast(text);
  }

  #keep(bytes: Uint8Array): void {
    this.#unfinished.push(bytes);
    this.#unfinishedBytes += bytes.length;
  }

  /** Decoded when it is whole, so that no cut falls into a character. */
  #take(): string {
    const bytes = Buffer.concat(this.#unfinished);
    this.#unfinished = [];
    this.#unfinishedBytes = 0;
    return bytes.toString("utf8");
  }

  async #answer(text: string): Promise<ConversationReply> {
    const parsed = parse(text);
    if ("error" in parsed) return this.#refuseLast(parsed.error);
    const { reply, offered } = await this.#desk.answer(parsed.value, this.#peer);
    return { text: pythonDumps(reply), offered, isLast: false };
  }

  async #answerLast(text: string): Promise<ConversationReply> {
    const reply = await this.#answer(text);
    this.#isOver = true;
    return { ...reply, isLast: true };
  }

  #refuseLast(message: string): ConversationReply {
    this.#isOver = true;
    this.#unfinished = [];
    this.#unfinishedBytes = 0;
    return { text: pythonDumps(replies.refusal(message)), isLast: true };
  }
}

const CONSTANTS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?Infinity|NaN/g;

function parse(text: string): { value: unknown } | { error: string } {
  try {
    return { value: JSON.parse(text) };
  } catch {
    const error = pythonJsonError(text);
    if (error !== undefined) return { error };
    // What is left are NaN and Infinity, which Python writes and JSON does not know.
    return { value: JSON.parse(text.replace(CONSTANTS, (each) => (each.startsWith('"') ? each : "null"))) };
  }
}
