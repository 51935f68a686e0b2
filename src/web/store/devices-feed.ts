import type { Client } from "../../client/client.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { RemoteDevice, RemoteSnapshot } from "../../protocol/remote-units.ts";
import { appClient } from "../link/app-client.ts";
import type { Machine } from "../link/machine.ts";
import type { MachineDevicesAction } from "../model/machine-devices.ts";
import { pause } from "./pause.ts";

/**
 * Follows the stream `remote` of one machine, over a connection of its own: a pairing code lives as long as that, so that whoever leaves the page takes the code back.
 */
export interface DevicesFeedOptions {
  machine: Machine;
  version: string;
  dispatch: (action: MachineDevicesAction) => void;
}

const RETRY_MS = 2_000;
const ASK_MS_MAX = 15_000;

export class DevicesFeed {
  readonly client: Client;
  readonly #options: DevicesFeedOptions;
  readonly #closing = new AbortController();

  constructor(options: DevicesFeedOptions) {
    this.#options = options;
    const { machine, version } = options;
    this.client = appClient(machine.dialLines(), version);
    void this.#run();
  }

  close(): void {
    this.#closing.abort();
    this.client.close();
  }

  /** Makes a code; how it goes on comes by the stream. */
  async pair(hub: string, scopes: RemoteDevice["scopes"]): Promise<void> {
    this.#tell({ type: "making" });
    try {
      this.#tell({ type: "offered", made: await this.#ask("remote.pair", { hub, scopes }) });
    } catch (error) {
      this.#tell({ type: "given-up", text: messageOf(error) });
    }
  }

  confirm(pairing: string): Promise<unknown> {
    return this.#ask("remote.confirm", { pairing });
  }

  /** Takes the code back, or refuses whoever is shown. @param text what is said of it */
  async cancel(pairing: string, text?: string): Promise<void> {
    this.#tell({ type: "given-up", text });
    await this.#ask("remote.cancel", { pairing }).catch(() => {}); // with its connection it goes too
  }

  /** What the page says of the last pairing is read. */
  forget(): void {
    this.#tell({ type: "given-up", text: undefined });
  }

  #ask: Client["request"] = (type, payload, options) =>
    this.client.request(type, payload, { timeoutMs: ASK_MS_MAX, signal: this.#closing.signal, ...options });

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        for await (const item of this.client.subscribe({ streams: ["remote"] }, signal)) {
          if (item.kind === "snapshot") this.#tell({ type: "snapshot", snapshot: item.snapshot as RemoteSnapshot });
          else this.#tell({ type: "event", event: item.event.event, data: item.event.data });
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        const fix = isWarrenError(error) ? error.fix : undefined;
        this.#tell({ type: "failed", text: messageOf(error), fix });
      }
      await pause(RETRY_MS, signal);
    }
  }

  #tell(action: MachineDevicesAction): void {
    if (!this.#closing.signal.aborted) this.#options.dispatch(action);
  }
}
