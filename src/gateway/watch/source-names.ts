import { basename, join, matchesGlob, relative, sep } from "node:path";
import type { SourceSpec } from "../build/source-spec.ts";

/** Which names below a worker's folder are sources. */

/** Folders of ours or of tools, in any depth. Names with a dot in front are none either. */
const IGNORED_DIR = /^(\.|(node_modules|__pycache__|target|dist)$)/;
/** In the worker's folder itself: what is served as it is, what is the worker's own. */
const OWN_DIRS = ["public", "private"];
/** What we build; without a build it is as good as any other. */
const BUILT_DIR = "bin";
/** What editors and tools put beside a file for a moment, and what programs write while they run. */
export const PASSING =
  /(~|\.sw[a-z]|\.tmp|\.temp|\.bak|\.orig|\.log|\.pid|\.pyc|\.crswap)$|^(4913|#.*#)$|\.tmp[.-]|___jb_/;
/** What a bundle can be made of, by what esbuild loads, and by what says how. */
const NODE_SOURCE = /\.([cm]?[jt]s|[jt]sx|json|css|txt)$/;
const NO_NODE_SOURCE = /\.d\.ts$|^(package-lock|npm-shrinkwrap)\.json$/;

export class SourceNames {
  readonly #dir: string;
  readonly #ignore: readonly string[];
  readonly #isFileName: RegExp;
  readonly #apart: readonly string[];

  constructor({ dir, program, ignore = [] }: SourceSpec) {
    this.#dir = dir;
    this.#ignore = ignore;
    const isBuilt = program.kind === "node" || program.build !== undefined;
    this.#apart = [...(isBuilt ? [BUILT_DIR] : []), ...OWN_DIRS].map((name) => join(dir, name));
    const isAlso = program.kind === "node" ? `(?!.*(?:${NO_NODE_SOURCE.source}))(?=.*(?:${NODE_SOURCE.source}))` : "";
    this.#isFileName = new RegExp(`^(?!\\.)(?!.*(?:${PASSING.source}))${isAlso}`);
  }

  /** A regular expression's source, for the names of source files without their folders. */
  get filePattern(): string {
    return this.#isFileName.source;
  }

  /** The same for names of folders in which there are none. */
  get noFolderPattern(): string {
    return IGNORED_DIR.source;
  }

  /** Of the worker's folder itself. */
  get apart(): string[] {
    return [...this.#apart];
  }

  /** A folder in which sources may be. */
  isSourceDir(path: string): boolean {
    const name = basename(path);
    return !IGNORED_DIR.test(name) && !this.#apart.includes(path) && !this.#isIgnored(path);
  }

  /** A file that may be a source, by its name alone. */
  isSourceFile(path: string): boolean {
    return this.#isFileName.test(basename(path)) && !this.#isIgnored(path);
  }

  #isIgnored(path: string): boolean {
    if (this.#ignore.length === 0) return false;
    const inside = relative(this.#dir, path).split(sep).join("/");
    return this.#ignore.some((pattern) => pattern === basename(path) || matchesGlob(inside, pattern));
  }
}
