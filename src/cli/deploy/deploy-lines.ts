import type { DeployStep, HostResult } from "../../deploy/deploy.ts";
import type { DeployPlan, PlannedWorker } from "../../deploy/plan.ts";
import type { Output } from "../output.ts";
import { plural } from "../render/plural.ts";
import { printable } from "../render/text-width.ts";

/** What `warren gateway deploy` prints: one line for each step that is over. */
export function stepLine(output: Output, step: DeployStep): string | undefined {
  switch (step.kind) {
    case "hook":
      return mark(output, `${step.host === undefined ? "" : `${step.host}: `}${step.name}: ${printable(step.command)}`);
    case "built":
      return mark(output, builtText(step.plan));
    case "copied":
      return mark(output, `${step.host}: copied ${filesText(step.sentFiles, step.sentBytes)}`);
    case "well":
      return mark(output, `${step.host}: ${wellText(step)}`);
    case "finishing":
      return `${step.host}: the switch has begun; waiting for its end`;
    default:
      return undefined;
  }
}

/** What is waited for, until the next step. */
export function waitText(step: DeployStep): string | undefined {
  switch (step.kind) {
    case "building":
      return `building ${step.workers.join(", ")}`;
    case "connecting":
      return `connecting to ${step.host}`;
    case "copying":
      return `copying to ${step.host}`;
    case "switching":
      return `switching on ${step.host}`;
    case "undoing":
      return `going back on ${step.host}`;
    default:
      return undefined;
  }
}

/** For people: what would be copied. */
export function planLines({ workers, files, artefacts }: DeployPlan, bytes: number): string[] {
  const count = files.length + artefacts.reduce((sum, artefact) => sum + artefact.files.length, 0);
  return [...workers.map((worker) => `${worker.name}: ${howText(worker)}`), `${filesText(count, bytes)} in all`];
}

/** Which hosts have what, when not all of them came to the end. */
export function hostLines(hosts: readonly HostResult[]): string[] {
  return hosts.map(({ name, outcome }) => `${name}: ${OUTCOMES[outcome]}`);
}

const OUTCOMES: Record<HostResult["outcome"], string> = {
  deployed: "serves what was deployed",
  unchanged: "nothing was changed",
  undone: "serves again what it served before",
  unknown: "look there, with `warren gateway status`",
  not_reached: "was not reached, nothing was changed",
};

function builtText({ workers }: DeployPlan): string {
  const built = workers.flatMap(({ name, version }) => (version === undefined ? [] : `${name} ${version}`));
  return built.length === 0 ? "nothing to build here" : `built ${built.join(", ")}`;
}

function howText({ how, version }: PlannedWorker): string {
  switch (how) {
    case "artefact":
      return `version ${version}, built here`;
    case "sources":
      return "its sources, built there";
    case "folder":
      return "its folder, as it is";
    case "files":
      return "its public files";
    case "nothing":
      return "its configuration";
  }
}

function wellText({ workers, url }: Extract<DeployStep, { kind: "well" }>): string {
  const healthy = workers.filter(({ state }) => state === "healthy").length;
  const others = workers.filter(({ state }) => state !== "healthy").map(({ name, state }) => `${name} ${state}`);
  const where = url === undefined ? "" : ` at ${url}`;
  return [`${plural(healthy, "worker")} healthy${where}`, ...others].join(", ");
}

const filesText = (count: number, bytes: number): string => `${plural(count, "file")}, ${bytesText(bytes)}`;

function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const mark = ({ isTerminal, glyphs, style }: Output, text: string): string =>
  isTerminal ? `${style.tone("good", glyphs ? "✓" : "ok")} ${text}` : text;
