import type { WarrenError } from "../protocol/errors.ts";
import type { FrameOf } from "../sealing/frames.ts";
import type { Role } from "../sealing/login.ts";
import type { ChannelEnd } from "./channels.ts";
import { Outbox, type OutboxOptions } from "./outbox.ts";
import type { Rate } from "./rate.ts";
import type { Membership } from "./roster.ts";
import type { HubPeer, HubWire } from "./wire.ts";

const DEVICE_CHANNELS = 2 ** 31;

/** Somebody who has logged in. */
export interface Identity {
  role: Role;
  loginKey: Uint8Array;
  /** The login key as a Map's key. */
  id: string;
  /** A guest has none. */
  memberships: readonly Membership[];
}

/** One connection to the hub, from its first byte to its last; who decides what it may is `hub.ts`. */
export class Connection {
  readonly wire: HubWire;
  readonly peer: HubPeer;
  readonly outbox: Outbox;
  /** By the connection's own numbers. */
  readonly channels = new Map<number, ChannelEnd>();
  /** What the login has to sign. */
  readonly nonce: Uint8Array;
  readonly sinceMs: number;
  identity: Identity | undefined;
  rate: Rate | undefined;
  /** Of the monotonic clock: when something was heard last; when a ping went that was not answered. */
  heardMs: number;
  pingedMs: number | undefined;
  /** Not read for so long, because it sent too fast. */
  cancelPause: (() => void) | undefined;
  /** Of the login, or of a guest's stay. */
  cancelDeadline: (() => void) | undefined;
  /** Its login is being looked at; what it sends meanwhile waits. */
  isChecking = false;
  early: Uint8Array[] = [];
  earlyBytes = 0;
  isClosed = false;
  /** The hub's own numbers towards a member. */
  #lastChannel = 0;

  constructor({
    wire,
    peer,
    nonce,
    nowMs,
    ...outbox
  }: { peer: HubPeer; nonce: Uint8Array; nowMs: number } & OutboxOptions) {
    this.wire = wire;
    this.peer = peer;
    this.nonce = nonce;
    this.sinceMs = nowMs;
    this.heardMs = nowMs;
    this.outbox = new Outbox({ wire, ...outbox });
  }

  get role(): Role | "stranger" {
    return this.identity?.role ?? "stranger";
  }

  memberOf(machine: string): Membership | undefined {
    return this.identity?.memberships.find((one) => keyId(one.machine) === machine);
  }

  /** A device opens channels itself, under numbers of its own: the hub's have the highest bit there. */
  newChannelNumber(): number {
    const above = this.identity?.role === "machine" ? 0 : DEVICE_CHANNELS;
    do this.#lastChannel = (this.#lastChannel % (0xffff_fffe - above)) + 1;
    while (this.channels.has(above + this.#lastChannel));
    return above + this.#lastChannel;
  }

  done(request: number): void {
    this.outbox.send({ kind: "done", request });
  }

  failed(request: number, { code, message, fix }: WarrenError): void {
    this.outbox.send({ kind: "failed", request, ...refusalOf(code, message, fix) });
  }
}

export function refusalFrame({ code, message, fix }: WarrenError): FrameOf<"refused"> {
  return { kind: "refused", ...refusalOf(code, message, fix) };
}

/** A code has at most 255 bytes, the sentences what a frame holds with ease. */
const refusalOf = (code: string, sentence: string, fix = "") => ({
  code,
  sentence: sentence.slice(0, 1_000),
  fix: fix.slice(0, 1_000),
});

/** A key as a Map's key. */
export const keyId = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.length).toString("hex");
