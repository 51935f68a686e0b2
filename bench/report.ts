import { readFile, writeFile } from "node:fs/promises";
import type { Measured, Row, Section, Target, Unit } from "./result.ts";
import { median, percentile } from "./series.ts";

/** The tables in Markdown, and their place in docs/benchmarks.md. */
const BEGIN = "<!-- figures: begin (npm run bench -- jobs) -->";
const END = "<!-- figures: end -->";

const SUBJECT = "warren";
const PEERS = ["pm2", "supervisor"] as const;

export function report(facts: readonly string[], sections: readonly Section[]): string {
  return [...facts.map((fact) => `- ${fact}`), "", ...sections.flatMap(sectionLines)].join("\n");
}

/** Replaces what stands between the markers. @throws when the file has no markers */
export async function writeBetweenMarkers(file: string, text: string): Promise<void> {
  await writeFile(file, replaceFigures(await readFile(file, "utf8"), text));
}

export function replaceFigures(document: string, text: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`there is no "${BEGIN}" … "${END}" to write between`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${text.trim()}\n\n${document.slice(end)}`;
}

/** `met`, `not met`, or `–` without a target. */
export function verdict({ target, measured }: Pick<Row, "target" | "measured">): string {
  const ours = measured.find(({ subject }) => subject === SUBJECT);
  if (!target || !ours) return "–";
  return statistic(ours.samples, target.of) <= target.atMost ? "met" : "**not met**";
}

function sectionLines({ title, rows }: Section): string[] {
  return [
    `### ${title}`,
    "",
    "| | target | Warren p50 | p90 | p99 | n | | pm2 p50 (p90) | ÷ Warren | supervisor p50 (p90) | ÷ Warren |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
    ...rows.map(rowLine),
    "",
    ...rows.flatMap(({ what, note }) => (note ? [`${what}: ${note}`, ""] : [])),
  ];
}

function rowLine(row: Row): string {
  const { what, unit, target, measured } = row;
  const ours = measured.find(({ subject }) => subject === SUBJECT)?.samples ?? [];
  const isSingle = ours.length < 2;
  const cells = [
    what,
    target ? targetText(target, unit) : "–",
    `${format(median(ours), unit)} ${unit}`,
    isSingle ? "–" : format(percentile(ours, 90), unit),
    isSingle ? "–" : format(percentile(ours, 99), unit),
    String(ours.length),
    verdict(row),
    ...PEERS.flatMap((name) =>
      peerCells(
        measured.find(({ subject }) => subject === name),
        median(ours),
        unit,
      ),
    ),
  ];
  return `| ${cells.join(" | ")} |`;
}

function peerCells(peer: Measured | undefined, ours: number, unit: Unit): [string, string] {
  if (!peer || peer.samples.length === 0) return ["–", "–"];
  const theirs = median(peer.samples);
  const p90 = peer.samples.length < 2 ? "" : ` (${format(percentile(peer.samples, 90), unit)})`;
  const ratio = ours > 0 && theirs > 0 ? (theirs / ours).toFixed(theirs / ours < 10 ? 2 : 0) : "–";
  return [`${format(theirs, unit)}${p90}`, ratio];
}

const targetText = ({ atMost, of, wording }: Target, unit: Unit): string =>
  `${wording ?? `≤ ${atMost} ${unit}`}${of === "p50" ? "" : ` (${of})`}`;

function statistic(samples: readonly number[], of: Target["of"]): number {
  switch (of) {
    case "p50":
      return median(samples);
    case "p90":
      return percentile(samples, 90);
    case "p99":
      return percentile(samples, 99);
    case "max":
      return Math.max(...samples);
  }
}

/** Three significant places, which is what such a series can tell. */
function format(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return "–";
  if (unit === "%") return value.toFixed(3);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
