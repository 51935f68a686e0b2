import type { Turns } from "../platform/turns.ts";
import type { ProjectConfig, WorkerConfig } from "../protocol/gateway-config.ts";
import type { ProductionArtefact } from "../protocol/gateway-units.ts";
import type { BuildOutcome } from "./build/build-outcome.ts";
import { type Material, materialOf } from "./worker-material.ts";

/**
 * Builds what a deploy takes elsewhere, and starts nothing: each worker that is built, as production has it.
 *
 * A worker that runs here is built by its own builder, which makes one artefact at a time: two build commands in one folder would write over each other.
 */
export interface ProductionBuild {
  config: ProjectConfig;
  /** "KEY=value", for build commands. */
  env: readonly string[];
  /** Only these; default: all. */
  names?: readonly string[] | undefined;
  /** Of the worker of that name, where the project is up. */
  running: (name: string) => Material | undefined;
  /** Of all builds of the home, by folder. */
  builds: Turns;
}

/** Sources that change while they are built. */
const ATTEMPTS_MAX = 5;

/** In the order of the configuration; the first failure ends it. */
export async function productionArtefacts(build: ProductionBuild, signal: AbortSignal): Promise<ProductionArtefact[]> {
  const { config, env, names, running, builds } = build;
  const artefacts: ProductionArtefact[] = [];
  for (const worker of config.workers) {
    if (!isBuilt(worker) || (names && !names.includes(worker.name))) continue;
    const own = running(worker.name);
    const material = own?.sources ? own : materialOf(worker, { projectDir: config.dir, personEnv: env, builds })!;
    try {
      if (material !== own) await material.maker.open();
      const artefact = artefactOf(worker.name, await make(material, signal));
      artefacts.push(artefact);
      if (artefact.failure || signal.aborted) return artefacts;
      if (material !== own) await material.maker.prune(new Set([artefact.version]));
    } finally {
      if (material !== own) await material.maker.close();
    }
  }
  return artefacts;
}

const isBuilt = ({ type, build }: WorkerConfig): boolean =>
  type === "node" || (type === "command" && build !== undefined);

async function make({ maker, look }: Material, signal: AbortSignal): Promise<BuildOutcome> {
  for (let attempt = 1; ; attempt += 1) {
    const { version } = await look();
    const outcome = await maker.build(version, signal);
    if (outcome.kind !== "outdated" || attempt === ATTEMPTS_MAX) return outcome;
  }
}

function artefactOf(worker: string, outcome: BuildOutcome): ProductionArtefact {
  switch (outcome.kind) {
    case "built": {
      const { version, artefactPath, inputs } = outcome;
      if (artefactPath !== undefined) return { worker, version, path: artefactPath, inputs: [...inputs] };
      return failed(worker, version, `The build has left nothing at bin/${worker}, nor at $WORKER_ARTEFACT.`);
    }
    case "failed": {
      const { version, failure } = outcome;
      const { message, at, places, output } = failure;
      return { worker, version, inputs: [], failure: { version, phase: "build", message, at, places, output } };
    }
    case "cancelled":
      return failed(worker, "", "The build was given up.");
    case "outdated":
      return failed(worker, "", "The sources change faster than they can be built.");
  }
}

function failed(worker: string, version: string, message: string): ProductionArtefact {
  const at = new Date().toISOString();
  return { worker, version, inputs: [], failure: { version, phase: "build", message, at, places: [], output: [] } };
}
