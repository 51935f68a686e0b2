import { randomBytes } from "node:crypto";
import type net from "node:net";
import { TLSSocket } from "node:tls";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { FrontLimits, FrontStats, FrontTls } from "../../protocol/front-messages.ts";
import { Certificates } from "./certificates.ts";

/**
 * Where clients come in. Without TLS an accepted connection goes on at once, and nothing of this costs anything. With it the first byte tells what a client
 * speaks: 0x16 begins a handshake (RFC 8446 §5.1), and no request line.
 *
 * A client may be silent as long as an idle connection may: browsers connect before they know what to ask. From its first byte on a handshake has as long as a
 * head. What becomes of it is an ordinary connection, of which the data plane only knows that it is secure. HTTP/1.1 is all that is offered (ALPN, RFC 7301):
 * another protocol would be offered, and told apart, in `#secured`.
 */
export interface DoorOptions {
  /** `transport`: what a secure socket lies on. */
  accept: (socket: net.Socket, transport: net.Socket) => void;
  limits: () => Pick<FrontLimits, "headMs" | "idleMs">;
  clock: Clock;
  log: Log;
  pollMs?: number;
}

/** RFC 8446 §5.1: a record of the type `handshake`. */
const HANDSHAKE = 0x16;
/** As OpenSSL has them: name, key and HMAC key of what encrypts session tickets. */
const TICKET_KEY_BYTES = 48;

export class Door {
  readonly #options: DoorOptions;
  /** In nobody's hands yet, with what gives up waiting for them. The oldest first. */
  readonly #pending = new Map<net.Socket, () => void>();
  /** New for each process: a session that began at another front is begun anew, which costs its client one more round trip. */
  readonly #ticketKeys = randomBytes(TICKET_KEY_BYTES);
  #key = "";
  #certificates: Certificates | undefined;
  /** While the first certificates are read. */
  #opening: Promise<void> | undefined;
  #failedCount = 0;
  #onEmpty: (() => void) | undefined;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** Of clients that have not said what they want. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Certificates that are other files than before serve once they have been read; until then those before do. */
  apply(tls: FrontTls | undefined): void {
    const key = tls === undefined ? "" : JSON.stringify(tls.certificates);
    if (key === this.#key) return;
    this.#key = key;
    if (tls === undefined) this.#use(undefined);
    else this.#open(tls);
  }

  accept(socket: net.Socket): void {
    if (this.#key === "") this.#options.accept(socket, socket);
    else this.#awaitFirstByte(socket);
  }

  /** A client names this host, and one of the certificates does. */
  hasName(host: string): boolean {
    return this.#certificates?.hasName(host) === true;
  }

  /** Makes room: the one that has waited longest goes. False: none waits. */
  dropOldest(): boolean {
    const [oldest] = this.#pending.keys();
    oldest?.destroy();
    return oldest !== undefined;
  }

  state(): FrontStats["tls"] {
    if (this.#certificates === undefined) return undefined;
    return { certificates: this.#certificates.state(), failedHandshakes: this.#failedCount };
  }

  /** Resolves when nobody stands here any more. */
  emptied(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  close(): void {
    for (const socket of this.#pending.keys()) socket.destroy();
    this.#certificates?.close();
  }

  #open({ certificates: files }: FrontTls): void {
    const key = this.#key;
    const { clock, log, pollMs } = this.#options;
    const ticketKeys = this.#ticketKeys;
    const certificates = new Certificates({ files, ticketKeys, clock, log, ...(pollMs !== undefined && { pollMs }) });
    this.#opening = certificates.open().then(() => {
      if (this.#key === key) this.#use(certificates);
      else certificates.close();
    });
  }

  #use(certificates: Certificates | undefined): void {
    this.#certificates?.close();
    this.#certificates = certificates;
    this.#opening = undefined;
  }

  /** With the waiter of `readable` the socket is not read further than to its first piece. */
  #awaitFirstByte(socket: net.Socket): void {
    const look = (): void => {
      const first: Buffer | null = socket.read();
      if (first === null) return void socket.destroy(); // it closed before it said anything
      socket.unshift(first);
      if (first[0] === HANDSHAKE) {
        this.#wait(socket, this.#options.limits().headMs);
        void this.#shakeHands(socket);
      } else {
        this.#forget(socket);
        this.#options.accept(socket, socket);
        socket.resume();
      }
    };
    socket.once("readable", look);
    socket.on("error", () => {}); // a close follows
    socket.once("close", () => this.#forget(socket));
    this.#wait(socket, this.#options.limits().idleMs);
  }

  async #shakeHands(socket: net.Socket): Promise<void> {
    await this.#opening;
    const certificates = this.#certificates;
    if (socket.destroyed) return;
    const secureContext = certificates?.contextFor(undefined);
    if (certificates === undefined || secureContext === undefined)
      return this.#fail(socket, "no certificate is any good");
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext,
      ALPNProtocols: ["http/1.1"],
      SNICallback: (name, answer) => answer(null, certificates.contextFor(name)),
    });
    const onError = (error: unknown): void => this.#fail(socket, messageOf(error));
    secure.once("error", onError);
    secure.once("secure", () => {
      secure.off("error", onError);
      if (this.#pending.has(socket)) this.#secured(secure, socket);
      else secure.destroy();
    });
  }

  #secured(secure: TLSSocket, socket: net.Socket): void {
    this.#forget(socket);
    this.#options.accept(secure, socket);
  }

  #fail(socket: net.Socket, reason: string): void {
    this.#failedCount++;
    this.#options.log.debug("handshake_failed", { remote: socket.remoteAddress, reason });
    socket.destroy();
  }

  #wait(socket: net.Socket, ms: number): void {
    this.#pending.get(socket)?.();
    this.#pending.set(
      socket,
      this.#options.clock.timer(ms, () => this.#late(socket)),
    );
  }

  /** A late handshake is a failed one; who never said anything is only closed. */
  #late(socket: net.Socket): void {
    if (socket.bytesRead > 0) this.#fail(socket, "the handshake does not come to its end");
    else socket.destroy();
  }

  #forget(socket: net.Socket): void {
    this.#pending.get(socket)?.();
    if (this.#pending.delete(socket) && this.#pending.size === 0) this.#onEmpty?.();
  }
}
