import type { Worker } from "../../protocol/gateway-units.ts";
import type { Session } from "../../protocol/units.ts";
import type { Row } from "../model/rows.ts";
import { askSession } from "../store/ask-session.ts";
import type { World } from "./world.ts";

/** What can be done with a unit as it is now: its buttons, and its lines in the palette. */
export interface UnitAction {
  label: string;
  /** Said on the button before it is carried out. */
  question?: string;
  /** Said afterwards. */
  done: string;
  run: () => Promise<unknown>;
}

export function unitActions(world: World, row: Row): UnitAction[] {
  const { unit } = row;
  if (world.home.get().way.kind !== "live") return laterActions(world, row);
  switch (unit.kind) {
    case "job":
      return jobActions(world, row, unit.job.state);
    case "worker":
      return workerActions(world, unit.worker);
    case "recorded":
      return []; // its machine is about to say more of it
    default:
      return sessionActions(world, row, unit.session);
  }
}

/** While its machine is away, what is left for it, sealed, and carried out once when it comes back; nothing, where nothing can be left. */
function laterActions({ machine, remote }: World, { name, unit, machineName }: Row): UnitAction[] {
  const outbox = remote?.coordinator?.outbox;
  const isKnown = remote?.coordinator?.connectionForMachine(machine.id) !== undefined;
  const ask = laterStop(unit);
  if (!outbox || !isKnown || !ask) return [];
  const there = machineName ?? machine.name;
  return [
    {
      label: "Stop later",
      question: `Stop it when ${there} is back?`,
      done: `The stop of ${name} waits for ${there}, sealed`,
      run: () => outbox.add({ machine: machine.id, ...ask }),
    },
  ];
}

/** Undefined: it does not run, or no record is taken for it. */
function laterStop(unit: Row["unit"]): { unit?: string; type: string; payload: Record<string, unknown> } | undefined {
  switch (unit.kind) {
    case "job":
      return isUp(unit.job.state) ? { type: "stop", payload: { job_id: unit.job.id } } : undefined;
    case "session":
    case "agent": {
      const { id, status } = unit.session;
      return status === "running" ? { unit: id, type: "session.stop", payload: { session: id } } : undefined;
    }
    case "worker": {
      const { worker } = unit;
      return worker.state === "stopped" ? undefined : { type: "gateway.stop", payload: whichWorker(worker) };
    }
    default:
      return undefined;
  }
}

/** By its place: what another project calls the same is another one. */
const whichWorker = ({ id, project, name, workdir }: Worker) => ({
  worker: id ?? `${project}/${name}`,
  ...(workdir === undefined ? {} : { workdir }),
});

const isUp = (state: string): boolean => ["starting", "running", "waiting"].includes(state);

function jobActions({ feed }: World, { name, unit }: Row, state: string): UnitAction[] {
  const job_id = unit.kind === "job" ? unit.job.id : "";
  if (isUp(state))
    return [
      { label: "Stop", done: `${name} is stopped`, run: () => feed.client.request("stop", { job_id }) },
      { label: "Restart", done: `${name} runs anew`, run: () => feed.client.request("restart", { job_id }) },
    ];
  if (state === "stopping") return [];
  return [
    { label: "Start", done: `${name} runs`, run: () => feed.client.request("start", { job_id }) },
    {
      label: "Remove",
      question: "Remove it, with its logs?",
      done: `${name} is removed`,
      run: () => feed.client.request("remove", { job_id }),
    },
  ];
}

function workerActions({ feed }: World, worker: Worker): UnitAction[] {
  const { name, state } = worker;
  const which = whichWorker(worker);
  const { client } = feed;
  const restart = { label: "Restart", done: `${name} runs anew`, run: () => client.request("gateway.restart", which) };
  const start = { label: "Start", done: `${name} starts`, run: () => client.request("gateway.start", which) };
  const stop = {
    label: "Stop",
    question: "Stop it? Requests get an error.",
    done: `${name} is stopped`,
    run: () => client.request("gateway.stop", which),
  };
  if (state === "stopped") return [start];
  if (state === "paused")
    return [{ label: "Go on", done: `${name} goes on`, run: () => client.request("gateway.unpause", which) }, stop];
  return [restart, stop];
}

function sessionActions(world: World, { name }: Row, { id, kind, state, status }: Session): UnitAction[] {
  if (status !== "running") return [];
  const isAtWork = kind === "agent" && (state === "working" || state === "needs_you");
  return [
    ...(isAtWork
      ? [
          {
            label: "Cancel turn",
            done: `${name} was told to stop its turn`,
            run: () => askSession(world, id, "session.cancel", { session: id }),
          },
        ]
      : []),
    {
      label: "Stop",
      question: "End its program?",
      done: `${name} has ended`,
      run: () => askSession(world, id, "session.stop", { session: id }),
    },
  ];
}
