import { type FSWatcher, watch } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { ProjectFixture } from "../build/project-fixture.ts";
import { AssetWatch } from "./asset-watch.ts";
import { SourceWatch, type SourceWatchOptions } from "./source-watch.ts";
import type { WorkerSources } from "./worker-sources.ts";

/** For tests: real files and real inotify, on a clock that moves by hand, so that nothing depends on how fast the machine is. */

const DEADLINE_MS = 15_000;

export type Heard = string;

/** Everything that is told stands in `heard`, in its order: `touched api 1`, `settled api 1 <version>`, `assets api {…}`, `degraded ENOSPC`. */
export class WatchFixture implements AsyncDisposable {
  readonly project: ProjectFixture;
  readonly clock = new HandClock();
  readonly heard: Heard[] = [];
  readonly watch: SourceWatch;
  readonly assets: AssetWatch;
  readonly #sentinel: FSWatcher;
  readonly #keepAlive = setInterval(() => {}, 60_000);
  readonly #waiting = new Set<() => void>();
  #marks = 0;

  static async make(options: Partial<SourceWatchOptions> = {}): Promise<WatchFixture> {
    const project = await ProjectFixture.make();
    await mkdir(project.path("sentinel"));
    return new WatchFixture(project, options);
  }

  constructor(project: ProjectFixture, options: Partial<SourceWatchOptions>) {
    this.project = project;
    this.watch = new SourceWatch({
      onTouched: (worker, change) => this.#hear(`touched ${worker} ${change}`),
      onSettled: (worker, { change, version }) => this.#hear(`settled ${worker} ${change} ${version}`),
      onDegraded: (reason) => this.#hear(`degraded ${reason}`),
      onError: (worker, message) => this.#hear(`error ${worker} ${message}`),
      clock: this.clock,
      ...options,
    });
    this.assets = new AssetWatch({
      onAssets: (key, changed) => this.#hear(`assets ${key} ${JSON.stringify(changed)}`),
      clock: this.clock,
    });
    this.#sentinel = watch(project.path("sentinel"), (_, name) => this.#hear(`mark ${name}`));
  }

  /** What is told of one worker, so far. */
  of(worker: string): Heard[] {
    return this.heard.filter((line) => line.split(" ")[1] === worker);
  }

  async until(predicate: () => boolean, what: string): Promise<void> {
    if (predicate()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => predicate() && resolve();
    const deadline = setTimeout(
      () => reject(new Error(`waited in vain for ${what}; heard ${this.heard.slice(-20).join(", ")}`)),
      DEADLINE_MS,
    );
    this.#waiting.add(look);
    try {
      await promise;
    } finally {
      clearTimeout(deadline);
      this.#waiting.delete(look);
    }
  }

  /** Every event of before has been told: the system tells in order. */
  async told(): Promise<void> {
    this.#marks += 1;
    const name = `m${this.#marks}`;
    await writeFile(this.project.path(`sentinel/${name}`), "");
    await this.until(() => this.heard.includes(`mark ${name}`), name);
  }

  /** Until it has been quiet, and what this worker was touched by has settled. Answers with the version. */
  async settled(worker: string): Promise<string> {
    const deadlineMs = performance.now() + DEADLINE_MS;
    await this.told();
    while (!this.#isSettled(worker)) {
      if (performance.now() > deadlineMs) throw new Error(`${worker} does not settle: ${this.of(worker).join(", ")}`);
      this.clock.pass(50);
      await this.told();
    }
    return this.of(worker).at(-1)!.split(" ")[3]!;
  }

  #isSettled(worker: string): boolean {
    const changeOf = (kind: string) =>
      Number(
        this.of(worker)
          .findLast((line) => line.startsWith(kind))
          ?.split(" ")[2],
      );
    return changeOf("settled") >= changeOf("touched");
  }

  async follow(sources: WorkerSources): Promise<string> {
    return (await this.watch.add(sources)).version;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.watch.close();
    this.assets.close();
    this.#sentinel.close();
    clearInterval(this.#keepAlive);
    await this.project[Symbol.asyncDispose]();
  }

  #hear(line: Heard): void {
    this.heard.push(line);
    for (const look of this.#waiting) look();
  }
}
