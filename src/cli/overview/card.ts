import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { serverIcon } from "../../registry/names.ts";
import type { Context } from "../context.ts";
import type { Output } from "../output.ts";
import { shortPath } from "../render/ages.ts";
import { plural } from "../render/plural.ts";
import { serverTitle } from "../render/server-title.ts";
import { sessionLines } from "../render/session-table.ts";
import { printable } from "../render/text-width.ts";
import { unitTable } from "../render/unit-table.ts";
import type { Seen } from "./look.ts";

/** The card of `warren overview`, for people wherever it goes: in a pipe, too, it is drawn as on a terminal. */
export function cardLines(context: Context, seen: Seen | undefined): string[] {
  const { output, build, cwd, env, nowMs } = context;
  const { style } = output;
  const on = context.machine ? ` on ${style.bold(context.machine.name)}` : "";
  const head = context.machine
    ? `${style.bold("Warren")}${on} ${seen?.version ?? ""} ${seen?.gitHash ?? ""}`.trimEnd()
    : `${style.bold("Warren")} ${build.version} ${build.hash}`;
  if (!seen) return [head, "No server is running. The first job starts it.", ""];
  const running = seen.jobs.filter(({ status }) => status === "running").length;
  const title = serverTitle(output, { icon: serverIcon(seen.server), name: seen.server });
  const live = seen.sessions.length > 0 ? `, ${plural(seen.sessions.length, "session")}` : "";
  const lines = [`${head}  ${title}  ${plural(seen.jobs.length, "job")}, ${running} running${live}`, ""];
  const shownSessions = sessionLines(context, seen.sessions, cardOutput(output).columnCount).slice(
    0,
    SESSIONS_SHOWN_MAX,
  );
  const moreSessions = seen.sessions.length - shownSessions.length;
  if (shownSessions.length > 0) {
    lines.push(
      ...shownSessions,
      ...(moreSessions > 0 ? [style.dim(`… and ${moreSessions} more (warren sessions)`)] : []),
      "",
    );
  }
  const isHere = context.machine === undefined;
  if (seen.here.length === 0) return [...lines, isHere ? `No jobs in ${shortPath(cwd, env.HOME)}.` : "No jobs.", ""];
  const options = { ...cardOutput(output), nowMs: nowMs(), userHome: env.HOME };
  const shown = seen.here.slice(0, JOBS_SHOWN_MAX);
  const more = seen.here.length - shown.length;
  return [
    ...lines,
    ...unitTable(shown, { ...options, withDirectory: !isHere }),
    ...(more > 0 ? [style.dim(`… and ${more} more (warren list)`)] : []),
    "",
  ];
}

/** As on a terminal. */
export const cardOutput = (output: Output): Output => ({
  ...output,
  isTerminal: true,
  columnCount: output.isTerminal ? output.columnCount : PIPED_CARD_COLUMNS,
});
const PIPED_CARD_COLUMNS = 120;

/** The card stays a card. */
const JOBS_SHOWN_MAX = 15;
const SESSIONS_SHOWN_MAX = 10;

/** In a checkout nothing has put us where the shell looks, and every command that we show would fail. */
export function pathHint({ env, build, machine }: Context): (readonly [string, string])[] {
  if (machine) return [];
  const places = (env.PATH ?? "").split(delimiter);
  const bin = resolve(build.dir, "..", "bin");
  if (!existsSync(join(bin, "warren")) || places.some((dir) => dir !== "" && existsSync(join(dir, "warren"))))
    return [];
  return [[`export PATH="$PATH:${bin}"`, "so that this shell finds warren"]];
}

function answersTo(seen: Seen | undefined): (readonly [string, string])[] {
  const asking = seen?.sessions.filter(({ state }) => state === "needs_you") ?? [];
  return asking.map(({ name, kind, attention }) =>
    kind === "agent"
      ? [`warren approve ${name}`, `answer: ${printable(attention ?? "it asks something")}`]
      : [`warren attach ${name}`, "it needs you"],
  );
}

export function hintsFor(seen: Seen | undefined): (readonly [string, string])[] {
  const seenJobs = seen?.here.filter((unit) => unit.kind === "job") ?? [];
  const failed = seenJobs.find(({ outcome }) => outcome?.kind === "exited" && outcome.status !== 0);
  const running = seenJobs.find(({ status }) => status === "running");
  const hints: (readonly [string, string])[] = [...answersTo(seen)];
  if (failed) hints.push([`warren why ${failed.name ?? failed.id}`, "see why it failed"]);
  if (running) hints.push([`warren logs ${running.name ?? running.id} -f`, "follow its output"]);
  hints.push(
    ["warren add COMMAND", "start something that outlives this terminal"],
    ["warren new", "a terminal that stays"],
    ["warren run COMMAND", "wait for it, see output if it fails"],
    ["warren help", "all commands"],
  );
  return hints;
}
