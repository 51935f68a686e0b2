import type { DeployHost, DeploymentConfig } from "../config/gateway/deployment.ts";
import type { GatewayConfig } from "../config/gateway/gateway-config.ts";
import { messageOf, toWire, WarrenError, type WireError } from "../protocol/errors.ts";
import type { ProductionArtefact } from "../protocol/gateway-units.ts";
import { type Copied, copyTo } from "./copy.ts";
import { deployInterrupted } from "./errors.ts";
import { runHooks } from "./hooks.ts";
import { HostLink } from "./host-link.ts";
import type { HostWorker, Undone } from "./messages.ts";
import { type DeployPlan, howDeployed, planOf } from "./plan.ts";

/**
 * A deploy: pre-build hooks, build here, then for one host after the other: pre-deploy hooks, copy, switch, health, post-deploy hooks. The first host that
 * fails ends it; it is as it was before, and those before it have what was deployed.
 */
export interface DeployOptions {
  dir: string;
  deployment: DeploymentConfig;
  loadConfig: (dir: string) => Promise<GatewayConfig>;
  /** Builds workers for production, and starts nothing. */
  build: (names: string[], signal: AbortSignal) => Promise<ProductionArtefact[]>;
  /** Stops before anything is copied. */
  isDryRun: boolean;
  /** Who deploys, for people. */
  by: string;
  isInteractive: boolean;
  env: NodeJS.ProcessEnv;
  onStep: (step: DeployStep) => void;
  signal: AbortSignal;
}

export type DeployStep =
  | { kind: "hook"; host?: string; name: string; command: string }
  | { kind: "building"; workers: string[] }
  | { kind: "built"; plan: DeployPlan }
  | { kind: "connecting" | "copying" | "switching" | "undoing"; host: string }
  | ({ kind: "copied"; host: string } & Copied)
  | { kind: "well"; host: string; workers: HostWorker[]; url?: string }
  /** Ctrl-C has come when there was no way back but the host's own. */
  | { kind: "finishing"; host: string };

export interface DeployResult {
  plan: DeployPlan;
  hosts: HostResult[];
  /** Why it has ended before its end. */
  failure?: WireError;
}

export interface HostResult {
  name: string;
  outcome: "deployed" | "unchanged" | "undone" | "unknown" | "not_reached";
  workers: HostWorker[];
  url?: string;
}

export async function deploy(options: DeployOptions): Promise<DeployResult> {
  const { deployment, isDryRun } = options;
  const plan = await prepare(options);
  const hosts: HostResult[] = deployment.hosts.map(({ name }) => ({ name, outcome: "not_reached", workers: [] }));
  if (isDryRun) return { plan, hosts };
  for (const [index, host] of deployment.hosts.entries()) {
    const result = hosts[index]!;
    try {
      await new HostDeploy(options, host, plan, result).run();
    } catch (error) {
      return { plan, hosts, failure: toWire(error, "DEPLOY_FAILED") };
    }
  }
  return { plan, hosts };
}

async function prepare(options: DeployOptions): Promise<DeployPlan> {
  const { dir, deployment, loadConfig, build, isDryRun, env, signal, onStep } = options;
  if (!isDryRun) {
    const commands = deployment.hooks.preBuild;
    const onRun = (command: string): void => onStep({ kind: "hook", name: "pre-build", command });
    await runHooks({ name: "pre-build", commands, dir, env, signal, onRun });
  }
  checkGoesOn(signal, NOTHING_CHANGED);
  const config = await loadConfig(dir);
  const workers = howDeployed(config, deployment);
  // Of sources that are built there, a build here tells what is imported from where.
  const isBuilt = ({ name, how }: (typeof workers)[number]): boolean =>
    how === "artefact" ||
    (how === "sources" && config.workers.some((worker) => worker.name === name && worker.type === "node"));
  const names = workers.filter(isBuilt).map(({ name }) => name);
  if (names.length > 0) onStep({ kind: "building", workers: names });
  const artefacts = names.length > 0 ? await build(names, signal) : [];
  checkGoesOn(signal, NOTHING_CHANGED);
  for (const { worker, failure } of artefacts) if (failure) throw buildFailed(worker, failure);
  const plan = await planOf(config, deployment, { workers, artefacts });
  onStep({ kind: "built", plan });
  return plan;
}

const NOTHING_CHANGED = "Nothing was changed on any host.";

function checkGoesOn(signal: AbortSignal, what: string): void {
  if (signal.aborted) throw deployInterrupted(what);
}

function buildFailed(worker: string, failure: NonNullable<ProductionArtefact["failure"]>): WarrenError {
  const { message, places, output } = failure;
  const [place] = places;
  const where = place ? ` (${place.file}:${place.line}:${place.column})` : "";
  return new WarrenError("BUILD_FAILED", `${worker} was not built: ${message}${where}`, {
    detail: { worker, output, places },
    fix: "warren gateway deploy --dry-run",
  });
}

/** One host, from its first step to its last. `result` is right at every moment. */
class HostDeploy {
  readonly #options: DeployOptions;
  readonly #host: DeployHost;
  readonly #plan: DeployPlan;
  readonly #result: HostResult;

  constructor(options: DeployOptions, host: DeployHost, plan: DeployPlan, result: HostResult) {
    this.#options = options;
    this.#host = host;
    this.#plan = plan;
    this.#result = result;
  }

  async run(): Promise<void> {
    const { by, isInteractive, env, signal, onStep, deployment } = this.#options;
    const host = this.#host;
    const { name } = host;
    checkGoesOn(signal, this.#untouched());
    await this.#hooks("pre-deploy", deployment.hooks.preDeploy);
    checkGoesOn(signal, this.#untouched());
    onStep({ kind: "connecting", host: name });
    this.#result.outcome = "unchanged";
    await using link = new HostLink({ host, by, isInteractive, env });
    const stop = (): void => {
      if (link.isSwitching) onStep({ kind: "finishing", host: name });
      else link.end();
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      await this.#copy(link);
      await this.#switch(link);
      await this.#confirm(link);
    } catch (error) {
      throw signal.aborted && this.#result.outcome === "unchanged" ? deployInterrupted(this.#untouched()) : error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  async #copy(link: HostLink): Promise<void> {
    const { dir, isInteractive, env, signal, onStep } = this.#options;
    const host = this.#host;
    const { dir: unchangedDir, staging: stagingDir } = await link.expect("ready");
    onStep({ kind: "copying", host: host.name });
    const { files, artefacts } = this.#plan;
    const all = [...files, ...artefacts.flatMap((artefact) => artefact.files)];
    const about = { host, projectDir: dir, files: all, stagingDir, unchangedDir };
    const copied = await copyTo({ ...about, isInteractive, env, signal });
    onStep({ kind: "copied", host: host.name, ...copied });
    checkGoesOn(signal, this.#untouched());
  }

  async #switch(link: HostLink): Promise<void> {
    const { by, deployment, onStep } = this.#options;
    const { name } = this.#host;
    const { files, artefacts } = this.#plan;
    const { keepCount, timeoutMs } = deployment;
    onStep({ kind: "switching", host: name });
    this.#result.outcome = "unknown";
    link.say({ type: "switch", files, artefacts, by, keepCount, timeoutMs });
    await link.expect("placed").catch((error) => {
      if (!isLost(error)) this.#result.outcome = "unchanged";
      throw error;
    });
    const { isWell, workers, undone, url, reason } = await link.expect("result");
    this.#result.workers = workers;
    if (!isWell) throw this.#unwell(workers, undone, reason);
    this.#result.outcome = "deployed";
    if (url !== undefined) this.#result.url = url;
    onStep({ kind: "well", host: name, workers, ...(url === undefined ? {} : { url }) });
  }

  async #confirm(link: HostLink): Promise<void> {
    const { deployment, signal, onStep } = this.#options;
    const { name } = this.#host;
    try {
      checkGoesOn(signal, `${name} serves what was deployed; the post-deploy hooks were not run.`);
      await this.#hooks("post-deploy", deployment.hooks.postDeploy);
    } catch (error) {
      if (signal.aborted) throw error;
      onStep({ kind: "undoing", host: name });
      link.say({ type: "undo" });
      const { undone } = await link.expect("done");
      this.#result.outcome = undone?.isWell ? "undone" : "unknown";
      throw new WarrenError("HOOK_FAILED", `${messageOf(error)} ${undoneText(name, undone)}`);
    }
    link.say({ type: "keep" });
    await link.expect("done");
  }

  async #hooks(name: "pre-deploy" | "post-deploy", commands: readonly (readonly string[])[]): Promise<void> {
    const { dir, env, signal, onStep } = this.#options;
    const host = this.#host;
    const onRun = (command: string): void => onStep({ kind: "hook", host: host.name, name, command });
    await runHooks({ name, commands, dir, host, env, signal, onRun });
  }

  #unwell(workers: readonly HostWorker[], undone: Undone | undefined, reason: string | undefined): WarrenError {
    const { name } = this.#host;
    this.#result.outcome = undone?.isWell ? "undone" : "unknown";
    const what = unwellText(workers, reason);
    return new WarrenError("DEPLOY_UNHEALTHY", `On ${name}, ${what}. ${undoneText(name, undone)}`, {
      detail: { host: name, workers: workers.filter(({ isWell }) => !isWell) },
    });
  }

  #untouched(): string {
    return `Nothing was changed on ${this.#host.name}.`;
  }
}

const isLost = (error: unknown): boolean => error instanceof WarrenError && error.code === "DEPLOY_CONNECTION_LOST";

function undoneText(host: string, undone: Undone | undefined): string {
  if (undone?.isWell) return `${host} serves again what it served before.`;
  const why = unwellText(undone?.workers ?? [], undone?.reason);
  return `${host} has its files of before again, and is not well with them${why ? `: ${why}` : ""}.`;
}

/** What is not well with workers, and with their project; without a full stop. */
function unwellText(workers: readonly HostWorker[], reason: string | undefined): string {
  const which = workers
    .filter(({ isWell }) => !isWell)
    .map((worker) => `${worker.name} is ${worker.state}${worker.reason ? `: ${worker.reason}` : ""}`);
  return [...which, ...(reason === undefined ? [] : [reason])].map((text) => text.replace(/\.$/, "")).join("; ");
}
