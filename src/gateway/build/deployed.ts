import { WarrenError } from "../../protocol/errors.ts";
import { Artefacts } from "./artefacts.ts";
import { type BuildOutcome, failureOf } from "./build-outcome.ts";
import type { SourceSpec } from "./source-spec.ts";
import type { VersionMaker } from "./version-maker.ts";

/**
 * A worker of which only what was built is here, as a deploy leaves it: `bin/<name>-<version>` and the link `bin/<name>`.
 *
 * 1. Its version is the one that the link names; a link that leads elsewhere is another version.
 * 2. Nothing is ever built, and nothing removed: how many versions stay is the deploy's to say.
 * 3. A link that is missing or leads to nothing is a version that cannot be built, so that what serves goes on and the reason is told.
 */
export class Deployed implements VersionMaker {
  readonly #name: string;
  readonly #artefacts: Artefacts;

  constructor({ dir, name }: Pick<SourceSpec, "dir" | "name">) {
    this.#name = name;
    this.#artefacts = new Artefacts({ dir, name });
  }

  async look(): Promise<{ version: string }> {
    const found = await this.#artefacts.linked();
    return { version: found.kind === "artefact" ? found.version : NOTHING };
  }

  open(): Promise<string[]> {
    return this.#artefacts.versions();
  }

  async build(version: string, signal: AbortSignal): Promise<BuildOutcome> {
    try {
      const artefactPath = version === NOTHING ? undefined : await this.#artefacts.find(version);
      if (signal.aborted) return { kind: "cancelled" };
      if (artefactPath === undefined) return this.#failed(version, await this.#missing(version));
      return { kind: "built", version, artefactPath, inputs: [], tookMs: 0, wasThere: true };
    } catch (error) {
      return this.#failed(version, error);
    }
  }

  artefactOf(version: string): Promise<string | undefined> {
    return this.#artefacts.find(version);
  }

  setCurrent(version: string): Promise<void> {
    return this.#artefacts.setCurrent(version);
  }

  async prune(): Promise<void> {}

  async close(): Promise<void> {}

  #failed(version: string, error: unknown): BuildOutcome {
    return { kind: "failed", version, failure: failureOf(this.#name, error) };
  }

  async #missing(version: string): Promise<WarrenError> {
    const { path } = this.#artefacts;
    const versions = await this.#artefacts.versions();
    const known = versions.length > 0 ? ` Versions that are there: ${versions.join(", ")}.` : "";
    const found = await this.#artefacts.linked();
    const what =
      found.kind === "nothing"
        ? `${path} is missing: it is the link to the version that serves.`
        : found.kind === "other"
          ? `${path} ${found.reason}.`
          : `Version ${version} of ${this.#name} is not there any more.`;
    return new WarrenError("ARTEFACT_MISSING", `${what}${known}`, { fix: "warren gateway deploy" });
  }
}

/** Stands for the version of a link that names none. */
const NOTHING = "nothing";
