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
  switch (unit.kind) {
    case "job":
      return jobActions(world, row, unit.job.state);
    case "worker":
      return workerActions(world, unit.worker);
    case "recorded":
      return []; // its machine is away
    default:
      return sessionActions(world, row, unit.session);
  }
}

function jobActions({ feed }: World, { name, unit }: Row, state: string): UnitAction[] {
  const job_id = unit.kind === "job" ? unit.job.id : "";
  const isUp = ["starting", "running", "waiting"].includes(state);
  if (isUp)
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

function workerActions({ feed }: World, { name, id, project, state, workdir }: Worker): UnitAction[] {
  const which = { worker: id ?? `${project}/${name}`, ...(workdir === undefined ? {} : { workdir }) };
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
