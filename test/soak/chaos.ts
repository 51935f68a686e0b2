import assert from "node:assert/strict";
import type { Worker } from "../../src/protocol/gateway-units.ts";
import type { HubHouse } from "../harness/hub-house.ts";
import { KillPoints } from "../harness/kill-points.ts";
import { ended, killProcess } from "../harness/processes.ts";
import { type Ground, pause } from "./ground.ts";

/**
 * Random deaths, one after another, and a reload every minute. Not the keeper's: the programs of sessions end with it, by contract, so the rest of the run would
 * have nothing to lose. (`test/sessions.test.ts` and `test/crash-proof.test.ts` kill it.) The mailbox's leaders die in `mail.ts`.
 */
export type Blow = "server" | "server twice" | "server in a reload" | "front" | "worker" | "hub" | "both hubs";

const BLOWS: readonly Blow[] = [
  ...Array<Blow>(5).fill("server"),
  "server twice",
  "server in a reload",
  ...Array<Blow>(2).fill("front"),
  ...Array<Blow>(2).fill("worker"),
  ...Array<Blow>(3).fill("hub"),
  "both hubs",
];
const QUIET_MS = { min: 2_000, max: 10_000 };
const HUB_AWAY_MS_MAX = 4_000;
const RELOAD_EVERY_MS = 60_000;

export class Chaos {
  readonly #ground: Ground;
  readonly #points: KillPoints;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#points = new KillPoints(ground.house);
  }

  async work(): Promise<void> {
    const { random, over, stopped, ledger } = this.#ground;
    let reloadedMs = performance.now();
    while (!over.aborted) {
      await pause(random.between(QUIET_MS.min, QUIET_MS.max), over);
      if (over.aborted) break;
      const blow = random.pick(BLOWS);
      try {
        if (performance.now() - reloadedMs >= RELOAD_EVERY_MS) {
          reloadedMs = performance.now();
          await this.#reload();
        } else await this.#deal(blow);
      } catch (error) {
        if (!stopped.aborted) ledger.fault("chaos", error);
      }
    }
    await this.#points.serving();
  }

  say(): string {
    const { incidents } = this.#ground;
    const kills = (["server", "front", "worker", "hub"] as const).map(
      (victim) => `${victim} ${incidents.count(victim)}`,
    );
    return `killed ${kills.join(" ")}, reloads ${this.#ground.ledger.count("reloads")}`;
  }

  async #reload(): Promise<void> {
    const { incidents, house, ledger } = this.#ground;
    const { status, stderr } = await incidents.during("reload", () => house.warren(["reload"]));
    assert.equal(status, 0, `reload: ${stderr}`);
    ledger.add("reloads");
  }

  async #deal(blow: Blow): Promise<void> {
    const { incidents, random, hubs, house } = this.#ground;
    switch (blow) {
      case "server":
        return incidents.during("server", () => this.#killServer());
      case "server twice":
        return incidents.during("server", async () => {
          await this.#points.killTwice(random.between(0, 60));
          await this.#points.serving();
        });
      case "server in a reload":
        return incidents.during("server", async () => {
          const reloading = house.warren(["reload"], { quotesLog: true }); // what it says is not known
          await pause(random.between(0, 300), this.#ground.over);
          await this.#killServer();
          await reloading;
        });
      case "front":
        return incidents.during("front", () => this.#killFront());
      case "worker":
        return incidents.during("worker", () => this.#killWorker());
      case "hub":
        return this.#killHubs([random.pick(hubs)]);
      case "both hubs":
        return this.#killHubs(hubs);
    }
  }

  async #killServer(): Promise<void> {
    await this.#points.kill();
    await this.#points.serving();
  }

  async #killFront(): Promise<void> {
    const isFront = (argv: readonly string[]): boolean => argv.some((part) => part.endsWith("/front.js"));
    const front = this.#ground.house.processes().findLast(({ argv }) => isFront(argv));
    if (!front) return; // one is being started
    killProcess(front);
    await ended(front);
  }

  /**
   * One that serves and is alone: a version whose instance dies while it starts is a bad version, and one that dies on probation gives way to the one before; both are
   * said, and are no loss.
   */
  async #killWorker(): Promise<void> {
    const { site } = this.#ground;
    const { state, instances } = await site.worker("index");
    const [only] = instances;
    if (state !== "healthy" || instances.length !== 1 || only?.pid === undefined) return;
    try {
      process.kill(only.pid, "SIGKILL");
    } catch {
      return; // it has ended meanwhile
    }
    const isOther = (worker: Worker): boolean => worker.instances.every(({ id }) => id !== only.id);
    await site.becomes("index", (worker) => worker.state === "healthy" && isOther(worker), "serves again");
  }

  async #killHubs(hubs: readonly HubHouse[]): Promise<void> {
    const { incidents, random, stopped } = this.#ground;
    const awayMs = random.between(0, HUB_AWAY_MS_MAX);
    await incidents.during("hub", async () => {
      await Promise.all(hubs.map((hub) => hub.end("SIGKILL")));
      await pause(awayMs, stopped);
      await Promise.all(hubs.map((hub) => hub.start()));
    });
  }
}
