import { connect, type Socket } from "node:net";
import { WarrenError } from "../../protocol/errors.ts";
import { isObject } from "./ipc-content.ts";
import { JsonEndScanner } from "./json-end.ts";
import { pythonDumps } from "./python-json.ts";
import { NO_SESSION } from "./replies.ts";

/** Who has our port, and a client of claude-ipc's broker for when it is that. */

export type PortOwner =
  /** Nobody. */
  | "none"
  /** claude-ipc's own broker. */
  | "claude_ipc"
  /** Another mailbox of ours: of another home or user. */
  | "mailbox"
  | "stranger";

export interface BrokerPlace {
  port: number;
  host?: string;
}

/** As their clients have it. */
const ANSWER_MS = 5_000;
/** A stranger may never answer; it is asked seldom. */
const PROBE_MS = 1_000;
/** What one of their replies may have; their queue holds 100 messages of less than 4 KiB. */
const REPLY_BYTES_MAX = 16 * 1024 * 1024;
/** Their broker reads once, so much, and takes it for the whole request. */
export const FOREIGN_REQUEST_BYTES_MAX = 4096;

/** Asks in a way that both answer and neither minds: our greeting, which is JSON without a session there. */
export async function portOwner(place: BrokerPlace): Promise<PortOwner> {
  const hello = '{"id": 1, "type": "hello", "payload": {"protocol": {"min": 1, "max": 1}, "client": "warren-probe"}}\n';
  try {
    const reply = await exchange(place, hello, PROBE_MS);
    if (reply.status === "error" && reply.message === NO_SESSION) return "claude_ipc";
    return typeof reply.success === "boolean" ? "mailbox" : "stranger";
  } catch (error) {
    return error instanceof WarrenError && error.code === "BROKER_GONE" ? "none" : "stranger";
  }
}

/**
 * One request, by a connection of its own.
 * @throws BROKER_GONE when nobody listens there; BROKER_UNCLEAR when it does not answer in time, or no JSON.
 */
export async function askBroker(place: BrokerPlace, request: object): Promise<Record<string, unknown>> {
  return await exchange(place, pythonDumps(request), ANSWER_MS);
}

async function exchange(place: BrokerPlace, text: string, answerMs: number): Promise<Record<string, unknown>> {
  const { port, host = "127.0.0.1" } = place;
  const socket = connect({ port, host });
  try {
    await connected(socket, place, answerMs);
    socket.write(text);
    const value: unknown = JSON.parse(await wholeReply(socket));
    if (isObject(value)) return value;
    throw unclear(place, "it answered no object");
  } catch (error) {
    if (error instanceof WarrenError) throw error;
    throw unclear(place, error instanceof Error ? error.message : String(error));
  } finally {
    socket.destroy();
  }
}

async function connected(socket: Socket, { port, host = "127.0.0.1" }: BrokerPlace, answerMs: number): Promise<void> {
  socket.setTimeout(answerMs, () => socket.destroy(new Error(`no answer within ${answerMs} ms`)));
  await new Promise<void>((resolve, reject) => {
    const refused = (cause: Error): void =>
      reject(new WarrenError("BROKER_GONE", `Nobody listens on ${host}:${port}.`, { cause }));
    socket.once("error", refused);
    socket.once("connect", () => {
      socket.off("error", refused);
      resolve();
    });
  });
}

async function wholeReply(socket: Socket): Promise<string> {
  const scanner = new JsonEndScanner();
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of socket as AsyncIterable<Buffer>) {
    const found = scanner.push(part);
    parts.push(found.kind === "complete" ? part.subarray(0, found.end) : part);
    bytes += part.length;
    if (found.kind === "complete") return Buffer.concat(parts).toString("utf8");
    if (found.kind !== "incomplete" || bytes > REPLY_BYTES_MAX) throw new Error("it answered something else than JSON");
  }
  throw new Error("it ended without an answer");
}

const unclear = ({ port }: BrokerPlace, why: string): WarrenError =>
  new WarrenError("BROKER_UNCLEAR", `What listens on port ${port} gave no usable answer: ${why}.`);
