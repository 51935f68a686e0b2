import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../platform/log.ts";
import { Backoff } from "../protocol/backoff.ts";
import { isWarrenError, messageOf, WarrenError } from "../protocol/errors.ts";
import type {
  FrontStats,
  FrontTable,
  FrontToServer,
  FrontWorker,
  ServerToFront,
  WatchedSources,
} from "../protocol/front-messages.ts";
import type { KeeperAnswers, KeeperCall, KeeperServer, ListenAddress, ServerSpec } from "../protocol/keeper-calls.ts";
import { FrontLink } from "./front-link.ts";

/**
 * The front of one project: has the keeper start it, dials each of its generations, tells them what they go by, and puts together what they say. One
 * generation takes new connections; others may still end with what they have, so that
 *
 * 1. a revision is in force when every generation has applied it;
 * 2. an instance is drained when every generation has said so.
 */
export interface FrontsOptions {
  keeper: { call<C extends KeeperCall>(call: C): Promise<KeeperAnswers[C["call"]]> };
  spec: ServerSpec;
  listen: ListenAddress;
  /** The control socket of a generation. */
  socketPathOf: (generation: number) => string;
  log: Log;
  events: FrontEvents;
}

export interface FrontEvents {
  onApplied: (revision: number) => void;
  onDrained: (instance: string) => void;
  onTrouble: (trouble: Extract<FrontToServer, { type: "trouble" }>) => void;
  onWaiting: (worker: string, count: number) => void;
  /** The front has seen that sources may have changed. Resolves when it has been told what came of it. */
  onSign: (worker: string) => Promise<void>;
}

const REDIAL = { firstMs: 10, maxMs: 1_000 };
/** After a keeper was killed its front lets go of the port within moments. */
const PORT_TAKEN_MS = 5_000;
const APPLIED_MS = 5_000;
const NEXT_MS = 10_000;
const STATS_TIMEOUT_MS = 1_000;

interface Generation {
  link: FrontLink;
  /** Called with each revision that it says is in force. */
  onApplied: (revision: number) => void;
  applied: number;
  /** Of those that the table says are to drain. */
  drained: Set<string>;
}

export class Fronts {
  readonly #options: FrontsOptions;
  readonly #generations = new Set<Generation>();
  readonly #over = new AbortController();
  readonly #stats = new Map<number, (stats: FrontStats) => void>();
  /** By worker: what the front watches too. */
  readonly #watched = new Map<string, WatchedSources>();
  /** As it was told last: of what the table shows as serving it may say that it is not. */
  #health: Extract<ServerToFront, { type: "health" }> | undefined;
  #table: FrontTable;
  #server: KeeperServer | undefined;
  #applied = 0;
  #drained = new Set<string>();
  #statsId = 0;

  constructor(options: FrontsOptions, table: FrontTable) {
    this.#options = options;
    this.#table = table;
  }

  /** Of the front that takes connections: process, generation, address. */
  get server(): KeeperServer | undefined {
    return this.#server;
  }

  /** As it was told last. */
  get table(): FrontTable {
    return this.#table;
  }

  get isConnected(): boolean {
    return this.#generations.size > 0;
  }

  /** Starts it, or finds it, and tells it the table. @throws GATEWAY_PORT_TAKEN, KEEPER_OLD, SERVER_START_FAILED */
  async open(): Promise<void> {
    const { spec } = this.#options;
    const found = await this.#running();
    if (!found) return this.#dial(await this.#start());
    // One that still ends is in the keeper's hands, and says goodbye by closing; it is not looked for.
    try {
      await this.#dial(found);
    } catch {
      return this.#dialNext(); // it has died since it was found
    }
    if (found.hash !== spec.hash) await this.#renew();
  }

  /** Of an older build it serves all the same, and the next server tries again. */
  async #renew(): Promise<void> {
    try {
      await this.replace();
    } catch (error) {
      if (!this.isConnected) throw error;
      this.#options.log.warn("front_not_replaced", { error: messageOf(error) });
    }
  }

  /** A new generation of this build takes the place of what runs; nobody who is connected notices. */
  async replace(): Promise<void> {
    const { keeper, spec } = this.#options;
    await this.#dial(await keeper.call({ call: "server.replace", spec }));
  }

  /** The whole table. */
  tell(table: FrontTable): void {
    this.#table = table;
    this.#say({ type: "table", table });
  }

  tellWorker(revision: number, worker: FrontWorker, draining: string[]): void {
    const workers = [...this.#table.workers.filter(({ name }) => name !== worker.name), worker];
    this.#table = { ...this.#table, revision, workers, draining };
    this.#say({ type: "worker", revision, worker, draining });
  }

  say(message: Exclude<ServerToFront, { type: "table" | "worker" | "stats" }>): void {
    if (message.type === "health") this.#health = message;
    this.#say(message);
  }

  /** What a worker is made of lies there. */
  watch(worker: string, watched: WatchedSources): void {
    if (watched.dirs.length === 0) this.#watched.delete(worker);
    else this.#watched.set(worker, watched);
    this.#say({ type: "watch", worker, watched });
  }

  /** Of the front that takes connections; undefined when it does not answer. */
  async stats(): Promise<FrontStats | undefined> {
    const serving = [...this.#generations].at(-1);
    if (!serving) return undefined;
    const id = ++this.#statsId;
    const { promise, resolve } = Promise.withResolvers<FrontStats | undefined>();
    this.#stats.set(id, resolve);
    serving.link.tell({ type: "stats", id });
    const timer = setTimeout(() => resolve(undefined), STATS_TIMEOUT_MS);
    const stats = await promise;
    clearTimeout(timer);
    this.#stats.delete(id);
    return stats;
  }

  /** Ends the front, whatever it has in flight. */
  async stop(): Promise<void> {
    this.#say({ type: "end" });
    this.#over.abort();
    const { keeper, spec } = this.#options;
    try {
      await keeper.call({ call: "server.stop", name: spec.name });
    } catch (error) {
      if (!isWarrenError(error, "SERVER_NOT_FOUND")) throw error;
    }
    this.close();
  }

  /** Lets go of it: it goes on by what it was told last. */
  close(): void {
    this.#over.abort();
    for (const { link } of this.#generations) link.close();
    this.#generations.clear();
  }

  async #running(): Promise<KeeperServer | undefined> {
    const { keeper, spec } = this.#options;
    const { servers } = await keeper.call({ call: "list" });
    const found = servers.find(({ name, state }) => name === spec.name && state !== "ending");
    return found?.state === "ready" ? found : undefined;
  }

  async #start(): Promise<KeeperServer> {
    const { keeper, spec, listen } = this.#options;
    const deadlineMs = performance.now() + PORT_TAKEN_MS;
    for (;;) {
      try {
        const server = await keeper.call({ call: "server.start", spec, socketPath: "", listen });
        if (server.address) return server;
        throw new WarrenError("KEEPER_OLD", "The keeper that runs is of an older build, and holds no HTTP ports.", {
          fix: "warren shutdown --force      # once nothing is needed that it holds",
        });
      } catch (error) {
        const isTaken = messageOf(error).includes("EADDRINUSE");
        const isEnding = isWarrenError(error, "SERVER_ENDING");
        if (!isTaken && !isEnding) throw error;
        if (performance.now() > deadlineMs) throw isTaken ? portTaken(listen) : error;
        await delay(REDIAL.firstMs, undefined, { signal: this.#over.signal });
      }
    }
  }

  /** The keeper starts another generation, which takes a moment. */
  async #dialNext(): Promise<void> {
    const backoff = new Backoff(REDIAL);
    const deadlineMs = performance.now() + NEXT_MS;
    for (;;) {
      try {
        return await this.#dial(await this.#start());
      } catch (error) {
        if (this.#over.signal.aborted || performance.now() > deadlineMs) throw error;
        await delay(backoff.nextMs(), undefined, { signal: this.#over.signal });
      }
    }
  }

  async #dial(server: KeeperServer): Promise<void> {
    const path = this.#options.socketPathOf(server.generation);
    const link = await FrontLink.dial(path, {
      onMessage: (message, from) => this.#hear(message, from),
      onClosed: (from) => this.#lost(from),
    });
    if (this.#over.signal.aborted) return link.close();
    this.#server = server;
    const { promise, resolve } = Promise.withResolvers<void>();
    const { revision } = this.#table;
    const onApplied = (applied: number): void => void (applied >= revision && resolve());
    this.#generations.add({ link, applied: 0, drained: new Set(), onApplied });
    link.tell({ type: "table", table: this.#table });
    for (const [worker, watched] of this.#watched) link.tell({ type: "watch", worker, watched });
    if (this.#health) link.tell(this.#health); // no decision may follow that would tell it again
    // It takes connections by then.
    await Promise.race([promise, delay(APPLIED_MS, undefined, { ref: false })]);
  }

  #say(message: ServerToFront): void {
    for (const { link } of this.#generations) link.tell(message);
  }

  #hear(message: FrontToServer, link: FrontLink): void {
    const generation = [...this.#generations].find((one) => one.link === link);
    if (!generation) return;
    const { events } = this.#options;
    switch (message.type) {
      case "applied":
        generation.onApplied(message.revision);
        generation.applied = Math.max(generation.applied, message.revision);
        return this.#weigh();
      case "drained":
        generation.drained.add(message.instance);
        return this.#weigh();
      case "trouble":
        return events.onTrouble(message);
      case "waiting":
        return events.onWaiting(message.worker, message.count);
      case "sign": {
        const { worker, sign } = message;
        return void events.onSign(worker).then(() => link.tell({ type: "seen", worker, sign }));
      }
      case "stats":
        return this.#stats.get(message.id)?.(message.stats);
      default:
        return; // a greeting is read by the link; what a later build says is passed over
    }
  }

  /** Tells what all generations agree on by now. */
  #weigh(): void {
    const all = [...this.#generations];
    const [first] = all;
    if (!first) return;
    const applied = Math.min(...all.map((one) => one.applied));
    if (applied > this.#applied) {
      this.#applied = applied;
      this.#options.events.onApplied(applied);
    }
    const draining = new Set(this.#table.draining);
    this.#drained = this.#drained.intersection(draining);
    for (const one of all) one.drained = one.drained.intersection(draining);
    for (const instance of first.drained) {
      if (!draining.has(instance) || this.#drained.has(instance)) continue;
      if (!all.every(({ drained }) => drained.has(instance))) continue;
      this.#drained.add(instance);
      this.#options.events.onDrained(instance);
    }
  }

  #lost(link: FrontLink): void {
    const all = [...this.#generations];
    const lost = all.find((one) => one.link === link);
    if (!lost) return;
    this.#generations.delete(lost);
    lost.onApplied(Number.POSITIVE_INFINITY); // nobody waits for what it will not say
    if (this.#over.signal.aborted) return;
    if (all.at(-1) !== lost) return this.#weigh(); // an old one has come to its end
    this.#options.log.warn("front_lost", { front: this.#options.spec.name, pid: link.greeting.pid });
    void this.#redial();
  }

  /** The keeper starts the next generation. */
  async #redial(): Promise<void> {
    const backoff = new Backoff(REDIAL);
    while (!this.#over.signal.aborted) {
      try {
        return await this.#dial(await this.#start());
      } catch (error) {
        this.#options.log.warn("front_not_back", { error: messageOf(error) });
        await delay(backoff.nextMs(), undefined, { signal: this.#over.signal }).catch(() => {});
      }
    }
  }
}

const portTaken = ({ host, port }: ListenAddress): WarrenError =>
  new WarrenError("GATEWAY_PORT_TAKEN", `Port ${port} of ${host} is taken by another program.`, {
    fix: `ss -ltnp 'sport = :${port}'      # or another gateway.port in warren.yaml`,
  });
