/** What the configuration says of a worker that matters to what is watched and built. All paths are absolute. */
export interface SourceSpec {
  name: string;
  /** Its folder. */
  dir: string;
  /** The project's: what is shown to people is relative to it. */
  projectDir: string;
  program: NodeProgram | CommandProgram;
  /** Only what was built of it is here. */
  isDeployed?: boolean;
  /** Folders outside of its own that it is made of, besides those that an esbuild build finds by itself. */
  sharedDirs?: readonly string[];
  /** In its folder: names, or paths with `*` and `**` relative to it, that are no sources. Besides IGNORED. */
  ignore?: readonly string[];
  /** What else makes another version of it when it changes: its configuration, in any form that is stable. */
  configText?: string;
}

export interface NodeProgram {
  kind: "node";
  /** `src/main.ts`. */
  entry: string;
}

export interface CommandProgram {
  kind: "command";
  /** The argument list that builds it, run in its folder; undefined: nothing is built, its sources are the version. */
  build?: readonly string[];
  /** The build's whole environment, "KEY=value" each. */
  buildEnv?: readonly string[];
}
