import type { Turns } from "../platform/turns.ts";
import type { WorkerConfig } from "../protocol/gateway-config.ts";
import { Builder } from "./build/builder.ts";
import { Deployed } from "./build/deployed.ts";
import type { SourceSpec } from "./build/source-spec.ts";
import type { VersionMaker } from "./build/version-maker.ts";
import { WorkerSources } from "./watch/worker-sources.ts";
import { sourceSpec } from "./worker-spec.ts";

/** What a worker is made of, and who makes its versions of it. */
export interface Material {
  spec: SourceSpec;
  maker: VersionMaker;
  /** Undefined: there are none here. */
  sources: WorkerSources | undefined;
  /** Which version it is now. */
  look(): Promise<{ version: string }>;
}

export interface MaterialPlace {
  projectDir: string;
  /** "KEY=value" */
  personEnv: readonly string[];
  /** Of all builds of the home, by folder. */
  builds: Turns;
}

/** Undefined for what is not made of anything of ours. */
export function materialOf(
  config: WorkerConfig,
  { projectDir, personEnv, builds }: MaterialPlace,
): Material | undefined {
  const spec = sourceSpec(config, projectDir, personEnv);
  if (!spec) return undefined;
  if (spec.isDeployed) {
    const maker = new Deployed(spec);
    return { spec, maker, sources: undefined, look: () => maker.look() };
  }
  const sources = new WorkerSources(spec);
  const { keepCount, buildTimeoutMs } = config;
  const maker = new Builder({
    sources,
    turns: builds,
    keepCount,
    ...(buildTimeoutMs === undefined ? {} : { timeoutMs: buildTimeoutMs }),
  });
  return { spec, maker, sources, look: () => sources.look() };
}
