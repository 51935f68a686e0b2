import { messageOf, systemCode, WarrenError } from "../protocol/errors.ts";

const FIXES: Readonly<Record<string, string>> = {
  EMFILE: "ulimit -n 65536",
  ENFILE: "sysctl fs.file-max",
  EAGAIN: "ulimit -u",
  ENOMEM: "free -h",
  ENOSPC: "df -h",
};

/** The system refused, or the shim did not answer; `cause` says which. */
export function launchFailed(cause: unknown): WarrenError {
  const fix = FIXES[systemCode(cause) ?? ""];
  return new WarrenError("LAUNCH_FAILED", `The command could not be started: ${messageOf(cause)}.`, {
    cause,
    ...(fix === undefined ? {} : { fix }),
  });
}
