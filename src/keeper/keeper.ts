import type { Socket } from "node:net";
import type { Log } from "../platform/log.ts";
import { isWarrenError, messageOf, WarrenError } from "../protocol/errors.ts";
import {
  KEEPER_CONTRACT,
  type KeeperAnswer,
  type KeeperAnswers,
  type KeeperCall,
  type ServerStartCall,
} from "../protocol/keeper-calls.ts";
import { encodeFrame, FRAME, type Frame, FrameSplitter } from "../protocol/keeper-frames.ts";
import { Channels } from "./channels.ts";
import { Supervisor } from "./supervisor.ts";

/**
 * The process that holds what must not be dropped. It owns the bound sockets and the processes of the named servers; it reads nothing that passes
 * through, and it ends when it has held nothing for `LINGER_MS`.
 */
const LINGER_MS = 300;

export interface KeeperOptions {
  home: string;
  env: NodeJS.ProcessEnv;
  log: Log;
  /** Called once, when there is nothing left to hold. */
  onEmpty: () => void;
}

export class Keeper {
  readonly #servers = new Map<string, Supervisor>();
  readonly #channels = new Channels();
  readonly #options: KeeperOptions;
  #callsInHand = 0;
  #linger: NodeJS.Timeout | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#lingerIfEmpty();
  }

  get holdsSomething(): boolean {
    return this.#servers.size > 0 || this.#channels.count > 0 || this.#callsInHand > 0;
  }

  accept(socket: Socket): void {
    const splitter = new FrameSplitter();
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const frame of splitter.push(chunk)) {
          if (frame.type === FRAME.call) void this.#answer(socket, frame);
          else if (frame.type === FRAME.write) this.#channels.write(frame, socket);
        }
      } catch {
        socket.destroy(); // not our protocol
      }
    });
  }

  async #answer(socket: Socket, frame: Frame): Promise<void> {
    this.#callsInHand += 1;
    clearTimeout(this.#linger);
    let answer: KeeperAnswer;
    try {
      const call = JSON.parse(Buffer.from(frame.payload).toString("utf8")) as KeeperCall;
      answer = { ok: true, data: await this.#perform(call, socket) };
    } catch (error) {
      const known = isWarrenError(error) ? error : new WarrenError("KEEPER_CALL_FAILED", messageOf(error));
      answer = {
        ok: false,
        code: known.code,
        error: known.message,
        ...(known.fix === undefined ? {} : { fix: known.fix }),
        ...(known.detail === undefined ? {} : { detail: known.detail }),
      };
    }
    this.#callsInHand -= 1;
    const payload = Buffer.from(JSON.stringify(answer));
    if (!socket.destroyed) socket.write(encodeFrame({ type: FRAME.answer, channel: 0, offset: frame.offset, payload }));
    this.#lingerIfEmpty();
  }

  async #perform(call: KeeperCall, socket: Socket): Promise<KeeperAnswers[KeeperCall["call"]]> {
    switch (call.call) {
      case "hello":
        return { contract: KEEPER_CONTRACT, pid: process.pid, home: this.#options.home };
      case "list":
        return { servers: [...this.#servers.values()].map((server) => server.describe()) };
      case "server.start":
        return this.#start(call);
      case "server.replace":
        return this.#named(call.spec.name).replace(call.spec);
      case "server.stop":
        await this.#named(call.name).stop(call.force === true);
        return { stopped: true };
      default: {
        const data = await this.#channels.perform(call, socket);
        if (data) return data;
        throw new WarrenError("UNKNOWN_CALL", `The keeper knows no call ${JSON.stringify(call.call)}.`);
      }
    }
  }

  /** The server of that build, started when there is none. */
  async #start({ spec, socketPath, fallback }: ServerStartCall) {
    for (const server of this.#servers.values()) {
      if (server.hash === spec.hash && server.describe().state !== "ending") return server.whenReady();
    }
    if (this.#servers.has(spec.name)) {
      throw new WarrenError("NAME_TAKEN", `The name ${spec.name} is taken by another server.`, {
        fix: "warren servers",
      });
    }
    const server = new Supervisor({
      spec,
      socketPath,
      ...(fallback ? { fallback } : {}),
      env: this.#options.env,
      log: this.#options.log,
      onEnd: () => {
        this.#servers.delete(spec.name);
        this.#lingerIfEmpty();
      },
    });
    this.#servers.set(spec.name, server);
    return server.whenReady();
  }

  #named(name: string): Supervisor {
    const server = this.#servers.get(name);
    if (!server)
      throw new WarrenError("SERVER_NOT_FOUND", `The keeper holds no server ${name}.`, { fix: "warren servers" });
    return server;
  }

  #lingerIfEmpty(): void {
    clearTimeout(this.#linger);
    if (this.holdsSomething) return;
    this.#linger = setTimeout(() => {
      if (!this.holdsSomething) this.#options.onEmpty();
    }, LINGER_MS);
  }
}
