import { isAlive } from "../../src/platform/process.ts";
import { type HomeProcess, killProcess } from "../../test/harness/processes.ts";
import type { Random } from "../../test/harness/random.ts";
import { waitUntil } from "../../test/harness/wait-until.ts";
import type { House } from "./house.ts";

/**
 * What is done to the demo, and when: four kills to each reload, in an order and at instants that the seed gives. Not among them: the keeper, since sessions
 * end with it (docs/what-survives-what.md).
 */
const VICTIMS = ["server", "front", "mail leader"] as const;
export type Blow = (typeof VICTIMS)[number] | "reload";
const RELOAD_EVERY = 5;
const GAP_MS = { from: 40, to: 600 };
const NEXT_DEADLINE_MS = 30_000;

export interface Struck {
  blow: Blow;
  pid: number;
  atMs: number;
}

/** In order, each with the time that passes before it. */
export function plannedBlows(count: number, random: Random): { blow: Blow; afterMs: number }[] {
  const left = Array.from(
    { length: count },
    (_, at): Blow => ((at + 1) % RELOAD_EVERY === 0 ? "reload" : VICTIMS[at % VICTIMS.length]!),
  );
  return Array.from({ length: count }, () => ({
    blow: left.splice(random.between(0, left.length - 1), 1)[0]!,
    afterMs: random.between(GAP_MS.from, GAP_MS.to),
  }));
}

export class Striker {
  readonly #house: House;
  readonly #beganMs = performance.now();
  readonly #struck = new Set<number>();
  readonly #server;
  readonly #mailbox;

  constructor(house: House) {
    this.#house = house;
    this.#server = house.client();
    this.#mailbox = house.mailClient();
  }

  /** Resolves when the process has ended, or the reload is over. A kill meets what has begun to serve: of starts that are killed a build is blamed in the end. */
  async strike(blow: Blow): Promise<Struck> {
    if (blow === "reload") return this.#reload();
    const victim = await this.#victim(blow);
    this.#struck.add(victim.pid);
    const atMs = this.#nowMs();
    killProcess(victim);
    await waitUntil(() => !isAlive(victim.identity), { what: `the end of ${blow} ${victim.pid}` });
    return { blow, pid: victim.pid, atMs };
  }

  async #reload(): Promise<Struck> {
    const atMs = this.#nowMs();
    const { pid } = JSON.parse(await this.#house.well(["reload", "--json"])) as { pid: number };
    return { blow: "reload", pid, atMs };
  }

  async #victim(blow: (typeof VICTIMS)[number]): Promise<HomeProcess> {
    if (blow === "server") await this.#server.request("ping", {});
    const leader = blow === "mail leader" ? (await this.#mailbox.request("mail.status", {})).status.leader : undefined;
    const script = { server: "server.js", front: "front.js", "mail leader": "mail-leader.js" }[blow];
    const isIt = ({ pid }: HomeProcess): boolean => !this.#struck.has(pid) && (!leader || leader.pid === pid);
    return waitUntil(() => this.#house.processes(script).findLast(isIt), {
      what: `a ${blow} to kill`,
      deadlineMs: NEXT_DEADLINE_MS,
    });
  }

  #nowMs(): number {
    return performance.now() - this.#beganMs;
  }
}
