import type { Worker, WorkerInstance } from "../../protocol/gateway-units.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { logPathsOfRun } from "../../runs/logs/files.ts";
import type { Start } from "../../runs/logs/start.ts";
import type { Context } from "../context.ts";
import type { LogSelection } from "../log-flags.ts";
import { LogPrinter } from "../log-printer.ts";
import type { WorkerHandle } from "../on-unit.ts";
import { hintLines } from "../render/hints.ts";
import { type OutputRun, outputOf } from "../run-output.ts";
import { type ShownRun, showLogs } from "../show-logs.ts";

/** `logs WORKER`: what its instances have said; with -f those that come later too, as long as somebody looks. */
export async function workerLogs(context: Context, handle: WorkerHandle, wanted: LogSelection): Promise<number> {
  if (wanted.follow) {
    const { name } = handle.worker;
    await followWorkers(context, { dir: handle.dir, names: [name], wanted });
    context.output.errorLine(`Stopped following; worker ${name} goes on.`);
    return EXIT.interrupted;
  }
  const runs = runsOfWorker(handle.worker);
  if (runs.length === 0) sayNone(context, handle.worker, wanted);
  else await showLogs(context, runs, wanted);
  return EXIT.ok;
}

/** Nothing of it runs: what the last one wrote at its end is kept with the reason. */
function sayNone({ output }: Context, { name, failure }: Worker, { json }: LogSelection): void {
  if (!json) for (const line of failure?.output ?? []) output.line(line);
  output.errorLine(
    failure
      ? `No instance of ${name} runs now${failure.output.length > 0 && !json ? "; these were the last lines of one" : ""}.`
      : `No instance of ${name} has run.`,
  );
  for (const line of hintLines(output, [[`warren why ${name}`, "what is wrong with it"]])) output.errorLine(line);
}

export interface FollowWorkersOptions {
  /** The project's. */
  dir: string;
  /** Default: all of the project, those that come later too. */
  names?: readonly string[];
  wanted: Pick<LogSelection, "streams" | "grep" | "json" | "tailLines" | "sinceMs">;
}

/** Prints what workers say, from one version to the next, until Ctrl-C. */
export const followWorkers = (context: Context, options: FollowWorkersOptions): Promise<void> =>
  new WorkersFollower(context, options).follow();

export const runsOfWorker = (worker: Worker): ShownRun[] =>
  worker.instances.flatMap((instance) => shownOf(worker, instance));

function shownOf(worker: Worker, instance: WorkerInstance): ShownRun[] {
  const { name } = worker;
  const run = outputOfInstance(worker, instance);
  return run ? [{ ...run, job: { id: name, name }, isRunning: instance.state !== "stopped" }] : [];
}

/** Undefined for a worker that is no process. */
export function outputOfInstance(
  { name, workdir = "" }: Worker,
  { id, stdout_path, stderr_path }: WorkerInstance,
): OutputRun | undefined {
  if (stdout_path === undefined || stderr_path === undefined) return undefined;
  const paths = logPathsOfRun({ id, stdout_path, stderr_path });
  return { of: { kind: "worker", name, dir: workdir }, runId: id, paths };
}

class WorkersFollower {
  readonly #context: Context;
  readonly #options: FollowWorkersOptions;
  readonly #printer: LogPrinter;
  /** By instance that is there: called when it is no more. */
  readonly #ends = new Map<string, () => void>();
  /** None rejects: what one fails with ends them all. */
  readonly #followers = new Set<Promise<void>>();
  readonly #failed = new AbortController();
  #hasLooked = false;

  constructor(context: Context, options: FollowWorkersOptions) {
    this.#context = context;
    this.#options = options;
    this.#printer = new LogPrinter(context.output, options.wanted.json ? "json" : "tagged");
  }

  async follow(): Promise<void> {
    const until = AbortSignal.any([this.#context.interrupted(), this.#failed.signal]);
    const filter = { streams: ["gateway"], workdir: this.#options.dir };
    for await (const _ of this.#context.ownClient().subscribe(filter, until)) await this.#look(until);
    for (const end of this.#ends.values()) end();
    await Promise.all(this.#followers);
    this.#failed.signal.throwIfAborted();
    await this.#printer.flush();
  }

  /** Something has happened at the gateway: which instances are there now? */
  async #look(until: AbortSignal): Promise<void> {
    const { dir, names } = this.#options;
    const { gateways } = await this.#context.client().request("gateway.status", { workdir: dir });
    const workers = (gateways[0]?.workers ?? []).filter(({ name }) => names?.includes(name) ?? true);
    const isFirst = !this.#hasLooked;
    this.#hasLooked = true;
    const known = new Set(workers.flatMap(({ instances }) => instances.map(({ id }) => id)));
    for (const [id, end] of this.#ends) {
      if (known.has(id)) continue;
      end();
      this.#ends.delete(id);
    }
    for (const worker of workers) {
      for (const instance of worker.instances) {
        const run = this.#ends.has(instance.id) ? undefined : outputOfInstance({ ...worker, workdir: dir }, instance);
        if (run) this.#begin(worker.name, instance, run, until, isFirst);
      }
    }
  }

  #begin(name: string, { id, version }: WorkerInstance, run: OutputRun, signal: AbortSignal, isFirst: boolean): void {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    this.#ends.set(id, resolve);
    const follower = this.#followOne(name, version, run, { ended, signal, isFirst })
      .catch((error: unknown) => this.#failed.abort(error))
      .finally(() => this.#followers.delete(follower));
    this.#followers.add(follower);
  }

  async #followOne(
    name: string,
    version: string,
    run: OutputRun,
    { ended, signal, isFirst }: { ended: Promise<void>; signal: AbortSignal; isFirst: boolean },
  ): Promise<void> {
    const { streams, grep } = this.#options.wanted;
    const start = isFirst ? startOf(this.#options.wanted) : undefined;
    await this.#printer.note(`${name} ${version}`);
    const source = await outputOf(this.#context);
    for await (const item of source.follow(run, { streams, ended, signal, ...(start ? { start } : {}) })) {
      if (item.kind === "omitted" || !grep || grep(item.bytes)) await this.#printer.item(item, name);
      await this.#printer.flush();
    }
  }
}

function startOf({ tailLines, sinceMs }: FollowWorkersOptions["wanted"]): Start | undefined {
  if (tailLines !== undefined) return { kind: "tail", lines: tailLines };
  return sinceMs === undefined ? undefined : { kind: "since", timeMs: sinceMs };
}
