import { copy } from "./copy.ts";
import { isLive, type Model, type Step, selectedSession } from "./model.ts";
import { ask, say } from "./say.ts";
import { emptyInput } from "./text-input.ts";

/** What can be done with the selected session. Each does nothing without one. */

export const newSession = (model: Model): Step => [model, [{ kind: "new-session" }]];

export const attach =
  (isViewer: boolean) =>
  (model: Model): Step => {
    const session = selectedSession(model);
    return session ? [model, [{ kind: "attach", id: session.id, isViewer }]] : [model, []];
  };

/** Ends a program with what it holds, so it asks: `s` again does it. */
export function stopSession(model: Model): Step {
  const session = selectedSession(model);
  if (!session) return [model, []];
  const { id, name } = session;
  if (model.armed?.id !== id) return ask(model, { key: "s", id }, `press s again: stop ${name} and what runs in it`);
  return [
    { ...model, armed: null, message: null },
    [{ kind: "perform", verb: { verb: "session-stop", id }, label: name }],
  ];
}

export function renameSession(model: Model): Step {
  const session = selectedSession(model);
  if (!session) return [model, []];
  const { id, name } = session;
  return [{ ...model, overlay: { kind: "rename", id, name, input: emptyInput(name) } }, []];
}

/** To the newest server. */
export function moveSession(model: Model): Step {
  const session = selectedSession(model);
  if (!session) return [model, []];
  const { latest } = model.sessions;
  if (!latest) return say(model, "no newer server runs; + starts one with a new session");
  if (latest.name === session.server) return say(model, `${session.name} is on the newest server (${latest.name})`);
  return [
    model,
    [{ kind: "perform", verb: { verb: "session-move", id: session.id, to: latest.name }, label: session.name }],
  ];
}

/** The server of what is selected, or else the one of new sessions, gets a new process of this build. */
export function reloadServer(model: Model): Step {
  const server = selectedSession(model)?.server ?? model.sessions.latest?.name;
  if (server === undefined) return say(model, "no server runs");
  return [model, [{ kind: "perform", verb: { verb: "session-reload", server }, label: server }]];
}

export function resumeSession(model: Model): Step {
  const session = selectedSession(model);
  if (!session) return [model, []];
  if (isLive(session)) return say(model, `${session.name} runs; enter attaches`);
  return [model, [{ kind: "perform", verb: { verb: "session-resume", id: session.id }, label: session.name }]];
}

export function copySessionName(model: Model): Step {
  const session = selectedSession(model);
  return session ? copy(model, session.name, `${session.name} copied`) : [model, []];
}
