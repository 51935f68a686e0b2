import type { Socket } from "node:net";
import { type ConversationReply, IpcConversation } from "./conversation.ts";
import type { IpcDesk, IpcPeer } from "./ipc-desk.ts";
import { type Offered, READ_MS } from "./offered-mail.ts";
import { peerProcess } from "./peer-process.ts";
import { endsOf, type TcpEnds, tcpConnection } from "./tcp-table.ts";
import { type ReadState, readState } from "./was-read.ts";

/**
 * One socket that speaks claude-ipc. It is kept open after a reply, so that its reader's end can be seen: only that tells whether the mail in it was read.
 */
export interface ServedIpc {
  /** Takes no more requests, finishes the one in hand, and ends. Resolves when the socket is closed and its mail settled. */
  close(): Promise<void>;
  /** Resolves then, too, when the client ends by itself. */
  closed: Promise<void>;
}

/** A request that has begun has to go on within this time; theirs come in one piece. */
const REQUEST_IDLE_MS = 5_000;
/** After a reply, so long for the client's own end or another request; theirs end at once, `nc` waits for us. */
const REPLIED_IDLE_MS = 300;
/** The kernel is asked again after so long, doubled up to the last. */
const LOOK_MS = { first: 1, last: 250 } as const;
/** After a reader's end the answer is there within a moment; without one, its mail is given back. */
const AFTER_END_MS = 1_000;

/** `firstBytes`: what was read to see which protocol it is. */
export function serveIpc(socket: Socket, firstBytes: Uint8Array, desk: IpcDesk): ServedIpc {
  const served = new IpcSocket(socket, desk);
  served.receive(firstBytes);
  if (socket.readableEnded) served.peerEnded();
  return { close: () => served.close(), closed: served.closed };
}

class IpcSocket {
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #desk: IpcDesk;
  readonly #conversation: IpcConversation;
  readonly #ends: TcpEnds | undefined;
  /** In the replies so far, and not settled. */
  readonly #offered: Offered[] = [];
  #work: Promise<void> = Promise.resolve();
  #cancelIdle = (): void => {};
  #hasPeerEnded = false;
  #isClosing = false;
  #isEnding = false;
  #resolveClosed = (): void => {};

  constructor(socket: Socket, desk: IpcDesk) {
    this.#socket = socket;
    this.#desk = desk;
    this.#ends = endsOf(socket);
    this.#conversation = new IpcConversation(desk, peerOf(this.#ends));
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    // Ended by itself at the client's FIN, the connection would be gone before the kernel can be asked about it.
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.receive(typeof bytes === "string" ? Buffer.from(bytes) : bytes));
    socket.on("end", () => this.peerEnded());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#socketClosed());
  }

  /** Reads no further until these are carried out. */
  receive(bytes: Uint8Array): void {
    this.#cancelIdle();
    this.#socket.pause();
    this.#then(async () => {
      if (this.#isEnding) return;
      await this.#settleIfRead();
      for await (const reply of this.#conversation.feed(bytes)) await this.#write(reply);
      this.#socket.resume();
      if (this.#isClosing && !this.#conversation.isInRequest) await this.#finish();
      else if (!this.#isEnding) this.#waitForMore();
    });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#then(async () => {
      if (!this.#conversation.isInRequest) await this.#finish();
    });
    await this.closed;
  }

  /** One thing after the other; what fails here is the socket, which is then closed. */
  #then(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch(() => {
      this.#socket.destroy();
    });
  }

  #waitForMore(): void {
    this.#cancelIdle();
    const { isInRequest } = this.#conversation;
    const idleMs = isInRequest ? REQUEST_IDLE_MS : REPLIED_IDLE_MS;
    this.#cancelIdle = this.#desk.clock.timer(idleMs, () => this.#then(() => this.#finish()));
  }

  peerEnded(): void {
    this.#hasPeerEnded = true;
    this.#cancelIdle();
    this.#then(() => this.#finish());
  }

  /** No more requests: answers what is unfinished, settles the mail, ends. */
  async #finish(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#cancelIdle();
    for await (const reply of this.#conversation.end()) await this.#write(reply);
    await this.#settle();
    if (this.#socket.destroyed) return;
    this.#socket.end();
    if (!this.#hasPeerEnded) this.#desk.clock.timer(REPLIED_IDLE_MS, () => this.#socket.destroy());
  }

  async #write({ text, offered, isLast }: ConversationReply): Promise<void> {
    if (offered !== undefined) this.#offered.push(offered);
    if (this.#socket.destroyed) throw new Error("the client is gone");
    await new Promise<void>((resolve, reject) => {
      const fail = (): void => reject(new Error("the client is gone"));
      const cancel = this.#desk.clock.timer(READ_MS, () => this.#socket.destroy());
      this.#socket.once("close", fail);
      this.#socket.write(text, (error) => {
        cancel();
        this.#socket.off("close", fail);
        if (error) reject(error);
        else resolve();
      });
    });
    if (isLast) this.#then(() => this.#finish());
  }

  /** Of a client that goes on after a reply with mail: it must not wait for its own reading. */
  async #settleIfRead(): Promise<void> {
    if (this.#offered.length > 0 && (await this.#look()) === "read") await this.#settleAs(true);
  }

  async #settle(): Promise<void> {
    if (this.#offered.length > 0) await this.#settleAs(await this.#wasRead());
  }

  async #settleAs(wasRead: boolean): Promise<void> {
    for (let each = this.#offered.shift(); each !== undefined; each = this.#offered.shift())
      if (wasRead) await this.#desk.offeredMail.confirm(each);
      else await this.#desk.offeredMail.giveBack(each);
  }

  async #wasRead(): Promise<boolean> {
    const { clock } = this.#desk;
    const untilMs = clock.monotonicMs() + READ_MS;
    let endedMs: number | undefined;
    for (let waitMs: number = LOOK_MS.first; ; waitMs = Math.min(waitMs * 2, LOOK_MS.last)) {
      if (this.#socket.destroyed) return false;
      const state = await this.#look();
      if (state !== "unknown") return state === "read";
      const nowMs = clock.monotonicMs();
      if (this.#hasPeerEnded) endedMs ??= nowMs;
      if (nowMs >= untilMs || (endedMs !== undefined && nowMs >= endedMs + AFTER_END_MS)) return false;
      await new Promise<void>((resolve) => clock.timer(waitMs, resolve));
    }
  }

  async #look(): Promise<ReadState> {
    const connection = this.#ends && (await tcpConnection(this.#ends));
    if (connection !== undefined) return readState(connection);
    // A unix socket, or no such table: an end without an error is all that can be known.
    return this.#hasPeerEnded && !this.#socket.destroyed ? "read" : "unknown";
  }

  /** A reset, or our own end. What is not settled by now has not been read. */
  #socketClosed(): void {
    this.#cancelIdle();
    this.#isEnding = true;
    this.#then(async () => {
      for (const offered of this.#offered.splice(0)) await this.#desk.offeredMail.giveBack(offered);
    });
    void this.#work.then(() => this.#resolveClosed());
  }
}

const peerOf = (ends: TcpEnds | undefined): IpcPeer => ({
  process: async () => ends && (await peerProcess(ends)),
});
