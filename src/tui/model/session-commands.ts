import type { Command } from "./commands.ts";
import { isLive, type Model, selectedSession } from "./model.ts";
import { toggleEnded } from "./session-list.ts";
import {
  attach,
  copySessionName,
  moveSession,
  newSession,
  reloadServer,
  renameSession,
  resumeSession,
  stopSession,
} from "./session-verbs.ts";

/** The verbs about sessions, for the table of commands. */

const isLiveSession = (model: Model): boolean => {
  const session = selectedSession(model);
  return session !== undefined && isLive(session);
};
const isEndedSession = (model: Model): boolean => selectedSession(model) !== undefined && !isLiveSession(model);
export const SESSION_COMMANDS: readonly Command[] = [
  {
    id: "attach",
    title: "attach: the session takes this terminal; ctrl-\\ d comes back",
    keys: ["enter"],
    hint: "attach",
    unit: "session",
    isEnabled: isLiveSession,
    run: attach(false),
  },
  {
    id: "view",
    title: "view only: look without typing",
    keys: ["v"],
    hint: "view",
    unit: "session",
    isEnabled: isLiveSession,
    run: attach(true),
  },
  {
    id: "stop-session",
    title: "stop the session (asks)",
    keys: ["s"],
    hint: "stop",
    unit: "session",
    isEnabled: isLiveSession,
    run: stopSession,
  },
  {
    id: "rename",
    title: "rename the session",
    keys: ["R"],
    hint: "rename",
    unit: "session",
    isEnabled: isLiveSession,
    run: renameSession,
  },
  {
    id: "move",
    title: "move to the newest server; its program does not notice",
    keys: ["m"],
    hint: "move",
    unit: "session",
    isEnabled: isLiveSession,
    run: moveSession,
  },
  {
    id: "resume",
    title: "resume: start it again where it was",
    keys: ["r"],
    hint: "resume",
    unit: "session",
    isEnabled: isEndedSession,
    run: resumeSession,
  },
  { id: "copy-name", title: "copy its name", keys: ["y"], unit: "session", run: copySessionName },
  { id: "new-session-here", title: "new session", keys: ["enter"], hint: "new session", unit: "new", run: newSession },
  { id: "new-session", title: "new session: your shell, here", keys: ["+"], run: newSession },
  {
    id: "reload",
    title: "reload the server: new code, nothing interrupted (or type /reload)",
    keys: ["U"],
    run: reloadServer,
  },
  { id: "ended", title: "show sessions that have ended, or hide them", keys: ["."], run: toggleEnded },
];
