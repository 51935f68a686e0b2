import { rm, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Clock } from "../../platform/clock.ts";
import type { Turns } from "../../platform/turns.ts";
import type { BuildFailure } from "../../protocol/front-messages.ts";
import type { BuiltFrom, WorkerSources } from "../watch/worker-sources.ts";
import { Artefacts } from "./artefacts.ts";
import { runBuildCommand } from "./build-command.ts";
import { type BuildOutcome, failureOf } from "./build-outcome.ts";
import { placesIn } from "./code-frame.ts";
import { BundleFailure, failureOfBundle, NodeBundler } from "./node-bundle.ts";
import type { CommandProgram, SourceSpec } from "./source-spec.ts";
import type { VersionMaker } from "./version-maker.ts";

/**
 * Makes artefacts of one worker's sources, one at a time in its folder.
 *
 * 1. An artefact has a version's name only if the sources were that version before it was built and after: otherwise it is `outdated`, and not kept.
 * 2. What was built once is not built again, unless it is asked for.
 * 3. A failure changes nothing of what was built before.
 */
export interface BuilderOptions {
  sources: WorkerSources;
  /**
   * Of builds, by folder; the same for all who may build there, who do not know each other (a worker that is configured anew has another builder): a build
   * that was given up still runs for a moment, and puts back what it found there.
   */
  turns: Turns;
  /** How many artefacts are kept; default 5. */
  keepCount?: number;
  /** For a build command; default 120 000. */
  timeoutMs?: number;
  clock?: Clock;
}

const TIMEOUT_MS = 120_000;
/** Files from elsewhere are known only after a build; then it is made once more, over files that are compared before and after. */
const ATTEMPTS_MAX = 5;

export class Builder implements VersionMaker {
  readonly #sources: WorkerSources;
  readonly #spec: SourceSpec;
  readonly #artefacts: Artefacts;
  readonly #bundler: NodeBundler | undefined;
  readonly #timeoutMs: number;
  readonly #clock: Clock | undefined;
  readonly #turns: Turns;
  /** What a build command has left in the worker's folder, where the next one writes too. */
  #builtInPlace: string | undefined;
  /** The last that was ordered here. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ sources, turns, keepCount, timeoutMs = TIMEOUT_MS, clock }: BuilderOptions) {
    this.#sources = sources;
    this.#turns = turns;
    this.#spec = sources.spec;
    const { dir, name, program } = this.#spec;
    this.#artefacts = new Artefacts({ dir, name, ...(keepCount === undefined ? {} : { keepCount }) });
    this.#bundler = program.kind === "node" ? new NodeBundler(this.#spec, program.entry) : undefined;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /** Finds what was built before; the versions, the oldest first. Not before it does the sources' `look` know them. */
  async open(): Promise<string[]> {
    const known = await this.#artefacts.known();
    for (const built of known) this.#sources.learn(built);
    return known.map(({ version }) => version);
  }

  /** Waits for the build before it, also of another builder of the same folder. Does not throw. */
  build(version: string, signal: AbortSignal, { isForced = false } = {}): Promise<BuildOutcome> {
    const outcome = this.#turns.take(this.#spec.dir, () => this.#build(version, signal, isForced));
    this.#turn = outcome;
    return outcome;
  }

  artefactOf(version: string): Promise<string | undefined> {
    return this.#artefacts.find(version);
  }

  /** `bin/<name>` leads to it from now on. @throws ARTEFACT_MISSING, BIN_REFUSED, BIN_UNWRITABLE */
  async setCurrent(version: string): Promise<void> {
    if (this.#hasArtefacts) await this.#artefacts.setCurrent(version);
  }

  /** Removes the oldest artefacts that are too many, never those in `keep`. */
  async prune(keep: ReadonlySet<string>): Promise<void> {
    this.#sources.forget(await this.#artefacts.prune(keep));
  }

  /** Lets go of what esbuild keeps. */
  async close(): Promise<void> {
    await this.#turn;
    await this.#bundler?.close();
  }

  get #hasArtefacts(): boolean {
    const { program } = this.#spec;
    return program.kind === "node" || program.build !== undefined;
  }

  async #build(version: string, signal: AbortSignal, isForced: boolean): Promise<BuildOutcome> {
    const startedAtMs = performance.now();
    const built = (artefactPath: string | undefined, inputs: readonly string[], wasThere = false): BuildOutcome => ({
      ...{ kind: "built", version, artefactPath, inputs, wasThere },
      tookMs: performance.now() - startedAtMs,
    });
    try {
      if (signal.aborted) return { kind: "cancelled" };
      if (!this.#hasArtefacts) return built(undefined, [], true);
      const there = await this.#artefacts.find(version);
      if (!isForced && (there !== undefined || this.#builtInPlace === version)) {
        const known = (await this.#artefacts.known()).find((one) => one.version === version);
        return built(there, known?.inputs ?? [], true);
      }
      const made = this.#bundler ? await this.#bundle(version, signal) : await this.#command(version, signal);
      if ("kind" in made) return made;
      return built(made.path, made.inputs);
    } catch (error) {
      if (signal.aborted) return { kind: "cancelled" };
      return this.#failed(version, failureFrom(this.#spec.name, error), error);
    }
  }

  async #bundle(version: string, signal: AbortSignal): Promise<Made | BuildOutcome> {
    if (!(await this.#isNow(version))) return this.#outdated();
    let known = this.#sources.outsiders;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const before = await this.#sources.inputsDigest(known);
      const bundle = await this.#bundler!.bundle(signal);
      const { namesDigest, files } = await this.#sources.survey();
      const from = await this.#builtFrom(version, bundle.inputs, namesDigest);
      // Last: what is taken down of the sources is from before it, so that it is of what was built.
      if (!(await this.#isNow(version))) return this.#outdated();
      const listed = new Set(files);
      const outsiders = bundle.inputs.filter((path) => !listed.has(path));
      const areKnown = outsiders.every((path) => known.includes(path));
      if (areKnown && before === (await this.#sources.inputsDigest(known))) {
        signal.throwIfAborted();
        await this.#artefacts.open();
        const name = `${this.#spec.name}-${version}${bundle.extension}`;
        const path = await this.#artefacts.write(from, { ...bundle, code: bundle.code(name) });
        this.#sources.learn(from);
        return { path, inputs: bundle.inputs };
      }
      known = [...new Set([...known, ...outsiders])];
    }
    return this.#outdated();
  }

  async #command(version: string, signal: AbortSignal): Promise<Made | BuildOutcome> {
    const { build, buildEnv = [] } = this.#spec.program as CommandProgram;
    const { dir, name, projectDir } = this.#spec;
    const { files } = await this.#sources.survey();
    const before = await this.#sources.inputsDigest(files);
    if (!(await this.#isNow(version))) return this.#outdated();
    await this.#artefacts.open();
    const temporary = this.#artefacts.temporaryPath(version);
    const env = [...buildEnv, `WORKER_NAME=${name}`, `WORKER_ARTEFACT=${temporary}`];
    const link = await this.#artefacts.link();
    await this.#artefacts.unlink();
    try {
      this.#builtInPlace = undefined;
      const clock = this.#clock === undefined ? {} : { clock: this.#clock };
      const end = await runBuildCommand({ command: build!, dir, env, timeoutMs: this.#timeoutMs, signal, ...clock });
      if (end.kind === "cancelled") return end;
      if (end.kind === "failed") {
        const { message, output } = end;
        const places = placesIn(output.join("\n"), { dir, projectDir });
        return this.#failed(version, { ...failureOf(name, message, output), places });
      }
      // What the build itself has written anew is not a change; what it was built from must not have become another.
      const { namesDigest } = await this.#sources.survey();
      const from = await this.#builtFrom(version, files, namesDigest);
      if (before !== from.inputsDigest) return this.#outdated();
      const made = (await isFile(temporary)) ? temporary : await this.#artefacts.madeAtLink();
      const path = made === undefined ? undefined : await this.#artefacts.take(from, made);
      if (made === undefined) this.#builtInPlace = version;
      this.#sources.learn(from);
      return { path, inputs: files };
    } finally {
      await rm(temporary, { force: true, recursive: true });
      if (link !== undefined) await this.#artefacts.pointTo(link);
      else await this.#artefacts.unlink();
    }
  }

  async #builtFrom(version: string, inputs: readonly string[], namesDigest: string): Promise<BuiltFrom> {
    return { version, inputs, inputsDigest: await this.#sources.inputsDigest(inputs), namesDigest };
  }

  /** By what is known of builds, or by all that is there. */
  async #isNow(version: string): Promise<boolean> {
    return (await this.#sources.look()).version === version || (await this.#sources.survey()).version === version;
  }

  #outdated(): BuildOutcome {
    this.#sources.suspect();
    return { kind: "outdated" };
  }

  #failed(version: string, failure: BuildFailure, error?: unknown): BuildOutcome {
    const places = error instanceof BundleFailure ? error.places : failure.places;
    this.#sources.learnFailure(places.map(({ file }) => resolve(this.#spec.projectDir, file)));
    return { kind: "failed", version, failure };
  }
}

interface Made {
  path: string | undefined;
  inputs: readonly string[];
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() === true;

const failureFrom = (worker: string, error: unknown): BuildFailure =>
  error instanceof BundleFailure ? failureOfBundle(worker, error) : failureOf(worker, error);
