import { Document } from "yaml";
import { WarrenError } from "../../protocol/errors.ts";
import { formatCommand } from "../command-line.ts";

/** What the readers of other tools' files make, and how a warren.yaml is written from it. */

export interface Note {
  /** Where it stood: `apps.web.watch`. */
  key: string;
  /** Why it was not taken over, or what was changed. */
  reason: string;
  /** The way to the same end here, where there is one. */
  instead?: string;
}

export interface Draft {
  jobs: DraftJob[];
  gateway?: DraftGateway;
  notes: Note[];
}

/** With the keys of a job in warren.yaml, in the order in which they are written. */
export interface DraftJob {
  name: string;
  command: string | string[];
  dir?: string;
  description?: string;
  env?: Record<string, string>;
  env_file?: string;
  labels?: Record<string, string>;
  restart?: string | { when: string; max?: number; backoff?: string };
  grace?: string;
  autostart?: false;
  blocked?: true;
}

/** The section `gateway` of a warren.yaml, for the one application of the project that is served by several processes. */
export interface DraftGateway {
  port?: number;
  mode?: "prod";
  app: {
    name: string;
    command: string | string[];
    instances: number;
    env?: Record<string, string>;
    memory?: string;
    grace?: string;
    start_timeout?: string;
    ignore?: string[];
  };
}

/** The text of the warren.yaml, which `loadProject` takes without a problem. */
export function toYaml({ jobs, gateway }: Draft, source: string): string {
  const entries = jobs.map(({ name, ...job }) => [name, { ...job, command: asWritten(job.command) }] as const);
  const document = new Document({
    ...(gateway && { gateway: { ...gateway, app: { ...gateway.app, command: asWritten(gateway.app.command) } } }),
    ...((entries.length > 0 || !gateway) && { jobs: Object.fromEntries(entries) }),
  });
  document.commentBefore = ` Made from ${source}`;
  return document.toString({ lineWidth: 0 });
}

const asWritten = (command: string | string[]): string | string[] =>
  typeof command === "string" ? command : (formatCommand(command) ?? command);

/** Gives every job a name of its own that Warren allows. */
export class JobNames {
  readonly #taken = new Set<string>();

  /** The wanted name in lower case with what is not allowed as `-`; `web-2` when it is taken. */
  claim(wanted: string): string {
    const base = slug(wanted);
    let name = base;
    for (let number = 2; this.#taken.has(name); number++) {
      const ending = `-${number}`;
      name = `${base.slice(0, NAME_CHARACTERS_MAX - ending.length)}${ending}`;
    }
    this.#taken.add(name);
    return name;
  }
}

/** @param line from 1 */
export function importInvalid(file: string, reason: string, line?: number): WarrenError {
  const where = line === undefined ? file : `${file}:${line}`;
  return new WarrenError("IMPORT_INVALID", `${where}: ${reason}.`, { detail: { file, ...(line && { line }) } });
}

const NAME_CHARACTERS_MAX = 32;

function slug(wanted: string): string {
  const plain = wanted
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, NAME_CHARACTERS_MAX)
    .replace(/-+$/, "");
  return plain === "" ? "job" : plain;
}
