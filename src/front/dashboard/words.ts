import type { Change } from "../observe/changes.ts";

/** How states, times and sizes are said: as everywhere in Warren. */
export interface StateWords {
  glyph: string;
  word: string;
  tone: "live" | "attention" | "bad" | "quiet";
}

const STATES: Readonly<Record<string, StateWords>> = {
  healthy: { glyph: "◉", word: "healthy", tone: "live" },
  running: { glyph: "◐", word: "starting", tone: "live" },
  starting: { glyph: "◐", word: "starting", tone: "live" },
  building: { glyph: "◐", word: "building", tone: "live" },
  degraded: { glyph: "◆", word: "degraded", tone: "attention" },
  paused: { glyph: "○", word: "paused", tone: "quiet" },
  stopped: { glyph: "◌", word: "stopped", tone: "quiet" },
  failed: { glyph: "✗", word: "failed", tone: "bad" },
  unhealthy: { glyph: "✗", word: "unhealthy", tone: "bad" },
  crash_looping: { glyph: "✗", word: "crash looping", tone: "bad" },
};

/** A state of a later build is said by its name. */
export const wordsOf = (state: string): StateWords =>
  STATES[state] ?? { glyph: "◌", word: state.replaceAll("_", " "), tone: "quiet" };

/** `3s`, `2m`, `3h`, `yesterday`, `4d`. */
export function agoOf(atMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - atMs) / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h`;
  return seconds < 2 * 86_400 ? "yesterday" : `${Math.floor(seconds / 86_400)}d`;
}

/** `0.4 ms`, `12 ms`, `3.1 s`; nothing where there was nothing. */
export function durationOf(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

export const countOf = (count: number): string => count.toLocaleString("en");

export const rateOf = (perSecond: number): string =>
  perSecond >= 100 ? countOf(Math.round(perSecond)) : perSecond.toFixed(1);

/** Versions are hashes: their first digits tell them apart. */
export const versionOf = (version: string | undefined): string =>
  version === undefined || version === "" ? "–" : version.slice(0, 8);

export interface ChangeWords {
  glyph: string;
  tone: StateWords["tone"];
  text: string;
}

export function changeWords(change: Change): ChangeWords {
  switch (change.kind) {
    case "serving": {
      const from = change.before === undefined ? "" : ` after ${versionOf(change.before)}`;
      const held = change.heldMs === undefined ? "" : `; requests waited ${durationOf(change.heldMs)} at most`;
      return { glyph: "◉", tone: "live", text: `${servesOf(change.version)}${from}${held}` };
    }
    case "failed":
      return {
        glyph: "✗",
        tone: "bad",
        text: `${change.phase === "build" ? "cannot be built" : "does not start"}: ${firstLine(change.message)}`,
      };
    case "back":
      return { glyph: "◉", tone: "live", text: `${servesOf(change.version)} again` };
    case "gone":
      return {
        glyph: "◌",
        tone: "quiet",
        text: `takes no requests${change.reason ? `: ${firstLine(change.reason)}` : ""}`,
      };
    case "removed":
      return { glyph: "◌", tone: "quiet", text: "is no more" };
  }
}

/** Files have no version. */
const servesOf = (version: string | undefined): string =>
  version === undefined ? "serves" : `serves ${versionOf(version)}`;

const firstLine = (text: string): string => text.split("\n", 1)[0]!;
