import type { FrontInstance, FrontTable, FrontWorker } from "../../protocol/front-messages.ts";
import type { Context } from "./context.ts";
import { Instance, type InstanceAddress } from "./instance.ts";
import type { SessionTarget } from "./responder.ts";
import { WorkerEntry } from "./worker-entry.ts";

/**
 * Where requests can go: the workers and instances of the table, and what is still in flight at instances that it does not have any more. A table is applied
 * at once, between two requests: who was counted at an instance before it, is; nobody is counted afterwards at one that it has not. So an instance that drains
 * is told of as drained when nothing is in flight there, once for each time that it is said to drain.
 */
export class Places {
  readonly #context: Context;
  readonly #workers = new Map<string, WorkerEntry>();
  readonly #instances = new Map<string, Instance>();
  /** Whose id has another address by now: nothing new comes to them, and what is in flight there ends as it does elsewhere. */
  readonly #formers = new Set<Instance>();
  readonly #sessions = new Map<string, Instance>();
  /** Of those that drain: not yet told of. */
  readonly #undrained = new Set<string>();

  constructor(context: Context) {
    this.#context = context;
  }

  worker(name: string): WorkerEntry | undefined {
    return this.#workers.get(name);
  }

  workers(): Iterable<WorkerEntry> {
    return this.#workers.values();
  }

  instances(): Iterable<Instance> {
    return this.#instances.values();
  }

  /** Something is open that a deadline may end. */
  get isBusy(): boolean {
    for (const { connections } of this.#instances.values()) if (connections.size > 0) return true;
    return this.#sessions.size > 0 || this.#formers.size > 0;
  }

  session({ host, port }: SessionTarget): Instance {
    const key = `${host}:${port}`;
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const instance = new Instance(key, { host, port, isTls: false }, this.#context, () => {});
    this.#sessions.set(key, instance);
    return instance;
  }

  applyTable({ workers, draining, revision }: FrontTable): void {
    const names = new Set(workers.map(({ name }) => name));
    const gone = [...this.#workers].filter(([name]) => !names.has(name));
    for (const [name] of gone) this.#workers.delete(name);
    this.#undrained.clear();
    this.#apply(workers, draining, revision);
    for (const [, entry] of gone) entry.releaseAll();
  }

  applyWorker(worker: FrontWorker, draining: readonly string[], revision: number): void {
    this.#apply([worker], draining, revision);
  }

  close(instance: string, spreadMs: number): void {
    this.#instances.get(instance)?.close(spreadMs, this.#context.nowMs);
  }

  closeAll(spreadMs: number): void {
    for (const instance of this.#all()) instance.close(spreadMs, this.#context.nowMs);
  }

  sweep(nowMs: number): void {
    for (const entry of this.#workers.values()) entry.sweep();
    for (const instance of this.#instances.values()) {
      instance.sweep(nowMs);
      const trouble = instance.takeTrouble();
      if (trouble !== undefined) this.#context.tell({ type: "trouble", instance: instance.id, ...trouble });
    }
    for (const [key, instance] of this.#sessions) {
      instance.sweep(nowMs);
      if (isUnused(instance)) this.#sessions.delete(key);
    }
    for (const instance of this.#formers) {
      instance.sweep(nowMs);
      if (isUnused(instance)) this.#formers.delete(instance);
    }
  }

  destroy(): void {
    for (const instance of this.#all()) instance.destroy();
  }

  #all(): Instance[] {
    return [...this.#instances.values(), ...this.#sessions.values(), ...this.#formers];
  }

  /** Workers first, then who serves at all, then what is told, and last the requests that waited for it. */
  #apply(workers: readonly FrontWorker[], draining: readonly string[], revision: number): void {
    const updates = workers.map((worker) => ({
      worker,
      instances: worker.instances.map((one) => this.#instance(one)),
    }));
    for (const { worker, instances } of updates) {
      const entry = this.#workers.get(worker.name);
      if (entry === undefined) this.#workers.set(worker.name, new WorkerEntry(worker, instances, this.#context));
      else entry.assign(worker, instances);
    }
    this.#settleServing();
    for (const id of draining) this.#undrained.add(id);
    this.#context.tell({ type: "applied", revision });
    for (const id of [...this.#undrained]) this.#tellIfDrained(id);
    for (const { worker } of updates) this.#workers.get(worker.name)?.releaseIfServed();
  }

  #settleServing(): void {
    const serving = new Set([...this.#workers.values()].flatMap((entry) => entry.instances));
    for (const instance of this.#instances.values()) {
      if (serving.has(instance)) {
        instance.isServing = true;
        this.#undrained.delete(instance.id);
      } else {
        instance.stopServing();
        this.#forgetIfUnused(instance);
      }
    }
  }

  /** An id keeps its address for life; one that has another is another. */
  #instance({ id, host, port, isTls = false, ca }: FrontInstance): Instance {
    const known = this.#instances.get(id);
    const address: InstanceAddress = { host, port, isTls, ca };
    if (known !== undefined && isSameAddress(known.address, address)) return known;
    known?.stopServing();
    if (known !== undefined && !isUnused(known)) this.#formers.add(known);
    const instance = new Instance(id, address, this.#context, (idle) => this.#becameIdle(idle));
    this.#instances.set(id, instance);
    return instance;
  }

  #becameIdle(instance: Instance): void {
    this.#tellIfDrained(instance.id);
    if (!instance.isServing) this.#forgetIfUnused(instance);
  }

  #tellIfDrained(id: string): void {
    if ((this.#instances.get(id)?.inFlight ?? 0) > 0 || !this.#undrained.delete(id)) return;
    this.#context.tell({ type: "drained", instance: id });
  }

  /** Its last troubles are told before it goes. */
  #forgetIfUnused(instance: Instance): void {
    if (instance.inFlight > 0 || this.#instances.get(instance.id) !== instance) return;
    const trouble = instance.takeTrouble();
    if (trouble !== undefined) this.#context.tell({ type: "trouble", instance: instance.id, ...trouble });
    this.#instances.delete(instance.id);
  }
}

const isUnused = ({ inFlight, connections }: Instance): boolean => inFlight === 0 && connections.size === 0;

const isSameAddress = (one: InstanceAddress, other: InstanceAddress): boolean =>
  one.host === other.host && one.port === other.port && one.isTls === other.isTls && one.ca === other.ca;
