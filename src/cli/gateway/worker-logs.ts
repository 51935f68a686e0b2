import type { Worker, WorkerInstance } from "../../protocol/gateway-units.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { logPathsOfRun, type RunLogPaths } from "../../runs/logs/files.ts";
import { followRun } from "../../runs/logs/follow.ts";
import type { Start } from "../../runs/logs/start.ts";
import type { Context } from "../context.ts";
import type { LogSelection } from "../log-flags.ts";
import { LogPrinter } from "../log-printer.ts";
import { type ShownRun, showLogs } from "../show-logs.ts";
import { type WorkerHandle, workerMeant } from "./worker-client.ts";

/** `logs WORKER`: what its instances have said; with -f those that come later too, as long as somebody looks. */
export async function workerLogs(context: Context, handle: WorkerHandle, wanted: LogSelection): Promise<number> {
  if (wanted.follow) return new WorkerFollower(context, handle, wanted).follow();
  await showLogs(
    context,
    handle.worker.instances.flatMap((instance) => shownOf(handle.worker, instance)),
    wanted,
  );
  return EXIT.ok;
}

function shownOf({ name }: Worker, instance: WorkerInstance): ShownRun[] {
  const paths = pathsOf(instance);
  return paths ? [{ job: { id: name, name }, runId: instance.id, paths, isRunning: instance.state !== "stopped" }] : [];
}

function pathsOf({ id, stdout_path, stderr_path }: WorkerInstance): RunLogPaths | undefined {
  return stdout_path === undefined || stderr_path === undefined
    ? undefined
    : logPathsOfRun({ id, stdout_path, stderr_path });
}

class WorkerFollower {
  readonly #context: Context;
  readonly #handle: WorkerHandle;
  readonly #wanted: LogSelection;
  readonly #printer: LogPrinter;
  /** By instance: called when it is no more. */
  readonly #ends = new Map<string, () => void>();
  readonly #followers = new Set<Promise<void>>();

  constructor(context: Context, handle: WorkerHandle, wanted: LogSelection) {
    this.#context = context;
    this.#handle = handle;
    this.#wanted = wanted;
    this.#printer = new LogPrinter(context.output, wanted.json ? "json" : "tagged");
  }

  async follow(): Promise<number> {
    const interrupted = this.#context.interrupted();
    const filter = { streams: ["gateway"], workdir: this.#handle.gateway.dir };
    for await (const _ of this.#context.ownClient().subscribe(filter, interrupted)) await this.#look(interrupted);
    for (const end of this.#ends.values()) end();
    await Promise.all(this.#followers);
    await this.#printer.flush();
    this.#context.output.errorLine(`Stopped following; worker ${this.#handle.worker.name} goes on.`);
    return EXIT.interrupted;
  }

  /** Something has happened at the gateway: which instances are there now? */
  async #look(interrupted: AbortSignal): Promise<void> {
    const { name } = this.#handle.worker;
    const found = await workerMeant(this.#context, `${this.#handle.gateway.project}/${name}`);
    const instances = found?.worker.instances ?? [];
    const isFirst = this.#ends.size === 0;
    for (const [id, end] of this.#ends) if (!instances.some((one) => one.id === id)) end();
    for (const instance of instances) {
      const paths = this.#ends.has(instance.id) ? undefined : pathsOf(instance);
      if (paths) this.#begin(instance, paths, interrupted, isFirst);
    }
  }

  #begin(instance: WorkerInstance, paths: RunLogPaths, signal: AbortSignal, isFirst: boolean): void {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    this.#ends.set(instance.id, resolve);
    const follower = this.#followOne(instance, paths, ended, signal, isFirst).finally(() =>
      this.#followers.delete(follower),
    );
    this.#followers.add(follower);
  }

  async #followOne(
    { version }: WorkerInstance,
    paths: RunLogPaths,
    ended: Promise<void>,
    signal: AbortSignal,
    isFirst: boolean,
  ): Promise<void> {
    const { streams, grep } = this.#wanted;
    const start = isFirst ? startOf(this.#wanted) : undefined;
    const { name } = this.#handle.worker;
    await this.#printer.note(`${name} ${version}`);
    for await (const item of followRun({ paths, streams, ended, signal, ...(start ? { start } : {}) })) {
      if (item.kind === "omitted" || !grep || grep(item.bytes)) await this.#printer.item(item, name);
      await this.#printer.flush();
    }
  }
}

function startOf({ tailLines, sinceMs }: LogSelection): Start | undefined {
  if (tailLines !== undefined) return { kind: "tail", lines: tailLines };
  return sinceMs === undefined ? undefined : { kind: "since", timeMs: sinceMs };
}
