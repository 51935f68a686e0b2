import type { Client } from "../../src/client/client.ts";
import { isAlive } from "../../src/platform/process.ts";
import type { TemporaryHome } from "./home.ts";
import { type HomeProcess, killProcess, type Role } from "./processes.ts";
import { waitUntil } from "./wait-until.ts";

/**
 * Kills servers at chosen moments: now, or a moment after something has begun. `during` names a thing that the workload says it is about to do
 * (`enter`), so that a kill can meet an `add` or a `stop` in flight by intent and not by luck.
 */
export class KillPoints {
  readonly #house: TemporaryHome;
  readonly #client: Client;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly killed: number[] = [];

  constructor(house: TemporaryHome) {
    this.#house = house;
    this.#client = house.client();
  }

  /** The workload is about to do `point`. */
  enter(point: string): void {
    const waiting = this.#waiting.get(point);
    this.#waiting.delete(point);
    for (const wake of waiting ?? []) wake();
  }

  /** Resolves when the workload enters `point` next, or after `atMostMs`. */
  async during(point: string, atMostMs = 1_000): Promise<void> {
    const waiting = this.#waiting.get(point) ?? new Set();
    this.#waiting.set(point, waiting);
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, atMostMs);
      waiting.add(resolve);
    });
    clearTimeout(timer);
  }

  /** Resolves when a server answers. */
  async serving(): Promise<void> {
    await this.#client.request("ping", {});
  }

  /** Kills the newest process of that role, which may still be starting, and waits for its end. */
  async kill(role: Role = "server"): Promise<HomeProcess> {
    const victim = await waitUntil(() => this.#house.processes(role).at(-1), { what: `a ${role} to kill` });
    killProcess(victim);
    await waitUntil(() => !isAlive(victim.identity), { what: `the end of ${role} ${victim.pid}` });
    this.killed.push(victim.pid);
    return victim;
  }

  /** Kills, and kills the successor `afterMs` after it has appeared. */
  async killTwice(afterMs: number): Promise<void> {
    const first = await this.kill();
    await waitUntil(() => this.#house.processes("server").find(({ pid }) => pid !== first.pid), {
      what: "a successor",
    });
    await after(afterMs);
    await this.kill();
  }
}

/** Lets time pass where a moment, not an event, is what is wanted: the instants of kills. */
export const after = (delayMs: number): Promise<void> => new Promise((wake) => setTimeout(wake, delayMs));
