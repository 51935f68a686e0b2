import { setTimeout as delay } from "node:timers/promises";
import type { DebugFault, Fault, FaultName, KillPoint } from "../../protocol/debug.ts";

/**
 * Faults that a test has this server commit. There is an object of it only in a server that was started with WARREN_FAULTS=1; everywhere else the places
 * that ask it find none. They are this process's own: the next generation has none.
 */
export interface FaultsOptions {
  /** One was set or cleared, or has struck. */
  onChange: (what: "set" | "cleared" | "struck", fault: Fault) => void;
  /** Default: SIGKILL to this process. */
  die?: () => void;
}

type Named<N extends FaultName> = Extract<Fault, { name: N }>;

export class Faults {
  readonly #onChange: FaultsOptions["onChange"];
  readonly #die: () => void;
  readonly #faults = new Map<FaultName, DebugFault>();

  constructor({ onChange, die = () => void process.kill(process.pid, "SIGKILL") }: FaultsOptions) {
    this.#onChange = onChange;
    this.#die = die;
  }

  list(): DebugFault[] {
    return [...this.#faults.values()];
  }

  /** Takes the place of one of that name. */
  set(fault: Fault): void {
    this.#faults.set(fault.name, { fault, hit_count: 0 });
    this.#onChange("set", fault);
  }

  /** Without a name, all. */
  clear(name?: FaultName): void {
    for (const { fault } of this.list()) {
      if (name !== undefined && fault.name !== name) continue;
      this.#faults.delete(fault.name);
      this.#onChange("cleared", fault);
    }
  }

  /** Clients are not to be read. */
  get pausesReads(): boolean {
    return this.#faults.has("pause-reads");
  }

  /** A request is about to be carried out; true: its connection is to be cut instead. */
  onReceived(type: string): boolean {
    this.reach("request.received", type);
    return this.#drops("before", type);
  }

  /** It was carried out; resolves when it may be answered, with true when its connection is to be cut instead. */
  async onDone(type: string): Promise<boolean> {
    this.reach("request.done", type);
    const slow = this.#get("delay-reply");
    if (slow && isFor(slow, type)) {
      this.#strike(slow);
      await delay(slow.ms);
    }
    return this.#drops("after", type);
  }

  /** The server's life has come by here. */
  reach(point: KillPoint, type?: string): void {
    const fault = this.#get("crash-at");
    if (fault?.point !== point || (type !== undefined && !isFor(fault, type))) return;
    this.#strike(fault);
    this.#die();
  }

  #drops(when: "before" | "after", type: string): boolean {
    const fault = this.#get("drop-connection");
    if (!fault || (fault.when ?? "after") !== when || !isFor(fault, type)) return false;
    if (this.#strike(fault) >= (fault.count ?? 1)) this.clear(fault.name);
    return true;
  }

  #get<N extends FaultName>(name: N): Named<N> | undefined {
    return this.#faults.get(name)?.fault as Named<N> | undefined;
  }

  #strike(fault: Fault): number {
    const set = this.#faults.get(fault.name);
    if (!set) return 0;
    set.hit_count += 1;
    this.#onChange("struck", fault);
    return set.hit_count;
  }
}

const isFor = ({ type: wanted }: { type?: string | undefined }, type: string): boolean =>
  wanted === undefined || wanted === type;
