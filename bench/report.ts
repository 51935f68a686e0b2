import { readFile, writeFile } from "node:fs/promises";
import type { Measured, Row, Section, Target, Unit } from "./result.ts";
import { median, percentile } from "./series.ts";

/** The tables in Markdown, and their place in docs/benchmarks.md. */
const END = "<!-- figures: end -->";
const beginOf = (part: string): string => `<!-- figures: begin (npm run bench -- ${part}) -->`;

const SUBJECT = "warren";

/** @param peers the columns beside Warren's */
export function report(facts: readonly string[], sections: readonly Section[], peers: readonly string[]): string {
  return [
    ...facts.map((fact) => `- ${fact}`),
    "",
    ...sections.flatMap((one) => sectionLines(one, one.peers ?? peers)),
  ].join("\n");
}

/** Replaces what stands between the markers of that part. @throws when the file has no markers */
export async function writeBetweenMarkers(file: string, part: string, text: string): Promise<void> {
  await writeFile(file, replaceFigures(await readFile(file, "utf8"), part, text));
}

export function replaceFigures(document: string, part: string, text: string): string {
  const marker = beginOf(part);
  const begin = document.indexOf(marker);
  const end = document.indexOf(END, begin);
  if (begin < 0 || end < begin) throw new Error(`there is no "${marker}" … "${END}" to write between`);
  return `${document.slice(0, begin + marker.length)}\n\n${text.trim()}\n\n${document.slice(end)}`;
}

/** `met`, `not met`, or `–` without a target. */
export function verdict({ target, measured }: Pick<Row, "target" | "measured">): string {
  const ours = measured.find(({ subject }) => subject === SUBJECT);
  if (!target || !ours) return "–";
  const value = statistic(ours.samples, target.of);
  const isMet = "atMost" in target ? value <= target.atMost : value >= target.atLeast;
  return isMet ? "met" : "**not met**";
}

function sectionLines({ title, rows }: Section, peers: readonly string[]): string[] {
  return [
    `### ${title}`,
    "",
    `| | target | Warren p50 | p90 | p99 | n | | ${peers.map((peer) => `${peer} p50 (p90) | ÷ Warren |`).join(" ")}`,
    `|---|---|---|---|---|---|---|${"---|---|".repeat(peers.length)}`,
    ...rows.map((row) => rowLine(row, peers)),
    "",
    ...rows.flatMap(({ what, note }) => (note ? [`${what}: ${note}`, ""] : [])),
  ];
}

function rowLine(row: Row, peers: readonly string[]): string {
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
    ...peers.flatMap((name) =>
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

function targetText(target: Target, unit: Unit): string {
  const bound = "atMost" in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast.toFixed(0)}`;
  return `${target.wording ?? `${bound} ${unit}`}${target.of === "p50" ? "" : ` (${target.of})`}`;
}

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
