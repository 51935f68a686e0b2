import { readFileSync, rmSync } from "node:fs";

/** Where the launcher left the environment that its shell would not have passed on (`bin/warren`); NUL-separated, as in proc_pid_environ(5). */
const HANDED_OVER = "_warren_environ";

/** The environment as the caller had it. Reads the file of the launcher once, and removes it. */
export function exactEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { [HANDED_OVER]: path, ...passed } = env;
  if (path === undefined) return env;
  try {
    const exact: NodeJS.ProcessEnv = {};
    for (const entry of readFileSync(path, "utf8").split("\0")) {
      const at = entry.indexOf("=");
      if (at > 0) exact[entry.slice(0, at)] = entry.slice(at + 1);
    }
    return exact;
  } catch {
    return passed; // somebody cleaned up in between
  } finally {
    rmSync(path, { force: true });
  }
}
