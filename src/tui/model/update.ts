import { formatAge } from "../text/age.ts";
import { commandForKey, runCommand } from "./commands.ts";
import { applyRead, grew, refit, scrollLog } from "./log-pane.ts";
import { applyMail, refitMail } from "./mail-list.ts";
import { mailMoveKey } from "./mail-verbs.ts";
import { type Action, chain, type Effect, isLive, type Model, type Row, type Step, selectedSession } from "./model.ts";
import { applyMouse } from "./mouse.ts";
import { COLUMN_STEP, focusOn, move, moveHalfPage, moveSideways, moveToEnd, moveToStart } from "./navigate.ts";
import { overlayKey, overlayPaste } from "./overlays.ts";
import { rowOf, shownRows, showSelected } from "./rows.ts";
import { applyRuns } from "./runs.ts";
import { say } from "./say.ts";
import { applyFound, endSearch } from "./search.ts";
import { applyEnded, applySession, applySessions } from "./session-list.ts";
import { applyEvent, applySnapshot, select } from "./units.ts";
import { applyUsage } from "./usage.ts";
import { applyGateways } from "./worker-list.ts";
import { selectedWorker } from "./workers.ts";

/** The one function that changes the model. Pure: the same model and action give the same step. A model that does not change keeps its identity. */
export function update(model: Model, action: Action): Step {
  const [next, effects] = changed(model, action);
  const watched = watchedId(next);
  const screen: Effect[] = watched === watchedId(model) ? [] : [{ kind: "watch-screen", id: watched }];
  const served = selectedWorker(next)?.id ?? null;
  const worker: Effect[] = served === (selectedWorker(model)?.id ?? null) ? [] : [{ kind: "watch-worker", id: served }];
  return screen.length + worker.length === 0 ? [next, effects] : [next, [...effects, ...screen, ...worker]];
}

/** The session whose screen is shown. */
function watchedId(model: Model): string | null {
  const session = selectedSession(model);
  return session && isLive(session) ? session.id : null;
}

function changed(model: Model, action: Action): Step {
  switch (action.type) {
    case "key":
      return key(model, action.key);
    case "paste":
      return model.overlay ? overlayPaste(model, model.overlay, action.text) : [model, []];
    case "mail":
      return applyMail(model, action.news);
    case "mouse":
      return applyMouse(model, action.mouse);
    case "resize":
      return [refitMail(showSelected(refit({ ...model, columns: action.columns, rows: action.rows }))), []];
    case "tick":
      return [tick(model, action.nowMs), []];
    case "connection":
      return connection(model, action.state, action.message);
    case "snapshot":
      return applySnapshot(model, action.jobs, action.nowMs);
    case "event":
      return applyEvent(model, action.event, action.nowMs);
    case "gateways":
      return applyGateways(model, action.gateways, action.nowMs);
    case "runs-loaded":
      return applyRuns(model, action.jobId, action.runs);
    case "log-read":
      return applyRead(model, action.panel, action.source, action.range, action.window);
    case "log-grew":
      return grew(model, action.panel, action.source);
    case "log-found":
      return applyFound(model, action.panel, action.source, action.matchByte);
    case "sessions":
      return applySessions(model, action.servers, action.latest, action.nowMs);
    case "ended-loaded":
      return applyEnded(model, action.sessions);
    case "session-changed":
      return applySession(model, action.session);
    case "usage":
      return [applyUsage(model, action.usage), []];
    case "previewed":
      return [{ ...model, preview: { id: action.id, lines: action.lines, cursorRow: action.cursorRow } }, []];
    case "done":
      return done(model, action.text, action.selectId);
    case "failed":
      return say(model, action.text, "error");
    case "report":
      return [{ ...model, overlay: { kind: "report", title: action.title, lines: action.lines, top: 0 } }, []];
    case "message-expired":
      return model.message?.id === action.id ? [{ ...model, message: null, armed: null }, []] : [model, []];
  }
}

function key(model: Model, name: string): Step {
  if (model.overlay) return overlayKey(model, model.overlay, name);
  const current = model.armed !== null && name !== model.armed.key ? { ...model, armed: null, message: null } : model;
  const moved = current.mail.isOpen ? mailMoveKey(current, name) : moveKey(current, name);
  if (moved) return moved;
  const command = commandForKey(current, name);
  return command ? runCommand(current, command) : [current, []];
}

function moveKey(model: Model, name: string): Step | undefined {
  switch (name) {
    case "j":
    case "down":
      return move(model, 1);
    case "k":
    case "up":
      return move(model, -1);
    case "g":
    case "home":
      return moveToStart(model);
    case "G":
    case "end":
      return moveToEnd(model);
    case "pgdn":
    case "ctrl-d":
      return moveHalfPage(model, 1);
    case "pgup":
    case "ctrl-u":
      return moveHalfPage(model, -1);
    case "h":
    case "H":
    case "left":
      return moveSideways(model, -COLUMN_STEP);
    case "l":
    case "L":
    case "right":
      return moveSideways(model, COLUMN_STEP);
    case "J":
      return scrollLog(model, "stdout", 1);
    case "K":
      return scrollLog(model, "stdout", -1);
    case "esc":
      return back(model);
    default:
      return undefined;
  }
}

function back(model: Model): Step {
  if (model.search) return endSearch(model);
  return model.focus !== "units" ? focusOn(model, "units") : [model, []];
}

/** The clock moves only when an age on the screen changes with it, so an idle screen is never drawn again. */
function tick(model: Model, nowMs: number): Model {
  const ages = (atMs: number): string =>
    [...shownRows(model).map((row) => timeOf(model, row)), ...model.runs.map((run) => run.started_at)]
      .map((at) => (at === undefined ? "" : formatAge(atMs - Date.parse(at))))
      .join();
  if (model.mail.isOpen) return mailAges(model, nowMs) === mailAges(model, model.nowMs) ? model : { ...model, nowMs };
  return ages(nowMs) === ages(model.nowMs) ? model : { ...model, nowMs };
}

const mailAges = ({ mail }: Model, atMs: number): string =>
  mail.traffic.map(({ message }) => formatAge(atMs - Date.parse(message.sent_at))).join();

function timeOf(model: Model, row: Row): string | undefined {
  if (row.kind === "worker") return model.workers.get(row.id)?.worker.started_at;
  if (row.kind === "job") return model.jobs.get(row.id)?.started_at;
  return row.kind === "session" ? model.sessions.byId.get(row.id)?.active_at : undefined;
}

function connection(model: Model, state: Model["connection"], message: string | undefined): Step {
  const next = model.connection === state ? model : { ...model, connection: state };
  return message === undefined ? [next, []] : say(next, message, "error");
}

function done(model: Model, text: string, selectId: string | undefined): Step {
  return chain(
    model,
    (current) => (selectId !== undefined && rowOf(current, selectId) >= 0 ? select(current, selectId) : [current, []]),
    (current) => say(current, text),
  );
}
