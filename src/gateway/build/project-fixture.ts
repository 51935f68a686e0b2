import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Turns } from "../../platform/turns.ts";
import { FileHashes } from "../watch/file-hashes.ts";
import { WorkerSources } from "../watch/worker-sources.ts";
import { Builder, type BuilderOptions } from "./builder.ts";
import type { SourceSpec } from "./source-spec.ts";

/** For tests: a project with workers in a temporary directory; builders are closed and files removed at the end. */
export class ProjectFixture implements AsyncDisposable {
  readonly dir: string;
  readonly #turns = new Turns();
  readonly #builders: Builder[] = [];

  static async make(): Promise<ProjectFixture> {
    return new ProjectFixture(await realpath(await mkdtemp(join(tmpdir(), "warren-project-"))));
  }

  constructor(dir: string) {
    this.dir = dir;
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  /** Writes in place, as a simple editor does. */
  async write(name: string, text: string, mode?: number): Promise<string> {
    const path = this.path(name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    if (mode !== undefined) await chmod(path, mode);
    return path;
  }

  node(name: string, { entry = "src/main.ts", ...more }: Partial<SourceSpec> & { entry?: string } = {}): SourceSpec {
    const dir = this.path(`workers/${name}`);
    return { name, dir, projectDir: this.dir, program: { kind: "node", entry: join(dir, entry) }, ...more };
  }

  /** `script` runs in sh; without one nothing is built. */
  command(name: string, script?: string, more: Partial<SourceSpec> = {}): SourceSpec {
    const build = script === undefined ? {} : { build: ["/bin/sh", "-c", script] };
    const program = { kind: "command" as const, ...build, buildEnv: [`PATH=${process.env.PATH}`] };
    return { name, dir: this.path(`workers/${name}`), projectDir: this.dir, program, ...more };
  }

  sources(spec: SourceSpec): WorkerSources {
    return new WorkerSources(spec, new FileHashes());
  }

  builder(sources: WorkerSources, options: Omit<BuilderOptions, "sources" | "turns"> = {}): Builder {
    const builder = new Builder({ sources, turns: this.#turns, ...options });
    this.#builders.push(builder);
    return builder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const builder of this.#builders) await builder.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Builds what the sources are now. */
export async function buildNow(builder: Builder, sources: WorkerSources, signal = AbortSignal.timeout(30_000)) {
  const { version } = await sources.look();
  return builder.build(version, signal);
}

/** The same, for sources that are well. */
export async function builtNow(builder: Builder, sources: WorkerSources) {
  const outcome = await buildNow(builder, sources);
  if (outcome.kind !== "built") throw new Error(`not built: ${JSON.stringify(outcome)}`);
  return outcome;
}
