import type { Socket } from "node:net";
import { join } from "node:path";
import type { Clock } from "../../platform/clock.ts";
import { settledWithin } from "../../platform/grace.ts";
import type { Log } from "../../platform/log.ts";
import type { Places } from "../../platform/paths.ts";
import { readProcess } from "../../platform/process.ts";
import { IpcBridge } from "../ipc/bridge.ts";
import { portOwner } from "../ipc/foreign-broker.ts";
import { IpcDesk } from "../ipc/ipc-desk.ts";
import { largeMessageFiles, type StoreLarge } from "../ipc/large-message.ts";
import { type ServedIpc, serveIpc } from "../ipc/serve-ipc.ts";
import type { LeaderLog } from "./leader-log.ts";

/** The leader's connections that speak claude-ipc; and, while claude-ipc's own broker has the port, the bridge to it. */
export interface IpcSideOptions {
  log: LeaderLog;
  places: Places;
  clock: Clock;
  ownLog: Log;
  secret?: string | undefined;
  isStrict: boolean;
}

export class IpcSide {
  readonly #options: IpcSideOptions;
  readonly #storeLarge: StoreLarge;
  readonly #desk: IpcDesk;
  readonly #served = new Set<ServedIpc>();
  #bridge: IpcBridge | undefined;

  constructor(options: IpcSideOptions) {
    const { log, places, clock, secret, isStrict } = options;
    this.#options = options;
    this.#storeLarge = largeMessageFiles(join(places.mailDir, "large-messages"));
    this.#desk = new IpcDesk({ log, storeLarge: this.#storeLarge, clock, secret, isStrict });
  }

  get count(): number {
    return this.#served.size;
  }

  serve(socket: Socket, firstBytes: Buffer): void {
    const served = serveIpc(socket, firstBytes, this.#desk);
    this.#served.add(served);
    void served.closed.then(() => this.#served.delete(served));
  }

  /** The port is taken. When claude-ipc's own broker has it, mail passes between the two until that ends; resolves then, and at once for a stranger. */
  async meet(port: number): Promise<void> {
    if ((await portOwner({ port })) !== "claude_ipc") return;
    const { log, clock, ownLog, secret } = this.#options;
    const self = { pid: process.pid, pidStart: String(readProcess(process.pid)?.startTicks ?? "") };
    ownLog.info("mail_bridge_opened", { port });
    this.#bridge = new IpcBridge({
      broker: { port },
      mail: log,
      storeLarge: this.#storeLarge,
      self,
      secret,
      clock,
      log: ownLog,
    });
    await this.#bridge.closed;
    this.#bridge = undefined;
  }

  /** What has begun is answered first; what is left after `graceMs` is given up. */
  async close(graceMs: number): Promise<void> {
    const all = [...this.#served].map((served) => served.close());
    await settledWithin(graceMs, [this.#bridge?.close(), ...all]);
  }
}
