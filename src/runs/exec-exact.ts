import { writeFile } from "node:fs/promises";

/**
 * Executes a command with exactly the given environment from inside a shim, whose shell would change it: a small Node script takes the command's
 * place, reads the environment from a file that only this user can read, deletes that file, and becomes the command by execve(2). The pid stays; it
 * costs one start of Node, about 24 ms. No value ever stands in an argument: /proc/PID/cmdline is readable for everybody.
 */

/**
 * Node ignores SIGPIPE and SIGXFSZ, and an ignored signal stays ignored through exec while a caught one goes back to its default: so both are caught
 * first. As execvp(3) does, a file that the kernel does not know how to execute is given to sh.
 */
const SCRIPT = `
const { readFileSync, unlinkSync } = require("node:fs");
const [envPath, file, ...argv] = process.argv.slice(1);
const env = JSON.parse(readFileSync(envPath, "utf8"));
unlinkSync(envPath);
for (const signal of ["SIGPIPE", "SIGXFSZ"]) process.on(signal, () => {});
const become = (path, args) => { try { process.execve(path, args, env); } catch (error) { return error; } };
let error = become(file, argv);
if (error.code === "ENOEXEC") error = become("/bin/sh", ["sh", file, ...argv.slice(1)]);
process.stderr.write(argv[0] + ": " + error.message + "\\n");
process.exit(error.code === "ENOENT" ? 127 : 126);
`;

/** The environment of an attempt lies here until its command is executed. */
export const exactEnvironmentPath = (statusPath: string): string => `${statusPath}.env`;

/** What is left of an attempt when its run is over: its status, and the environment that a command which was killed at once has not taken. */
export const filesOfAttempt = (statusPath: string): string[] => [statusPath, exactEnvironmentPath(statusPath)];

export async function writeExactEnvironment(path: string, env: Readonly<Record<string, string>>): Promise<void> {
  await writeFile(path, JSON.stringify(env), { mode: 0o600, flag: "wx" });
}

/** The command line that becomes `command`, whose program was found at `file`. */
export function exactCommand(options: {
  nodePath: string;
  envPath: string;
  file: string;
  command: readonly string[];
}): string[] {
  return [options.nodePath, "-e", SCRIPT, "--", options.envPath, options.file, ...options.command];
}
