import type { CallToolResult } from "@modelcontextprotocol/server";
import { isWarrenError, messageOf, systemCode, WarrenError } from "../protocol/errors.ts";

/** By code: what an agent does next with its tools, where an error's `fix` is a command for a shell. */
const NEXT: Readonly<Record<string, string>> = {
  JOB_NOT_FOUND:
    "Call job_list to see the jobs and their names; job_list with all: true shows those of other directories.",
  NO_RUN_YET: "Start it with job_run.",
  SESSION_NOT_FOUND: "Call session_list to see the sessions and their names.",
  NOT_AN_AGENT: "It is a terminal: give text, and read it with session_read.",
  NAME_NEEDED: "Call register with the name that others shall write to you by, then repeat this call.",
  NAME_TAKEN: "Call register with another name; list_agents shows which are taken.",
  NAME_OWNED: "It is somebody else's. Call register with a name of your own; status says who you are.",
  NAME_RESERVED: "Call register with another name.",
  INVALID_NAME:
    "A name has 1 to 32 letters, digits, - and _; a group begins with @. list_agents shows the names that there are.",
  GROUP_UNKNOWN: "list_agents shows who is in which group.",
  MESSAGE_NOT_FOUND: "Take the id from check or wait; check with again: true shows what you were given.",
  MESSAGE_AMBIGUOUS: "Say from whom it came, with from.",
  NO_LEADER: "Repeat the call; if it fails again, tell your user to run: warren mail status",
  MAILBOX_FULL: "Its owner reads nothing; tell somebody else (list_agents), or try again later.",
  LOOP_SUSPECTED:
    "You two have exchanged many messages without a person. Do not answer; go on with your work, or ask your user.",
  MESSAGE_TOO_LARGE: "Write it into a file and send its path.",
  COMMAND_REFUSED: "Run it with job_run and send what it says.",
  CONNECTION_LOST: "Repeat the call; if it fails again, tell your user to run: warren doctor",
  SERVER_SILENT: "Repeat the call; if it fails again, tell your user to run: warren doctor",
  HOME_UNUSABLE: "Tell your user; Warren cannot write its files.",
};

/** Codes that mean something else of a job than of a participant of the mailbox. */
const NEXT_OF_JOBS: Readonly<Record<string, string>> = {
  NAME_TAKEN:
    "A name stays with its command, also when that has ended. Call job_run with another name, or without one; job_list shows the jobs.",
};

/** What a failed call of the tool says: what is wrong, and what to do. `_meta` has the code for programs. */
export function failure(error: unknown, { tool, note = "" }: { tool: string; note?: string }): CallToolResult {
  const { code, message, fix } = asWarrenError(error);
  const ofJobs = tool.startsWith("job_") ? NEXT_OF_JOBS[code] : undefined;
  const next = ofJobs ?? NEXT[code] ?? (fix === undefined ? undefined : `To mend it: ${fix}`);
  return {
    isError: true,
    content: [{ type: "text", text: `${code}: ${message}${next === undefined ? "" : `\n${next}`}${note}` }],
    _meta: { "warren/error": { code, ...(fix === undefined ? {} : { fix }) } },
  };
}

function asWarrenError(error: unknown): WarrenError {
  if (isWarrenError(error)) return error;
  const code = systemCode(error);
  return new WarrenError(code ?? "INTERNAL", messageOf(error), { cause: error, fix: "warren doctor" });
}
