import type { Clock } from "../platform/clock.ts";
import { readProcess, signalNumber } from "../platform/process.ts";
import { WarrenError } from "../protocol/errors.ts";
import type { PayloadOf } from "../protocol/messages.ts";
import { NAME_PATTERN } from "../protocol/names.ts";
import { LinePattern } from "../runs/line-pattern.ts";
import * as errors from "./errors.ts";
import { NO_RUNS } from "./history.ts";
import { newJobId } from "./job-id.ts";
import type { Ledger } from "./ledger.ts";
import type { JobOptions, JobRecord } from "./records.ts";
import type { JobStore } from "./store.ts";

/**
 * Which job a request means: the one of that name in the project, else the one with that command in that directory, else a new one. A name belongs
 * to one job of a project; a warren.yaml may give its name another command, `add --name` may not.
 */

/** What a job is asked to be; `env` is no part of it. */
export type JobSpec = PayloadOf<"create">;

export interface Definition extends Disposable {
  job: JobRecord;
  /** Not stored yet: until it is, and this definition is disposed of, whoever asks for the same job gets the same record. */
  isNew: boolean;
  /** Known, with another command or directory than it had. */
  isChanged: boolean;
}

/** Taken as they come; `owner` is looked at first. */
const PLAIN_OPTIONS = [
  "description",
  "labels",
  "restart",
  "timeout_ms",
  "grace_ms",
  "stop_signal",
  "ready",
  "depends_on",
  "blocked",
  "autostart",
  "log_max_bytes",
] as const satisfies readonly (keyof JobOptions)[];

export class Definitions {
  readonly #store: JobStore;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  /** Jobs that were defined and are not stored yet, once for each that holds them. */
  readonly #reservations: JobRecord[] = [];

  constructor({ store, ledger, clock }: { store: JobStore; ledger: Ledger; clock: Clock }) {
    this.#store = store;
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /**
   * The job that a request means: known by its name, else by command and directory, else new (not stored yet). A `file` says all there is to say of a
   * job, and may give a name another command; a `command` adds to what is known.
   * @throws COMMAND_EMPTY, NAME_INVALID, NAME_TAKEN, UNKNOWN_SIGNAL, OWNER_GONE, DEPENDENCY_UNKNOWN
   */
  define(spec: JobSpec, source: "command" | "file" = "command"): Definition {
    const { name, project = spec.workdir, command, workdir } = spec;
    if (command.length === 0 || command[0] === "") {
      throw new WarrenError("COMMAND_EMPTY", "The command is empty.", { fix: "warren add -- npm run dev" });
    }
    if (name !== undefined && !NAME_PATTERN.test(name)) throw errors.nameInvalid(name);
    const options = this.#optionsOf(spec);
    const isFile = source === "file";
    if (!isFile) this.#checkDependencies(spec);
    const named = name === undefined ? undefined : this.#store.jobByName(project, name);
    if (name !== undefined && named && !isFile && !isSame(named, spec)) throw errors.nameTaken(name, named);
    const known = named ?? this.#knownByIdentity(spec);
    if (!known) return this.#reserved(spec) ?? this.#reserve(this.#newJob(spec, options));
    const isChanged = !isSame(known, spec);
    const job: JobRecord = {
      ...known,
      name: name ?? known.name,
      project: name === undefined ? known.project : project,
      command,
      workdir,
      options: isFile ? options : { ...known.options, ...options },
    };
    const isDifferent = JSON.stringify(job) !== JSON.stringify(known);
    if (isDifferent && !isFile) this.#update(job);
    return { job, isNew: false, isChanged, [Symbol.dispose]: () => {} };
  }

  /** Somebody else is just about to store that job. */
  #reserved(spec: JobSpec): Definition | undefined {
    const { name, project = spec.workdir } = spec;
    for (const job of this.#reservations) {
      if ((name ?? null) !== job.name || project !== job.project) continue;
      if (isSame(job, spec)) return this.#reserve(job);
      if (name !== undefined) throw errors.nameTaken(name, job);
    }
    return undefined;
  }

  #reserve(job: JobRecord): Definition {
    this.#reservations.push(job);
    const release = (): void => {
      this.#reservations.splice(this.#reservations.indexOf(job), 1);
    };
    return { job, isNew: true, isChanged: false, [Symbol.dispose]: release };
  }

  /** A file is checked as a whole by its reader. */
  #checkDependencies({ name, project, command, workdir, depends_on }: JobSpec): void {
    for (const dependency of depends_on ?? []) {
      const known = this.#store.jobByName(project ?? workdir, dependency) ?? this.#store.job(dependency);
      if (!known) throw errors.dependencyUnknown(dependency, name ?? command.join(" "));
    }
  }

  #update(job: JobRecord): void {
    this.#ledger.commit((tell) => {
      this.#store.updateJob(job);
      tell("job_updated", job, this.#store.latestRun(job.id));
    });
  }

  /** A named job of a warren.yaml is not taken over by another name of it. */
  #knownByIdentity({ workdir, command, name }: JobSpec): JobRecord | undefined {
    const known = this.#store.jobByIdentity(workdir, command);
    return known && name !== undefined && known.name !== null && known.name !== name ? undefined : known;
  }

  #newJob({ name, project, command, workdir }: JobSpec, options: JobOptions): JobRecord {
    return {
      id: newJobId((id) => this.#store.job(id) !== undefined || this.#reservations.some((job) => job.id === id)),
      name: name ?? null,
      project: project ?? workdir,
      command,
      workdir,
      options,
      stats: NO_RUNS,
      nextRunNumber: 1,
      wanted: "down",
      restartCount: 0,
      restartAtMs: null,
      env: null,
      createdAtMs: this.#clock.wallMs(),
    };
  }

  #optionsOf(spec: JobSpec): JobOptions {
    const { owner, stop_signal, ready } = spec;
    if (stop_signal !== undefined) signalNumber(stop_signal);
    if (ready?.kind === "log") new LinePattern(ready);
    const options: JobOptions = {};
    for (const key of PLAIN_OPTIONS) if (spec[key] !== undefined) Object.assign(options, { [key]: spec[key] });
    if (owner) {
      const process = readProcess(owner.pid);
      if (!process)
        throw new WarrenError("OWNER_GONE", `No process has the owner's pid ${owner.pid}.`, {
          fix: "warren add --owner-pid $$ -- …",
        });
      options.owner = { ...owner, start_ticks: process.startTicks };
    }
    return options;
  }
}

const isSame = (job: JobRecord, spec: JobSpec): boolean =>
  job.workdir === spec.workdir && JSON.stringify(job.command) === JSON.stringify(spec.command);
