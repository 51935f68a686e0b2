import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { type Clock, systemClock } from "../platform/clock.ts";
import { readProcess } from "../platform/process.ts";
import { systemCode, WarrenError } from "../protocol/errors.ts";
import { environmentOf, passesShell } from "./environment.ts";
import { exactCommand, exactEnvironmentPath, writeExactEnvironment } from "./exec-exact.ts";
import { invalidateAttempt } from "./find-attempt.ts";
import { awaitJobLine, hasStarted, identitiesIn, type RunIdentities } from "./job-line.ts";
import { launchFailed } from "./launch-errors.ts";
import { resolveProgram } from "./resolve-program.ts";
import { limitOfTag, locateShim, type Shim } from "./shim.ts";
import { prepareStatusFile, readStatusFile } from "./status-file.ts";
import { stopTree } from "./stop.ts";

/** What one attempt to start a run is made of. All paths are absolute. */
export interface LaunchRequest {
  runId: string;
  /** The unit's name or id: WARREN_UNIT inside the job. */
  unit: string;
  command: readonly string[];
  workdir: string;
  /** The job's whole environment, "KEY=value" each; WARREN_UNIT, WARREN_RUN_ID, WARREN_RUN_TAG and PWD are set besides. */
  env: readonly string[];
  stdoutPath: string;
  stderrPath: string;
  /** `<runId>.<attempt>.status`, not there yet. */
  statusPath: string;
  /** Unique among the live runs of this machine's user; below 2^51. Marks the tree where its environment was removed. */
  tag: number;
  /**
   * A bound stream socket, open here: the job's descriptor 3, with LISTEN_FDS=1 and its LISTEN_PID. It is made blocking. The caller closes its own copy
   * as soon as this has resolved: a copy that stays would go on accepting for a job that has ended. Not given where the environment does not pass a
   * shell; the job binds its port itself then.
   */
  listenFd?: number;
}

export interface LaunchOptions {
  /** Runs the exact-environment script; default: this Node. */
  nodePath?: string;
  shim?: Shim;
  clock?: Clock;
  /** For the shim to say who the job is; default 10 000. */
  deadlineMs?: number;
}

export interface Launched extends RunIdentities {
  /** Resolves when the shim has ended, for as long as this process lives. */
  shimEnded: Promise<void>;
}

const LAUNCH_DEADLINE_MS = 10_000;

/**
 * Starts a run under a shim of its own and resolves when the command's process exists. Output goes straight to the two files, in append mode; stdin is
 * /dev/null. The run belongs to nobody: it goes on when this process ends. After a failure no process and none of the files made here is left.
 *
 * @throws COMMAND_EMPTY, WORKDIR_MISSING, PROGRAM_NOT_FOUND, PROGRAM_NOT_EXECUTABLE, ARGUMENTS_TOO_LONG, and LAUNCH_FAILED with its cause
 *   (EMFILE, ENOMEM, ENOSPC, no answer in time, …).
 */
export async function launch(request: LaunchRequest, options: LaunchOptions = {}): Promise<Launched> {
  const file = await resolveProgram(request.command, request.workdir, request.env);
  const shim = options.shim ?? (await locateShim());
  await using open = new AsyncDisposableStack();
  await using undo = new AsyncDisposableStack();
  try {
    const child = await start({ ...request, file, shim, nodePath: options.nodePath ?? process.execPath }, open, undo);
    const shimEnded = once(child, "exit").then(
      () => {},
      () => {},
    );
    const status = await awaitJobLine({
      path: request.statusPath,
      child,
      clock: options.clock ?? systemClock,
      deadlineMs: options.deadlineMs ?? LAUNCH_DEADLINE_MS,
    });
    undo.move();
    return { ...identitiesIn(status), shimEnded };
  } catch (error) {
    throw asLaunchError(error, request);
  }
}

interface Prepared extends LaunchRequest {
  file: string;
  shim: Shim;
  nodePath: string;
}

/** Makes the files and spawns; `open` closes our descriptors, `undo` takes everything back. */
async function start(prepared: Prepared, open: AsyncDisposableStack, undo: AsyncDisposableStack) {
  const { statusPath, shim } = prepared;
  const status = open.use(await prepareStatusFile(statusPath));
  undo.defer(() => rm(statusPath, { force: true }));
  const stdout = open.use(await openLog(prepared.stdoutPath, undo));
  const stderr = open.use(await openLog(prepared.stderrPath, undo));
  const { command, env, isExact } = await commandLine(prepared, undo);
  const listen = isExact ? undefined : socketFor(prepared);
  const child = spawn(shim.shell, ["-c", listen?.text ?? shim.text, statusPath, ...shim.prefix, ...command], {
    cwd: prepared.workdir,
    env: { ...env, W_TAG: String(limitOfTag(prepared.tag)) },
    stdio: [listen?.fd ?? "ignore", stdout.fd, status.fd, stderr.fd],
    detached: true,
  });
  undo.defer(() => endAttempt(child, prepared));
  child.unref();
  return child;
}

const socketFor = ({ listenFd, shim }: Prepared) =>
  listenFd === undefined || shim.listenText === undefined ? undefined : { fd: listenFd, text: shim.listenText };

/** The command as the shim gets it, and the environment of the shim's shell. */
async function commandLine(prepared: Prepared, undo: AsyncDisposableStack) {
  const { command, file, nodePath, statusPath, unit, runId, tag, workdir } = prepared;
  const marks = { WARREN_UNIT: unit, WARREN_RUN_ID: runId, WARREN_RUN_TAG: String(tag) };
  const env = { ...environmentOf(prepared.env), PWD: workdir, ...marks };
  if (passesShell(env)) return { command, env, isExact: false };
  const envPath = exactEnvironmentPath(statusPath);
  undo.defer(() => rm(envPath, { force: true }));
  await writeExactEnvironment(envPath, env);
  const exact = exactCommand({ nodePath, envPath, file, command });
  return { command: exact, env: { PWD: workdir, ...marks }, isExact: true };
}

/** Appends, so that nothing which is written there twice is lost; removed again only if it was not there before. */
async function openLog(path: string, undo: AsyncDisposableStack): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
  try {
    const handle = await open(path, flags | constants.O_EXCL, 0o600);
    undo.defer(() => rm(path, { force: true }));
    return handle;
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    return open(path, flags, 0o600);
  }
}

/**
 * After the attempt was invalidated nothing of it runs but the shim's own shell, which is in the group that the shim leads. A command that got started
 * in the last moment is ended with its tree.
 */
async function endAttempt(child: ChildProcess, { statusPath, runId, tag }: LaunchRequest): Promise<void> {
  if (child.pid === undefined) return;
  if ((await invalidateAttempt(statusPath)) === "started") {
    const status = await readStatusFile(statusPath);
    if (hasStarted(status)) await stopTree({ runId, tag, ...identitiesIn(status) }, { force: true });
  }
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  const info = readProcess(child.pid);
  if (info?.ppid === process.pid) process.kill(-child.pid, "SIGKILL");
  await ended;
}

function asLaunchError(error: unknown, { command, env }: LaunchRequest): WarrenError {
  if (error instanceof WarrenError) return error;
  if (systemCode(error) === "E2BIG") {
    const sizeBytes = [...command, ...env].reduce((sum, part) => sum + Buffer.byteLength(part) + 1, 0);
    return new WarrenError(
      "ARGUMENTS_TOO_LONG",
      `The command's arguments and environment take ${sizeBytes} bytes, more than the system passes on (or one of them has over 128 KiB).`,
      { fix: "xargs --show-limits </dev/null", cause: error, detail: { sizeBytes } },
    );
  }
  return launchFailed(error);
}
