import type { Machine, Machines } from "../../protocol/mail-units.ts";
import type { Context } from "../context.ts";
import { shortAge } from "../render/ages.ts";
import { padEnd, widthOf } from "../render/text-width.ts";
import { messagesText } from "./message-text.ts";
import { escapedLine } from "./untrusted-text.ts";

/** This machine, and the others, one a line. */
export function machineLines(context: Context, told: Machines): string[] {
  if (told.state === "alone") return ["This machine has joined no other"];
  const { output } = context;
  const width = Math.max(0, ...told.machines.map(({ name }) => widthOf(name)));
  return [
    ownLine(context, told),
    ...told.machines.map((one) => machineLine(context, one, output.isTerminal ? width : 0)),
  ];
}

function ownLine(context: Context, { machine = "?", url, state, since, problem }: Machines): string {
  const { style } = context.output;
  const head = `This machine is ${style.bold(machine)}`;
  if (state === "connected") return `${head}, connected to ${url} ${sinceText(context, since)}${behind(problem)}`;
  return `${head}, ${style.tone("attention", "not connected")}${url === undefined ? "" : ` to ${url}`}${behind(problem)}`;
}

/** In one line, for `mail status`. */
export function machinesFact(context: Context, told: Machines): string {
  const here = told.machines.filter(({ state }) => state === "connected").length;
  const waiting = told.machines.reduce((sum, one) => sum + one.waiting, 0);
  const rest = told.machines.length === 0 ? "no other is known" : `${here} of ${told.machines.length} others are there`;
  const held = waiting === 0 ? "" : `, ${messagesText(waiting)} on the way`;
  return `${ownLine(context, told).replace(/^This machine is /, "")}; ${rest}${held}`;
}

function machineLine(
  context: Context,
  { name, state, since, last_seen, waiting, problem }: Machine,
  width: number,
): string {
  const { output, nowMs } = context;
  const { style, isTerminal } = output;
  const seen =
    last_seen === undefined
      ? "never seen"
      : `last seen ${isTerminal ? `${shortAge(nowMs() - Date.parse(last_seen))} ago` : last_seen}`;
  const where =
    state === "connected"
      ? `${style.tone("live", "connected")} ${style.dim(sinceText(context, since))}`
      : `${style.tone("quiet", "away")}, ${style.dim(seen)}`;
  const held = waiting === 0 ? "" : `, ${style.tone("attention", `${messagesText(waiting)} on the way`)}`;
  return `${padEnd(style.bold(name), width)}${width === 0 ? ":" : " "} ${where}${held}${behind(problem)}`;
}

function sinceText({ output, nowMs }: Context, since: string | undefined): string {
  if (since === undefined) return "";
  return output.isTerminal ? `since ${shortAge(nowMs() - Date.parse(since))} ago` : `since ${since}`;
}

const behind = (problem: string | undefined): string => (problem === undefined ? "" : `: ${escapedLine(problem)}`);
