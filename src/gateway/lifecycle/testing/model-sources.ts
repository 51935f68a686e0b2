import type { BuildFailure } from "../../../protocol/front-messages.ts";
import { anyBehaviour, type Behaviour } from "./model-process.ts";
import type { Random } from "./random.ts";
import type { Surroundings } from "./surroundings.ts";

/** Sources, who watches them, and what is built of them. */
export class ModelSources {
  /** As they are now. */
  version = "v1";
  readonly behaviours = new Map<string, Behaviour>();
  /** Versions whose artefacts are there. */
  readonly disk = new Set<string>();
  /** Numbers signs of change, anew with each server. */
  #change = 0;
  #watcher = 0;
  readonly #world: Surroundings;
  readonly #builds = new Map<string, number>();

  constructor(world: Surroundings, random: Random) {
    this.#world = world;
    this.behaviours.set(this.version, random.chance(75) ? "good" : anyBehaviour(random));
  }

  behaviourOf(version: string | null): Behaviour {
    return (version === null ? undefined : this.behaviours.get(version)) ?? "good";
  }

  write(behaviour: Behaviour): void {
    this.version = `v${this.behaviours.size + 1}`;
    this.behaviours.set(this.version, behaviour);
  }

  /** The watcher sees that something was written; what it found is told later, and may be old by then. */
  notice(): void {
    const { random, state } = this.#world;
    const change = ++this.#change;
    const watcher = this.#watcher;
    const saysUnchanged = random.chance(50);
    const tellMs = random.between(1, 200);
    this.#world.answer(random.between(50, 400), () => {
      const { version } = this;
      this.#world.answer(tellMs, () => {
        if (watcher !== this.#watcher) return undefined;
        const isUnchanged = version === this.#world.state.source && saysUnchanged;
        return isUnchanged ? { kind: "unchanged", change } : { kind: "sources", change, version };
      });
      return undefined;
    });
    if (state.spec.mode === "dev") this.#world.tell({ kind: "touched", change });
  }

  /** Watched anew: what the old watcher was about to tell is not told. */
  watchAnew(): void {
    this.#change = 0;
    this.#watcher += 1;
    this.look();
  }

  look(): void {
    this.#world.answer(this.#world.random.between(5, 100), () => ({
      kind: "sources",
      change: this.#change,
      version: this.version,
    }));
  }

  build(version: string): void {
    const { random } = this.#world;
    const token = random.seed();
    this.#builds.set(version, token);
    if (this.behaviourOf(version) === "build_hangs") return;
    this.#world.answer(random.between(20, 1_500), () => {
      if (this.#builds.get(version) !== token) return undefined;
      this.#builds.delete(version);
      if (!this.#canBeBuilt(version)) return { kind: "build_failed", version, failure: failureOf(version) };
      this.disk.add(version);
      return { kind: "built", version };
    });
  }

  /** Sometimes too late. */
  cancel(version: string): void {
    if (this.#world.random.chance(80)) this.#builds.delete(version);
  }

  /** The server is gone, and with it who would tell; some builds come to their end all the same. */
  abandon(): void {
    this.#change = 0;
    for (const version of this.#builds.keys()) {
      if (this.#world.random.chance(30) && this.#canBeBuilt(version)) this.disk.add(version);
    }
    this.#builds.clear();
  }

  #canBeBuilt(version: string): boolean {
    const behaviour = this.behaviourOf(version);
    return behaviour !== "build_fails" && behaviour !== "build_hangs";
  }
}

const failureOf = (version: string): BuildFailure => ({
  worker: "api",
  at: "2026-11-21T00:00:00.000Z",
  phase: "build",
  message: `${version} does not compile`,
  places: [],
  output: [],
});
