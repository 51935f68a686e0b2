import type { Turns } from "../platform/turns.ts";
import type { DataOf, PayloadOf, UpJob } from "../protocol/messages.ts";
import type { Job } from "../protocol/units.ts";
import type { JobControl } from "./control.ts";
import type { Definitions } from "./definitions.ts";
import type { Desire } from "./desire.ts";
import * as errors from "./errors.ts";
import type { Ledger } from "./ledger.ts";
import { type JobRecord, marked, policyOf } from "./records.ts";
import type { Runner } from "./runner.ts";
import type { JobStore } from "./store.ts";

/**
 * `up` and `down`: the jobs of a warren.yaml together. `up` can be repeated: what runs as it is written stays, what was changed is stopped and
 * started again, what waits for another job starts when that one is ready.
 */
export interface ProjectsOptions {
  store: JobStore;
  ledger: Ledger;
  runner: Runner;
  desire: Desire;
  control: JobControl;
  definitions: Definitions;
  turns: Turns;
  view: (job: JobRecord) => Job;
  stop: (
    job: JobRecord,
    how: { force?: boolean | undefined; grace_ms?: number | undefined },
  ) => Promise<DataOf<"stop">>;
}

export class Projects {
  readonly #options: ProjectsOptions;
  readonly #store: JobStore;
  readonly #ledger: Ledger;
  readonly #runner: Runner;
  readonly #desire: Desire;
  readonly #control: JobControl;
  readonly #definitions: Definitions;
  readonly #turns: Turns;

  constructor(options: ProjectsOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#ledger = options.ledger;
    this.#runner = options.runner;
    this.#desire = options.desire;
    this.#control = options.control;
    this.#definitions = options.definitions;
    this.#turns = options.turns;
  }

  async up({ project, jobs, names }: PayloadOf<"up">): Promise<DataOf<"up">> {
    const defined = new Map(jobs.map((spec) => [spec.name, spec]));
    const wanted = wantedNames(defined, names);
    const results: DataOf<"up">["jobs"] = [];
    for (const spec of jobs) {
      results.push(await this.#upOne({ ...spec, project }, wanted.has(spec.name)));
    }
    // A condition that was taken out of the file is met by that alone: nothing else comes that would start those that wait for it.
    for (const { job } of results) {
      const current = this.#store.job(job.id);
      if (current) this.#desire.reconcileDependents(current);
    }
    // Those that waited for one that is up by now have been started meanwhile.
    return {
      jobs: results.map(({ job, action }) => {
        const current = this.#store.job(job.id);
        return { job: current ? this.#options.view(current) : job, action };
      }),
    };
  }

  /** Stops this project's jobs, those that depend on others first. One that survives holds up no other. @throws TREE_SURVIVED behind the last one */
  async down({ project, force, grace_ms }: PayloadOf<"down">): Promise<DataOf<"down">> {
    const left = this.#store
      .jobs()
      .filter((job) => job.project === project && (this.#runner.ofJob(job.id) || job.wanted === "up"));
    for (const job of left) this.#control.unwant(job.id);
    const stopped: Job[] = [];
    const failures: unknown[] = [];
    while (left.length > 0) {
      const free = left.filter((job) => !left.some((other) => other.options.depends_on?.includes(job.name ?? job.id)));
      const round = free.length > 0 ? free : [...left];
      for (const job of round) left.splice(left.indexOf(job), 1);
      const results = await Promise.allSettled(round.map((job) => this.#options.stop(job, { force, grace_ms })));
      for (const result of results) {
        if (result.status === "rejected") failures.push(result.reason);
        else if (result.value.stopped) stopped.push(result.value.job);
      }
    }
    if (failures.length > 0) throw failures[0];
    return { stopped };
  }

  async #upOne(spec: UpJob, isWanted: boolean): Promise<DataOf<"up">["jobs"][number]> {
    // The file's `autostart` says what `up` starts, which `wantedNames` has read; a job's own is about reboots.
    const { autostart: _, file_env, ...written } = spec;
    using definition = this.#definitions.define(written, "file");
    const { isChanged } = definition;
    const job: JobRecord = { ...definition.job, options: { ...definition.job.options, file_env: file_env ?? [] } };
    return await this.#turns.take(job.id, async (calledOff) => {
      const isNew = this.#store.job(job.id) === undefined;
      const live = isWanted ? await this.#control.lasting(job.id) : this.#runner.ofJob(job.id);
      const hasPolicy = policyOf(job.options) !== undefined;
      const goesOn = live !== undefined && !live.stopping; // else whoever stops it has said what is wanted
      const isUp = goesOn || this.#store.job(job.id)?.options.autostart === true; // or has been, and stays so
      const stored: JobRecord = { ...job, options: marked(job.options, hasPolicy && isUp), env: spec.env };
      // What runs is kept up by the policy that it has now, though another one started it.
      const kept: Partial<JobRecord> = goesOn ? { wanted: hasPolicy ? "up" : "down" } : {};
      this.#ledger.commit((tell) => {
        if (isNew) this.#store.insertJob(stored);
        else this.#store.updateJob({ ...(this.#store.job(job.id) ?? stored), ...pickDefinition(stored), ...kept });
        tell(isNew ? "job_added" : "job_updated", stored, live?.record);
      });
      if (live) this.#control.watchReadiness(live, stored);
      const viewNow = () => this.#options.view(this.#store.job(job.id) ?? stored);
      if (!isWanted || job.options.blocked) return { job: viewNow(), action: live ? "already_running" : "defined" };
      if (live && !isChanged) return { job: viewNow(), action: "already_running" };
      if (live) await this.#control.end(live, { by: "stop", graceMs: this.#control.graceOf(live) });
      if (calledOff.aborted) return { job: viewNow(), action: "defined" };
      const current = this.#store.job(job.id) ?? stored;
      if (this.#desire.unmetDependencies(current).length > 0) {
        this.#control.holdBack(current, spec.env);
        return { job: viewNow(), action: "waiting" };
      }
      await this.#control.startRun(job.id, spec.env, "user", {});
      return { job: viewNow(), action: live ? "recreated" : isNew ? "created" : "started" };
    });
  }
}

/** What a warren.yaml decides of a job; the rest of the record is its life. */
const pickDefinition = ({ name, project, command, workdir, options, env }: JobRecord) => ({
  name,
  project,
  command,
  workdir,
  options,
  env,
});

/** Those asked for by name with all they depend on; without names, all that start by themselves. */
function wantedNames(defined: Map<string, UpJob>, names: string[] | undefined): Set<string> {
  const wanted = new Set<string>();
  const want = (name: string, asker: string): void => {
    const spec = defined.get(name);
    if (!spec) throw errors.dependencyUnknown(name, asker);
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const dependency of spec.depends_on ?? []) want(dependency, name);
  };
  if (names && names.length > 0) for (const name of names) want(name, "warren up");
  else for (const [name, spec] of defined) if (spec.autostart !== false) want(name, name);
  return wanted;
}
