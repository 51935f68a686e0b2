import { silentLog } from "../../../src/platform/log.ts";
import { toWire } from "../../../src/protocol/errors.ts";
import { LineSplitter } from "../../../src/protocol/lines.ts";
import type { PayloadOf } from "../../../src/protocol/messages.ts";
import type { ConnectUnit } from "../../../src/remote/network.ts";
import { Remote } from "../../../src/remote/remote.ts";
import type { RemoteStore, StoredName } from "../../../src/remote/store.ts";
import type { SealingCrypto } from "../../../src/sealing/crypto.ts";
import type { Random } from "../random.ts";
import { Spoken } from "./spoken.ts";
import type { VirtualNetwork } from "./virtual-network.ts";
import { Life, type VirtualTime } from "./virtual-time.ts";
import { Written } from "./written.ts";

/** What was asked of a machine and carried out. */
export interface Effect {
  atMs: number;
  /** The device, as its machine calls it. */
  by: string;
  number: number;
}

/** Faults that are planted so that the judge can be seen to find them. */
export interface Plants {
  /** The server does not look whether it was asked before. */
  noIdCheck?: boolean;
  /** It answers, and does one of three not. */
  forgets?: boolean;
  /** It answers at once, and does it sometime. */
  late?: boolean;
  /** The roster is not written down. */
  noStore?: boolean;
  /** It says that a device is revoked, and does nothing. */
  noCut?: boolean;
  /** What an agent has said is now and then not told. */
  mumbles?: boolean;
  /** A way that broke stays so. */
  noHeal?: boolean;
}

/** A home: the real machine's side, and a model of the server behind it that carries out each request id once. */
export class MachineActor {
  readonly name: string;
  readonly effects: Effect[] = [];
  readonly spoken: Spoken;
  readonly written = new Written();
  readonly wall = { offsetMs: 0 };
  readonly #options: MachineOptions;
  readonly #files = new Map<StoredName, string>();
  readonly #answers = new Map<string, number>();
  #life: Life;
  /** The next write to its store is its last: before or after it is on the disk. */
  dieAtWrite: "before" | "after" | undefined;
  remote: Remote | undefined;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.name = options.name;
    this.spoken = new Spoken(options.plants.mumbles);
    this.#life = new Life(options.time, this.wall);
  }

  async start(): Promise<void> {
    if (this.remote) return;
    const { time, network, crypto, name, random } = this.#options;
    const life = new Life(time, this.wall);
    this.#life = life;
    const remote = await Remote.open({
      store: this.#store(life),
      network: network.of(name, life),
      connect: this.#connect(life),
      crypto,
      clock: life.clock,
      log: silentLog,
      name,
      words: `anna@${name}`,
      random: random.next,
      watchUnits: this.spoken.watchUnits(life),
      watchMail: this.written.watchMail(life),
      onEvent: () => {},
    });
    if (!life.isOver) this.remote = remote;
  }

  crash(): void {
    this.remote = undefined;
    this.dieAtWrite = undefined;
    this.#life.end();
  }

  #store(life: Life): RemoteStore {
    const die = (): Promise<never> => {
      this.crash();
      return new Promise(() => {});
    };
    return {
      read: async (name) => this.#files.get(name),
      write: async (name, text) => {
        if (life.isOver) return new Promise(() => {});
        const when = this.dieAtWrite;
        if (when === "before") return die();
        if (!this.#options.plants.noStore || name !== "roster.json" || !this.#files.has(name))
          this.#files.set(name, text);
        if (when === "after") return die();
      },
      pathOf: (name) => name,
    };
  }

  /** One connection to the home's server; what it carries out outlives it. */
  #connect(life: Life): ConnectUnit {
    const { time, network } = this.#options;
    return (_target, { onBytes, onClosed }) =>
      life.of(async () => {
        const splitter = new LineSplitter();
        let isOpen = true;
        let by = "";
        const closed = new AbortController();
        const say = (value: object): void => {
          time.after(1, () => isOpen && !life.isOver && onBytes(Buffer.from(`${JSON.stringify(value)}\n`)));
        };
        const hear = (line: string): void => {
          const { id, type, request_id, payload } = JSON.parse(line);
          if (type === "hello") {
            by ||= payload.by ?? "";
            return say({ id, success: true, data: { server: name, scopes: payload.scopes ?? ["view", "type"] } });
          }
          if (type.startsWith("remote.introduce"))
            return void this.#introduce(type, payload, by, closed.signal).then((answer) => say({ id, ...answer }));
          const number = this.#carryOut(by, request_id, payload.number);
          time.after(network.delay(), () => say({ id, success: true, data: { number } }));
        };
        const { name } = this;
        return {
          write: (bytes: Uint8Array, onTaken: () => void) => {
            for (const line of splitter.push(bytes)) if (isOpen && !life.isOver) hear(line);
            queueMicrotask(onTaken);
          },
          pause() {},
          resume() {},
          close: () => {
            if (!isOpen) return;
            isOpen = false;
            closed.abort();
            queueMicrotask(onClosed);
          },
        };
      });
  }

  /** As the server does; that it looks at the scope first is not modelled. */
  async #introduce(type: string, payload: object, by: string, signal: AbortSignal): Promise<object> {
    try {
      if (type === "remote.introduce")
        return {
          success: true,
          data: await this.remote!.introduce(payload as PayloadOf<"remote.introduce">, by, signal),
        };
      const { introduction, is_kept } = payload as { introduction: string; is_kept: boolean };
      await this.remote!.endIntroduction(introduction, is_kept);
      return { success: true, data: {} };
    } catch (error) {
      return { success: false, ...toWire(error, "INTERNAL") };
    }
  }

  #carryOut(by: string, id: string, number: number): number {
    const { time, plants, random } = this.#options;
    const known = this.#answers.get(id);
    if (known !== undefined && !plants.noIdCheck) return known;
    this.#answers.set(id, number);
    if (plants.forgets && random.oneIn(3)) return number;
    const effect = (): void => void this.effects.push({ atMs: time.nowMs, by, number });
    if (plants.late) time.after(random.between(0, 5_000), effect);
    else effect();
    return number;
  }
}

export interface MachineOptions {
  name: string;
  time: VirtualTime;
  network: VirtualNetwork;
  crypto: SealingCrypto;
  random: Random;
  plants: Plants;
}
