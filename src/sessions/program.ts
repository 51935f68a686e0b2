import { environmentOf } from "../runs/environment.ts";
import type { SessionRecord } from "./record.ts";

/** Says to what it starts in which terminal it is: Warren's own, whatever the one is that somebody looks through. */
const TERMINAL = { TERM: "xterm-256color", COLORTERM: "truecolor", TERM_PROGRAM: "warren" };
/** Belong to the terminal from which the session was started. */
const OF_ANOTHER_TERMINAL = [
  "COLUMNS",
  "LINES",
  "STY",
  "TERMCAP",
  "TERM_PROGRAM_VERSION",
  "TMUX",
  "TMUX_PANE",
  "VTE_VERSION",
  "WINDOW",
  "WINDOWID",
];

/**
 * The environment of a session's program: its own, with the marks by which Warren finds it and by which it knows its name. A `PORT` of the terminal from which
 * it was started is not its: that is mostly another session's.
 */
export function environmentOfSession(record: SessionRecord): Record<string, string> {
  const { PORT: _, ...env }: Record<string, string> = environmentOf(record.env);
  if (record.kind === "session") {
    for (const name of OF_ANOTHER_TERMINAL) delete env[name];
    Object.assign(env, TERMINAL);
  }
  return {
    ...env,
    PWD: record.directory,
    ...(record.port === undefined ? {} : { PORT: String(record.port) }),
    WARREN_UNIT: record.name,
    WARREN_SESSION: record.id,
    WARREN_RUN_ID: record.id,
    WARREN_RUN_TAG: String(record.tag),
  };
}
