import type { Socket } from "node:net";
import type { Log } from "../platform/log.ts";
import { toWire, WarrenError } from "../protocol/errors.ts";
import {
  KEEPER_CONTRACT,
  type KeeperAnswer,
  type KeeperAnswers,
  type KeeperCall,
  type ServerStartCall,
} from "../protocol/keeper-calls.ts";
import { FRAME, type Frame } from "../protocol/keeper-frames.ts";
import { Channels } from "./channels.ts";
import { Connection } from "./connection.ts";
import { Supervisor } from "./supervisor.ts";

/**
 * The process that holds what must not be dropped. It owns the bound sockets, the processes of the named servers and the programs of sessions; it reads
 * nothing that passes through, and it ends when it has held nothing for `LINGER_MS`.
 */
const LINGER_MS = 300;
/** Who has started it gets the time to say what for; on a busy machine that takes a while, and a keeper that is gone by then is started anew. */
const FIRST_CALL_MS = 5_000;

export interface KeeperOptions {
  home: string;
  /** Of the servers. */
  env: NodeJS.ProcessEnv;
  log: Log;
  /** Called once, when there is nothing left to hold. */
  onEmpty: () => void;
}

type Calls = {
  [C in KeeperCall["call"]]: (
    call: Extract<KeeperCall, { call: C }>,
    from: Connection,
  ) => KeeperAnswers[C] | Promise<KeeperAnswers[C]>;
};

export class Keeper {
  readonly #servers = new Map<string, Supervisor>();
  readonly #channels = new Channels();
  readonly #options: KeeperOptions;
  #callsInHand = 0;
  #linger: NodeJS.Timeout | undefined;

  readonly #calls: Calls = {
    hello: () => ({ contract: KEEPER_CONTRACT, pid: process.pid, home: this.#options.home }),
    list: () => ({ servers: [...this.#servers.values()].map((server) => server.describe()) }),
    "server.start": (call) => this.#start(call),
    "server.replace": ({ spec }) => this.#named(spec.name).replace(spec),
    "server.stop": ({ name, force }) => this.#named(name).stop(force === true),
    channels: () => ({ channels: this.#channels.all.map((channel) => channel.describe()) }),
    "terminal.open": (call, from) => this.#channels.open(call, from),
    "pipe.open": (call, from) => this.#channels.open(call, from),
    "lease.take": (call, from) => ({ channels: this.#channels.take(call, from) }),
    resize: (call) => this.#channels.leased(call).resize(call),
    signal: (call) => this.#channels.leased(call).signal(call),
    rename: (call) => this.#channels.rename(call),
    "input.seen": ({ id, source }) => ({ bytes: this.#channels.named(id).bytesOf(source) }),
    "input.end": (call) => this.#channels.leased(call).endInput(),
    close: (call) => this.#channels.close(call),
  };

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#lingerIfEmpty(FIRST_CALL_MS);
  }

  get holdsSomething(): boolean {
    return this.#servers.size > 0 || this.#channels.all.length > 0 || this.#callsInHand > 0;
  }

  accept(socket: Socket): void {
    new Connection(socket, (frame, from) => {
      if (frame.type === FRAME.call) void this.#answer(frame, from);
      else if (frame.type === FRAME.write) this.#channels.write(frame, from);
    });
  }

  async #answer({ offset, payload }: Frame, from: Connection): Promise<void> {
    this.#callsInHand += 1;
    let answer: KeeperAnswer;
    try {
      answer = { ok: true, data: await this.#perform(JSON.parse(Buffer.from(payload).toString("utf8")), from) };
    } catch (error) {
      answer = { ok: false, ...toWire(error, "KEEPER_CALL_FAILED") };
    }
    this.#callsInHand -= 1;
    from.send(FRAME.answer, 0, offset, Buffer.from(JSON.stringify(answer)));
    this.#lingerIfEmpty();
  }

  #perform(call: KeeperCall, from: Connection): unknown {
    if (!Object.hasOwn(this.#calls, call.call)) {
      throw new WarrenError("UNKNOWN_CALL", `The keeper knows no call ${JSON.stringify(call.call)}.`);
    }
    return this.#calls[call.call](call as never, from);
  }

  /** The server of that build, started when there is none. */
  #start({ call: _, ...wanted }: ServerStartCall): Promise<KeeperAnswers["server.start"]> {
    const { name, hash } = wanted.spec;
    const running = [...this.#servers.values()].find((server) => server.hash === hash && !server.isEnding);
    if (running) return running.whenReady();
    if (this.#servers.has(name)) {
      throw new WarrenError("NAME_TAKEN", `The name ${name} is taken by another server.`, { fix: "warren servers" });
    }
    const { env, log } = this.#options;
    const onEnd = (): void => {
      this.#servers.delete(name);
      this.#lingerIfEmpty();
    };
    const server = new Supervisor({ ...wanted, env, log, onEnd });
    this.#servers.set(name, server);
    return server.whenReady();
  }

  #named(name: string): Supervisor {
    const server = this.#servers.get(name);
    if (server) return server;
    throw new WarrenError("SERVER_NOT_FOUND", `The keeper holds no server ${name}.`, { fix: "warren servers" });
  }

  #lingerIfEmpty(lingerMs = LINGER_MS): void {
    clearTimeout(this.#linger);
    if (this.holdsSomething) return;
    this.#linger = setTimeout(() => {
      if (!this.holdsSomething) this.#options.onEmpty();
    }, lingerMs);
  }
}
