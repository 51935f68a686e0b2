import { hostname, userInfo } from "node:os";
import { basename } from "node:path";
import type { DeploymentConfig } from "../../config/gateway/deployment.ts";
import type { DeployResult, DeployStep } from "../../deploy/deploy.ts";
import { fromWire, isWarrenError, WarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { suggest } from "../../protocol/suggest.ts";
import type { Context } from "../context.ts";
import { exitStatusOfCode } from "../exit-status.ts";
import { environmentOf } from "../new-job.ts";
import { renderError } from "../render/error.ts";
import { printable } from "../render/text-width.ts";
import { showWait } from "../render/wait-line.ts";
import { usageError } from "../usage-error.ts";
import { portOf } from "../values.ts";
import { hostLines, planLines, stepLine, waitText } from "./deploy-lines.ts";

/** `warren gateway deploy [HOST…]`. */
export interface DeployFlags {
  isDryRun: boolean;
  port: string | undefined;
  path: string | undefined;
  json: boolean;
}

export async function deployCommand(context: Context, hosts: readonly string[], flags: DeployFlags): Promise<number> {
  const { deploy } = await import("../../deploy/deploy.ts");
  const { findGateway, loadGateway } = await import("../../config/gateway/load-gateway.ts");
  const { env, cwd, output } = context;
  const dir = await findGateway(cwd);
  if (dir === undefined)
    throw new WarrenError("NO_WORKERS", `There is no project with workers in ${cwd} or above it.`, {
      fix: "warren init site",
    });
  const deployment = await deploymentOf(dir, hosts, flags);
  const signal = context.interrupted();
  const steps = new Steps(context, flags.json);
  const asked = (names: string[], until: AbortSignal) =>
    context.client().request("gateway.artefacts", { dir, env: environmentOf(env), names }, { signal: until });
  try {
    const result = await deploy({
      dir,
      deployment,
      loadConfig: (path) => loadGateway(path, { mode: "prod" }),
      build: async (names, until) => (await asked(names, until)).artefacts,
      isDryRun: flags.isDryRun,
      by: `${env.USER ?? userInfo().username}@${hostname()}`,
      isInteractive: output.errorIsTerminal && process.stdin.isTTY === true,
      env: { ...env },
      onStep: (step) => steps.show(step),
      signal,
    });
    steps.end();
    return await tell(context, dir, result, flags);
  } catch (error) {
    steps.end();
    if (!flags.json && isWarrenError(error, "BUILD_FAILED"))
      for (const line of linesOf(error.detail?.output)) output.errorLine(`  ${line}`);
    throw error;
  }
}

/** The hosts of the file, or those of them that are named; another host when it is written as one. */
async function deploymentOf(dir: string, names: readonly string[], flags: DeployFlags): Promise<DeploymentConfig> {
  const { loadDeployment, deploymentTo } = await import("../../config/gateway/deployment.ts");
  const port = portOf({ flag: "--port", usual: 22, min: 1 }, flags.port);
  const isHere = (error: unknown): undefined => {
    if (isWarrenError(error, "CONFIG_NOT_FOUND") && names.length > 0) return undefined;
    throw error;
  };
  const file = await loadDeployment(dir).catch(isHere);
  const known = file?.hosts ?? [];
  const chosen = names.map((name) => known.find((host) => host.name === name || host.destination === name));
  const strangers = names.filter((_, index) => chosen[index] === undefined);
  if (file && strangers.length === 0) {
    if (flags.path !== undefined || port !== undefined)
      throw usageError("--path and --port are for a host that config/deployment.yaml does not name.");
    return { ...file, hosts: names.length === 0 ? known : chosen.flatMap((host) => host ?? []) };
  }
  const [destination = "", ...more] = names;
  const near = suggest(
    strangers[0] ?? "",
    known.map(({ name }) => name),
  );
  if (more.length > 0 || near !== undefined)
    throw usageError(
      `config/deployment.yaml has no host ${strangers[0]}.${near ? ` Did you mean ${near}?` : ""}`,
      near ? `warren gateway deploy ${near}` : "warren help gateway",
    );
  const path = flags.path ?? basename(dir);
  return deploymentTo(dir, { destination, path, ...(port === undefined ? {} : { port }) });
}

class Steps {
  readonly #context: Context;
  readonly #isQuiet: boolean;
  #wait = { erase(): void {} };

  constructor(context: Context, isQuiet: boolean) {
    this.#context = context;
    this.#isQuiet = isQuiet;
  }

  show(step: DeployStep): void {
    if (this.#isQuiet) return;
    const { output } = this.#context;
    this.end();
    const line = stepLine(output, step);
    if (line !== undefined) output.line(line);
    const what = waitText(step);
    if (what !== undefined) this.#wait = showWait(output, { what, expectedMs: undefined });
  }

  end(): void {
    this.#wait.erase();
  }
}

async function tell(
  { output }: Context,
  dir: string,
  { plan, hosts, failure }: DeployResult,
  { isDryRun, json }: DeployFlags,
): Promise<number> {
  if (json) output.json({ workers: plan.workers, files: plan.files, hosts, ...(failure ? { failure } : {}) });
  else if (isDryRun) {
    const { sizeOf } = await import("../../deploy/plan.ts");
    for (const line of planLines(plan, await sizeOf(dir, plan))) output.line(line);
    output.line(`Nothing was copied to ${hosts.map(({ name }) => name).join(", ")}`);
  }
  if (!failure) return EXIT.ok;
  if (!json) {
    for (const worker of hosts.flatMap(({ workers }) => workers.filter(({ isWell }) => !isWell)))
      for (const line of worker.output) output.errorLine(`${worker.name} | ${printable(line)}`);
    renderError(output, fromWire(failure), false);
    if (hosts.length > 1) for (const line of hostLines(hosts)) output.errorLine(line);
  }
  return exitStatusOfCode(failure.code) === EXIT.interrupted ? EXIT.interrupted : FAILED;
}

const FAILED = 1;

const linesOf = (output: unknown): string[] =>
  Array.isArray(output) ? output.map((line) => printable(String(line))) : [];
