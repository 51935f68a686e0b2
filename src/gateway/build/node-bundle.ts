import { stat } from "node:fs/promises";
import { dirname, extname, isAbsolute, join, resolve } from "node:path";
import type { BuildContext, BuildOptions, BuildResult, BuildFailure as EsbuildFailure, Message } from "esbuild";
import { readJsonIfExists } from "../../platform/atomic-file.ts";
import { WarrenError } from "../../protocol/errors.ts";
import type { BuildFailure } from "../../protocol/front-messages.ts";
import { type Place, placeAt } from "./code-frame.ts";
import type { SourceSpec } from "./source-spec.ts";

/**
 * A node worker as one file, by esbuild, in a context that keeps what it has parsed: a second build costs a few milliseconds. Packages stay outside
 * (`node_modules` is found from `bin/` as from `src/`); files of the project go in, wherever they lie.
 *
 * The format is what Node would take the entry for: by its extension, by "type" in the nearest package.json, and without one by what the entry itself says.
 */
export interface Bundle {
  extension: ".mjs" | ".cjs";
  /** Ends with the name of its map, which lies beside it: `<artefact>.map`. */
  code: (artefactName: string) => string;
  map: string;
  /** Absolute. */
  inputs: string[];
}

/** The sources do not make a program. */
export class BundleFailure extends Error {
  readonly places: Place[];

  constructor(message: string, places: Place[]) {
    super(message);
    this.places = places;
  }
}

type Format = "esm" | "cjs";
type Options = BuildOptions & { write: false; metafile: true };

const PLACES_MAX = 10;
const TARGET = "node26";
/** In a module there is no `require`; esbuild's stand-in for it, which a bundled CommonJS file needs for packages, takes the one that is in scope. */
const REQUIRE_STAND_IN = "Dynamic require of";
const REQUIRE =
  'import{createRequire as __workerRequire}from"node:module";const require=__workerRequire(import.meta.url);';

export class NodeBundler {
  readonly #spec: SourceSpec;
  readonly #entry: string;
  #context: { format: Format; context: BuildContext<Options> } | undefined;
  /** By the entry's own words; known after a first build. */
  #spokenFormat: Format | undefined;

  constructor(spec: SourceSpec, entry: string) {
    this.#spec = spec;
    this.#entry = entry;
  }

  /** @throws BundleFailure; the signal's reason; ESBUILD_FAILED when esbuild itself fails */
  async bundle(signal: AbortSignal): Promise<Bundle> {
    if (!(await stat(this.#entry).catch(() => undefined))?.isFile()) throw this.#entryMissing();
    const declared = this.#declaredFormat();
    const format = declared ?? this.#spokenFormat ?? "esm";
    const result = await this.#rebuild(format, signal);
    if (declared) return this.#bundleOf(result, format);
    const spoken = this.#formatIn(result);
    this.#spokenFormat = spoken;
    return this.#bundleOf(spoken === format ? result : await this.#rebuild(spoken, signal), spoken);
  }

  async close(): Promise<void> {
    const held = this.#context;
    this.#context = undefined;
    await held?.context.dispose();
  }

  async #rebuild(format: Format, signal: AbortSignal): Promise<BuildResult<Options>> {
    signal.throwIfAborted();
    const { context, isNew } = await this.#contextFor(format);
    const cancel = () => void context.cancel().catch(() => {});
    signal.addEventListener("abort", cancel, { once: true });
    try {
      return await context.rebuild();
    } catch (error) {
      signal.throwIfAborted();
      if (isEsbuildFailure(error)) throw this.#failureOf(error.errors);
      // Its process was ended by somebody: once more with another, but not for ever.
      await this.#abandon();
      if (isNew) throw new WarrenError("ESBUILD_FAILED", `esbuild failed: ${String(error)}.`, { cause: error });
      return this.#rebuild(format, signal);
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  async #contextFor(format: Format) {
    if (this.#context?.format === format) return { ...this.#context, isNew: false };
    await this.close();
    const esbuild = await import("esbuild");
    const context = await esbuild.context(this.#options(format));
    this.#context = { format, context };
    return { format, context, isNew: true };
  }

  async #abandon(): Promise<void> {
    this.#context = undefined;
    const esbuild = await import("esbuild");
    await esbuild.stop();
  }

  #options(format: Format): Options {
    return {
      absWorkingDir: this.#spec.projectDir,
      entryPoints: [this.#entry],
      outfile: join(this.#spec.dir, "bin", this.#spec.name),
      bundle: true,
      write: false,
      metafile: true,
      platform: "node",
      target: TARGET,
      format,
      packages: "external",
      sourcemap: "external",
      sourcesContent: false,
      legalComments: "none",
      charset: "utf8",
      logLevel: "silent",
    };
  }

  #bundleOf(result: BuildResult<Options>, format: Format): Bundle {
    const map = result.outputFiles.find(({ path }) => path.endsWith(".map"))?.text ?? "";
    const text = result.outputFiles.find(({ path }) => path.endsWith(this.#spec.name))?.text ?? "";
    const head = format === "esm" && text.includes(REQUIRE_STAND_IN) ? REQUIRE : "";
    return {
      extension: format === "esm" ? ".mjs" : ".cjs",
      // Before the first line's own words, of which the map says nothing: they are esbuild's.
      code: (name) => `${head}${head === "" ? text : text.replace(/^#!/, "//")}//# sourceMappingURL=${name}.map\n`,
      map,
      inputs: Object.keys(result.metafile.inputs).flatMap((input) => this.#fileOf(input) ?? []),
    };
  }

  /** Of a plugin's name space or a data URL: none. */
  #fileOf(input: string): string | undefined {
    const path = resolve(this.#spec.projectDir, input.replace(/\?[^/]*$/, ""));
    return /^[\w-]+:/.test(input) && !isAbsolute(input) ? undefined : path;
  }

  #declaredFormat(): Format | undefined {
    const extension = extname(this.#entry);
    if (extension === ".mjs" || extension === ".mts") return "esm";
    if (extension === ".cjs" || extension === ".cts") return "cjs";
    for (let dir = dirname(this.#entry); ; dir = dirname(dir)) {
      const found = readJsonIfExists<{ type?: string }>(join(dir, "package.json"));
      if (found?.type === "module") return "esm";
      if (found?.type === "commonjs") return "cjs";
      if (found || dir === dirname(dir)) return undefined;
    }
  }

  #formatIn({ metafile }: BuildResult<Options>): Format {
    const entry = Object.entries(metafile.inputs).find(([input]) => this.#fileOf(input) === this.#entry)?.[1];
    return entry?.format === "esm" ? "esm" : "cjs";
  }

  #entryMissing(): BundleFailure {
    const { name, projectDir } = this.#spec;
    const entry = this.#entry.startsWith(projectDir) ? this.#entry.slice(projectDir.length + 1) : this.#entry;
    return new BundleFailure(`The entry of ${name}, ${entry}, is not there.`, []);
  }

  #failureOf(errors: readonly Message[]): BundleFailure {
    const { projectDir } = this.#spec;
    const places = errors.slice(0, PLACES_MAX).flatMap(({ text, location }) => {
      if (!location) return [];
      const path = resolve(projectDir, location.file);
      return [placeAt({ path, line: location.line, column: location.column + 1, message: text }, projectDir)];
    });
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    return new BundleFailure(`${errors[0]?.text ?? "esbuild failed"}${more}`, places);
  }
}

const isEsbuildFailure = (error: unknown): error is EsbuildFailure =>
  error instanceof Error && Array.isArray((error as Partial<EsbuildFailure>).errors);

export const failureOfBundle = (worker: string, { message, places }: BundleFailure): BuildFailure => ({
  worker,
  at: new Date().toISOString(),
  phase: "build",
  message,
  places,
  output: [],
});
