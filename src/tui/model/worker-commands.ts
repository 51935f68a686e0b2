import type { Worker } from "../../protocol/gateway-units.ts";
import type { Command } from "./commands.ts";
import { copy, copyLines } from "./copy.ts";
import { isLogPanel, type Model, type Step, type WorkerAsk } from "./model.ts";
import { focusOn } from "./navigate.ts";
import { ask } from "./say.ts";
import { selectedWorker } from "./workers.ts";

/** The verbs about workers, for the table of commands. */

const is =
  (test: (worker: Worker) => boolean) =>
  (model: Model): boolean => {
    const view = selectedWorker(model);
    return view !== undefined && test(view.worker);
  };
const isPaused = is(({ state }) => state === "paused");
const isStopped = is(({ state }) => state === "stopped");
const isUp = is(({ state }) => state !== "stopped");

const tell =
  (what: WorkerAsk) =>
  (model: Model): Step => {
    const view = selectedWorker(model);
    if (!view) return [model, []];
    const { worker, dir } = view;
    const verb = { verb: "worker", ask: what, name: worker.name, dir } as const;
    return [{ ...model, armed: null, message: null }, [{ kind: "perform", verb, label: worker.name }]];
  };

/** Other code serves afterwards, so it asks. */
function rollBack(model: Model): Step {
  const view = selectedWorker(model);
  if (!view) return [model, []];
  const { id, worker } = view;
  if (model.armed?.id === id && model.armed.key === "R") return tell("rollback")(model);
  return ask(model, { key: "R", id }, `press R again: ${worker.previous} serves ${worker.route} again`);
}

function copyAddress(model: Model): Step {
  if (isLogPanel(model.focus)) return copyLines(model, model.focus);
  const url = selectedWorker(model)?.worker.url;
  return url === undefined ? [model, []] : copy(model, url, `${url} copied`);
}

function why(model: Model): Step {
  const view = selectedWorker(model);
  return view ? [model, [{ kind: "why-worker", dir: view.dir, name: view.worker.name }]] : [model, []];
}

export const WORKER_COMMANDS: readonly Command[] = [
  {
    id: "open-worker",
    title: "read its output",
    keys: ["enter"],
    panels: ["units", "runs"],
    hint: "open",
    unit: "worker",
    run: (model) => focusOn(model, "stdout"),
  },
  {
    id: "restart-worker",
    title: "restart: new instances first",
    keys: ["r"],
    hint: "restart",
    unit: "worker",
    isEnabled: isUp,
    run: tell("restart"),
  },
  {
    id: "stop-worker",
    title: "stop: its route answers 503",
    keys: ["s"],
    hint: "stop",
    unit: "worker",
    isEnabled: isUp,
    run: tell("stop"),
  },
  {
    id: "start-worker",
    title: "start",
    keys: ["space"],
    hint: "start",
    unit: "worker",
    isEnabled: isStopped,
    run: tell("start"),
  },
  {
    id: "pause-worker",
    title: "pause: requests wait, until p again",
    keys: ["p"],
    hint: "pause",
    unit: "worker",
    isEnabled: (model) => isUp(model) && !isPaused(model),
    run: tell("pause"),
  },
  {
    id: "unpause-worker",
    title: "unpause: let requests through",
    keys: ["p"],
    hint: "unpause",
    unit: "worker",
    isEnabled: isPaused,
    run: tell("unpause"),
  },
  {
    id: "rollback-worker",
    title: "roll back to the version before (asks)",
    keys: ["R"],
    hint: "roll back",
    unit: "worker",
    isEnabled: is(({ previous }) => previous !== undefined),
    run: rollBack,
  },
  { id: "build-worker", title: "build it anew", keys: ["B"], unit: "worker", run: tell("build") },
  {
    id: "drain-worker",
    title: "drain: finish what is in flight, then stop",
    unit: "worker",
    isEnabled: isUp,
    run: tell("drain"),
  },
  { id: "why-worker", title: "why: what is wrong, its last lines", keys: ["i"], hint: "why", unit: "worker", run: why },
  { id: "copy-address", title: "copy its address (in logs: the lines)", keys: ["y"], unit: "worker", run: copyAddress },
];

/** Why the key that was pressed does nothing now. */
export function refusalOf({ name, state, previous }: Worker, command: string): string {
  if (command === "rollback-worker" && previous === undefined) return `no other version of ${name} that served is kept`;
  return state === "stopped" ? `${name} is stopped; space starts it` : `${name} is ${state.replaceAll("_", " ")}`;
}
