import type { Job } from "../../protocol/units.ts";
import { copyCommand, copyFocused } from "./copy.ts";
import { toggleFollow, toggleWrap } from "./log-pane.ts";
import { MAIL_COMMANDS, mailRefusal } from "./mail-commands.ts";
import { leaveMail, openMail } from "./mail-verbs.ts";
import {
  chain,
  isLive,
  isLogPanel,
  type LogPanelId,
  labelOf,
  type Model,
  NEW_ID,
  PANELS,
  type PanelId,
  type Step,
  selectedJob,
  selectedSession,
  type Verb,
} from "./model.ts";
import { focusNext, focusOn, openSelected } from "./navigate.ts";
import { removeFocused, removeUnit } from "./remove.ts";
import { say } from "./say.ts";
import { continueSearch, endSearch } from "./search.ts";
import { SESSION_COMMANDS } from "./session-commands.ts";
import { emptyInput } from "./text-input.ts";
import { toggleAll } from "./units.ts";
import { refusalOf, WORKER_COMMANDS } from "./worker-commands.ts";
import { selectedWorker } from "./workers.ts";

/**
 * Every verb of this face, once: keys, palette, help and status bar are made from this table. `hint` is the short word of the status bar.
 */
export interface Command {
  id: string;
  title: string;
  /** The keys that run it; none: from the palette only. */
  keys?: readonly string[];
  /** Panels in whose help it stands; absent: all. */
  panels?: readonly PanelId[];
  hint?: string;
  /** What it is about; absent: anything, or nothing. Its key means something else on the other kind. */
  unit?: "job" | "session" | "worker" | "new" | "mail";
  isEnabled?: (model: Model) => boolean;
  run: (model: Model) => Step;
}

/** What is about nothing, and works while the mail is open too; with the way to each panel. */
const IN_MAIL: ReadonlySet<string> = new Set([
  ...PANELS.map((id) => `panel-${id}`),
  "palette",
  "help",
  "redraw",
  "quit",
]);
const LOGS = ["stdout", "stderr"] as const;

const hasJob = (model: Model): boolean => selectedJob(model) !== undefined;
const isRunning = (model: Model): boolean => selectedJob(model)?.status === "running";
const isSearching = (model: Model): boolean => model.search !== null;
const logOf = (model: Model): LogPanelId => (isLogPanel(model.focus) ? model.focus : "stdout");

const onJob =
  (verb: "start" | "restart" | "stop" | "kill") =>
  (model: Model): Step =>
    withJob(model, (job) => perform(model, { verb, jobId: job.id }, labelOf(job)));

const signal = (name: string, title: string): Command => ({
  id: `signal-${name}`,
  unit: "job",
  title: `send SIG${name}: ${title}`,
  isEnabled: isRunning,
  run: (model) =>
    withJob(model, (job) => perform(model, { verb: "signal", jobId: job.id, signal: name }, labelOf(job))),
});

const panel = (key: string, id: PanelId, title: string): Command => ({
  id: `panel-${id}`,
  title,
  keys: [key],
  run: (model) => chain(model, leaveMail, (current) => focusOn(current, id)),
});

export const COMMANDS: readonly Command[] = [
  ...SESSION_COMMANDS,
  ...WORKER_COMMANDS,
  ...MAIL_COMMANDS,
  {
    id: "open",
    unit: "job",
    title: "read its output",
    keys: ["enter"],
    panels: ["units", "runs"],
    hint: "open",
    isEnabled: hasJob,
    run: openSelected,
  },
  { id: "stop", unit: "job", title: "stop", keys: ["s"], hint: "stop", isEnabled: isRunning, run: onJob("stop") },
  { id: "kill", unit: "job", title: "kill (SIGKILL, no grace)", keys: ["S"], isEnabled: isRunning, run: onJob("kill") },
  {
    id: "start",
    unit: "job",
    title: "start",
    keys: ["space"],
    hint: "start",
    isEnabled: (model) => hasJob(model) && !isRunning(model),
    run: onJob("start"),
  },
  {
    id: "restart",
    unit: "job",
    title: "restart",
    keys: ["r"],
    hint: "restart",
    isEnabled: hasJob,
    run: onJob("restart"),
  },
  {
    id: "remove",
    unit: "job",
    title: "remove the unit (in panel 3: the run) with its logs",
    keys: ["d"],
    hint: "remove",
    isEnabled: hasJob,
    run: removeFocused,
  },
  {
    id: "remove-unit",
    unit: "job",
    title: "remove the unit with its runs and logs",
    isEnabled: hasJob,
    run: removeUnit,
  },
  { id: "why", unit: "job", title: "why: how it ended, its last lines", isEnabled: hasJob, run: why },
  {
    id: "new",
    title: "new job",
    keys: ["n"],
    hint: "new",
    run: (model) => [{ ...model, overlay: { kind: "new-job", input: emptyInput() } }, []],
  },
  { id: "copy-command", unit: "job", title: "copy the command", keys: ["c"], isEnabled: hasJob, run: copyCommand },
  {
    id: "copy",
    unit: "job",
    title: "copy what the cursor is on (in logs: the lines)",
    keys: ["y"],
    isEnabled: hasJob,
    run: copyFocused,
  },
  { id: "all", title: "all directories, or only this one", keys: ["a"], run: sayAll },
  {
    id: "follow",
    title: "follow the output",
    keys: ["f"],
    panels: LOGS,
    hint: "follow",
    run: (model) => toggleFollow(model, logOf(model)),
  },
  {
    id: "wrap",
    title: "wrap long lines",
    keys: ["w"],
    panels: LOGS,
    hint: "wrap",
    run: (model) => toggleWrap(model, logOf(model)),
  },
  { id: "search", title: "search", keys: ["/"], hint: "search", run: search },
  { id: "next", title: "next match", keys: ["n"], isEnabled: isSearching, run: (model) => continueSearch(model, 1) },
  {
    id: "previous",
    title: "previous match",
    keys: ["N"],
    isEnabled: isSearching,
    run: (model) => continueSearch(model, -1),
  },
  { id: "end-search", title: "end the search", isEnabled: isSearching, run: endSearch },
  panel("1", "units", "go to units"),
  panel("2", "ports", "go to ports"),
  panel("3", "runs", "go to runs"),
  panel("4", "stdout", "go to stdout"),
  panel("5", "stderr", "go to stderr"),
  { id: "panel-mail", title: "go to mail: who takes part, and what passes", keys: ["6"], hint: "mail", run: openMail },
  { id: "next-panel", title: "next panel", keys: ["tab"], run: (model) => focusNext(model, 1) },
  { id: "previous-panel", title: "previous panel", keys: ["shift-tab"], run: (model) => focusNext(model, -1) },
  signal("HUP", "often reloads"),
  signal("INT", "as Ctrl-C does"),
  signal("USR1", "its own meaning"),
  signal("USR2", "its own meaning"),
  {
    id: "stop-all",
    title: "stop all that is shown here",
    run: (model) => perform(model, { verb: "stop-all", workdir: shownDir(model) }, ""),
  },
  {
    id: "cleanup",
    title: "clean up: remove all that has ended here, with logs",
    run: (model) => perform(model, { verb: "cleanup", workdir: shownDir(model) }, ""),
  },
  {
    id: "palette",
    title: "all commands",
    keys: [":"],
    hint: "palette",
    run: (model) => [{ ...model, overlay: { kind: "palette", input: emptyInput(), index: 0 } }, []],
  },
  {
    id: "help",
    title: "keys of this panel",
    keys: ["?"],
    hint: "help",
    run: (model) => [{ ...model, overlay: { kind: "help", top: 0 } }, []],
  },
  { id: "redraw", title: "draw the screen again", keys: ["ctrl-l"], run: (model) => [model, [{ kind: "redraw" }]] },
  {
    id: "quit",
    title: "quit; everything keeps running",
    keys: ["q", "ctrl-c"],
    hint: "quit",
    run: (model) => [model, [{ kind: "quit" }]],
  },
];

/** `n` means the next match while a search is on. */
export function commandForKey(model: Model, key: string): Command | undefined {
  const all = COMMANDS.filter((command) => command.keys?.includes(key) && isAbout(model, command));
  if (all.length > 1 && isSearching(model)) return all.find((command) => command.isEnabled?.(model));
  // Pause and unpause have one key.
  return (selectedWorker(model) && all.find((command) => isEnabled(model, command))) ?? all[0];
}

/** Whether it is about what is selected. */
export function isAbout(model: Model, { unit, id }: Command): boolean {
  if (model.mail.isOpen) return unit === "mail" || (unit === undefined && IN_MAIL.has(id));
  if (unit === undefined) return true;
  if (selectedSession(model)) return unit === "session";
  if (selectedWorker(model)) return unit === "worker";
  return unit === (model.selectedId === NEW_ID ? "new" : "job");
}

export const isEnabled = (model: Model, command: Command): boolean =>
  isAbout(model, command) && (command.isEnabled?.(model) ?? true);

export function runCommand(model: Model, command: Command): Step {
  if (isEnabled(model, command)) return command.run(model);
  if (model.mail.isOpen) return say(model, mailRefusal(model, command.id));
  const session = selectedSession(model);
  if (session) return say(model, isLive(session) ? `${session.name} runs` : `${session.name} has ended; r resumes it`);
  const view = selectedWorker(model);
  if (view) return say(model, refusalOf(view.worker, command.id));
  const job = selectedJob(model);
  if (!job) return say(model, "no unit is selected");
  return say(
    model,
    job.status === "running" ? `${labelOf(job)} runs already; r restarts it` : `${labelOf(job)} is not running`,
  );
}

export function perform(model: Model, verb: Verb, label: string): Step {
  return [model, [{ kind: "perform", verb, label }]];
}

function withJob(model: Model, use: (job: Job) => Step): Step {
  const job = selectedJob(model);
  return job ? use(job) : [model, []];
}

function why(model: Model): Step {
  return withJob(model, (job) => [model, [{ kind: "why", jobId: job.id, label: labelOf(job) }]]);
}

function search(model: Model): Step {
  const panelId: PanelId = isLogPanel(model.focus) ? model.focus : "units";
  return [{ ...model, overlay: { kind: "search", input: emptyInput(), panel: panelId, fromId: model.selectedId } }, []];
}

function sayAll(model: Model): Step {
  const [next, effects] = toggleAll(model);
  const [said, more] = say(next, next.allDirectories ? "all directories" : `only ${next.scope.label}`);
  return [said, [...effects, ...more]];
}

const shownDir = (model: Model): string | null => (model.allDirectories ? null : model.scope.path);
