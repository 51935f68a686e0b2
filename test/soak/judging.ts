import { type Allowance, type Growth, growthOf } from "./growth.ts";
import { FOLDERS, type Folder, GROUPS, type Group, type Look } from "./sampling.ts";

/** What may grow by how much, and what the limits say of the rest. */

/** Of one window: heaps that are collected when they like make some of it. */
export const MEMORY: Allowance = { absolute: 6, share: 0.1 };
export const DESCRIPTORS: Allowance = { absolute: 4, share: 0.08 };
export const THREADS: Allowance = { absolute: 2, share: 0.08 };
export const PROCESSES: Allowance = { absolute: 3, share: 0.1 };
export const DISK: Allowance = { absolute: 2, share: 0.05 };
/** What killed writers leave is taken away after some minutes. */
const FILES: Allowance = { absolute: 200, share: 0.05 };

/** What is killed again and again is warming up most of the time: its level is one only over longer windows. In a shorter run memory is shown, and not judged. */
export const MEMORY_MINUTES_MIN = 20;

/** Whose every measure counts; of the others only how many they are, since their programs are the load's. */
const OURS: readonly Group[] = ["server", "keeper", "front", "mail leaders", "hubs"];

/** Folders that grow with what was done, by contract, and what they may take. */
export type Caps = Partial<Record<Folder, { capMB: number; why: string }>>;

export interface Done {
  sessions: number;
  changes: number;
  messages: number;
}

const MEBIBYTE_MB = (1024 * 1024) / 1e6;
const JOURNAL_MB = 64 * MEBIBYTE_MB;
const SPACE_MB = 64 * MEBIBYTE_MB;
const OWN_LOG_MB = 10 * MEBIBYTE_MB;
/** Of a change: its answer, which is kept for 24 h, and its events, of which the newest 20,000 are. */
const CHANGE_MB = 0.006;
/** Of a message of at most 2,000 characters with one recipient: itself, its copy and their indexes. */
const MESSAGE_MB = 0.008;
const REST_MB = 16;

export const capsOf = ({ sessions, changes, messages }: Done): Caps => ({
  sessions: { capMB: sessions * JOURNAL_MB, why: "a journal keeps 64 MiB" },
  "own logs": { capMB: 8 * 2 * OWN_LOG_MB, why: "rotated once at 10 MB" },
  "state.db": { capMB: REST_MB + changes * CHANGE_MB, why: "answers are kept for 24 h" },
  gateway: { capMB: REST_MB + 2 * OWN_LOG_MB, why: "its access log is rotated once at 10 MB" },
  mail: { capMB: REST_MB + messages * MESSAGE_MB, why: "messages are kept for ever" },
  hubs: { capMB: 2 * (SPACE_MB * 1.5 + REST_MB), why: "a space keeps 64 MiB" },
});

export interface Judged {
  what: string;
  unit: string;
  /** First and last level of the second half, or the first and the last look where there are too few. */
  from: number;
  to: number;
  peak: number;
  verdict: "steady" | "GROWS" | "too few" | "within" | "ABOVE" | "not judged";
  why: string;
}

export function judgeLooks(looks: readonly Look[], caps: Caps, { judgesMemory }: { judgesMemory: boolean }): Judged[] {
  const judged: Judged[] = [];
  for (const group of GROUPS) {
    const of = (measure: keyof Look["groups"][Group]): number[] => looks.map(({ groups }) => groups[group][measure]);
    if (OURS.includes(group)) {
      const memory = byTrend(`${group}: memory of its own`, "MB", of("ownMB"), MEMORY);
      judged.push(
        judgesMemory ? memory : { ...memory, verdict: "not judged", why: `from ${MEMORY_MINUTES_MIN} min on` },
      );
      judged.push({
        ...byTrend(`${group}: PSS`, "MB", of("pssMB"), MEMORY),
        verdict: "not judged",
        why: "shared pages in it",
      });
      judged.push(byTrend(`${group}: descriptors`, "", of("descriptors"), DESCRIPTORS));
      judged.push(byTrend(`${group}: threads`, "", of("threads"), THREADS));
    }
    judged.push(byTrend(`${group}: processes`, "", of("processes"), PROCESSES));
  }
  for (const folder of FOLDERS) judged.push(judgeFolder(folder, looks, caps));
  const files = looks.map(({ fileCount }) => fileCount);
  judged.push(byTrend("files of the home", "", files, FILES));
  return judged;
}

export const isBad = ({ verdict }: Judged): boolean => verdict === "GROWS" || verdict === "ABOVE";

function judgeFolder(folder: Folder, looks: readonly Look[], caps: Caps): Judged {
  const values = looks.map(({ diskMB }) => diskMB[folder]);
  const trend = byTrend(`disk: ${folder}`, "MB", values, DISK);
  const cap = caps[folder];
  if (!cap) return trend;
  const verdict = trend.peak > cap.capMB ? "ABOVE" : "within";
  return { ...trend, verdict, why: `${cap.capMB.toFixed(0)} MB: ${cap.why}` };
}

const VERDICTS = { steady: "steady", grows: "GROWS", "too few": "too few" } as const satisfies Record<
  Growth["kind"],
  string
>;

function byTrend(what: string, unit: string, values: readonly number[], allowance: Allowance): Judged {
  const { kind, levels, peak } = growthOf(values, allowance);
  const ends = levels.length > 0 ? levels : values;
  const why = kind === "grows" ? `level after level: ${levels.map((level) => level.toFixed(1)).join(", ")}` : "";
  return { what, unit, from: ends[0] ?? 0, to: ends.at(-1) ?? 0, peak, verdict: VERDICTS[kind], why };
}
