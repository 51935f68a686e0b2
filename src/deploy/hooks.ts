import type { DeployHost } from "../config/gateway/deployment.ts";
import { messageOf, WarrenError } from "../protocol/errors.ts";
import { deployInterrupted } from "./errors.ts";
import { runProgram } from "./run-program.ts";
import { shellCommand } from "./shell-words.ts";

/** A project's own commands around a deploy, one after the other, in its folder; what they say is shown. */
export interface HookOptions {
  name: "pre-build" | "pre-deploy" | "post-deploy";
  commands: readonly (readonly string[])[];
  dir: string;
  /** Around a host: `DEPLOY_NAME`, `DEPLOY_HOST` and `DEPLOY_PATH` are set. */
  host?: DeployHost;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  onRun: (command: string) => void;
}

/** @throws HOOK_FAILED at the first that fails; INTERRUPTED */
export async function runHooks({ name, commands, dir, host, env, signal, onRun }: HookOptions): Promise<void> {
  const about = host ? { DEPLOY_NAME: host.name, DEPLOY_HOST: host.destination, DEPLOY_PATH: host.path } : {};
  for (const command of commands) {
    const text = shellCommand(command);
    onRun(text);
    const end = await runProgram({ command, cwd: dir, env: { ...env, ...about }, signal, isShown: true }).catch(
      (error: unknown) => {
        throw hookFailed(name, text, `cannot be started: ${messageOf(error)}`);
      },
    );
    if (signal.aborted) throw deployInterrupted(`The ${name} hook \`${text}\` was ended.`);
    if (end.status !== 0)
      throw hookFailed(name, text, end.status === null ? "was ended by a signal" : `ended with status ${end.status}`);
  }
}

const hookFailed = (name: string, command: string, how: string): WarrenError =>
  new WarrenError("HOOK_FAILED", `The ${name} hook \`${command}\` ${how}.`);
