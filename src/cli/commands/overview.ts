import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { isWarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { Job, Session } from "../../protocol/units.ts";
import { serverIcon } from "../../registry/names.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { aliveServers } from "../named-server.ts";
import type { Output } from "../output.ts";
import { placeOf } from "../place.ts";
import { shortPath } from "../render/ages.ts";
import { hintLines } from "../render/hints.ts";
import { plural } from "../render/plural.ts";
import { serverTitle } from "../render/server-title.ts";
import { sessionLines } from "../render/session-table.ts";
import { printable } from "../render/text-width.ts";
import { unitTable } from "../render/unit-table.ts";
import { sessionsByServer } from "../sessions/all-sessions.ts";

export const overview = defineCommand({
  usage: ["overview [--watch] [--tour] [--json]", ""],
  details: "What runs, in a card; also what warren shows alone. Starts nothing.",
  examples: [
    { command: "warren", does: "what runs here and what to type next" },
    { command: "warren overview --json", does: "the same for a program" },
  ],
  options: {
    watch: { type: "boolean", short: "w", description: "stay, and draw it again when something changes" },
    tour: { type: "boolean", description: "with things to try" },
    json: JSON_OPTION,
  },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const { output, build } = context;
    const isTour = values.tour === true;
    if (values.watch && output.isTerminal && !values.json) return watchCard(context, isTour);
    const seen = await look(context);
    if (values.json)
      output.json({
        version: build.version,
        git_hash: build.hash,
        server: seen?.server ?? null,
        jobs: seen?.jobs ?? [],
        sessions: seen?.sessions ?? [],
      });
    else output.line(textOf(context, seen, isTour));
    return EXIT.ok;
  },
});

const textOf = (context: Context, seen: Seen | undefined, isTour: boolean): string => {
  const hints = isTour && seen ? tourOf(seen) : hintsFor(seen);
  const addresses = isTour && seen ? addressLines(seen) : [];
  return [...card(context, seen), ...addresses, ...hintLines(context.output, [...pathHint(context), ...hints])].join(
    "\n",
  );
};

/** Ages move on: looked at this seldom, and drawn only when a word has changed. */
const AGE_LOOK_MS = 10_000;
/** Of what sessions do, no event tells. */
const SESSION_LOOK_MS = 1_000;
/** Changes that come together are drawn together. */
const GATHER_MS = 50;
/** Up `n` lines, then clear to the end of the screen (ECMA-48 CPL, ED). */
const backOver = (lineCount: number): string => `\x1b[${lineCount}F\x1b[J`;

/** Draws the card again whenever a job changes, also after the server was replaced or killed. Ctrl-C ends the view alone. */
async function watchCard(context: Context, isTour: boolean): Promise<number> {
  const { output } = context;
  const interrupted = context.interrupted();
  let drawn = "";
  let timer: NodeJS.Timeout | undefined;
  const draw = async (): Promise<void> => {
    const seen = await look(context);
    const text = `${textOf(context, seen, isTour)}\n`;
    if (interrupted.aborted) return;
    clearTimeout(timer);
    timer = setTimeout(() => void draw().catch(() => {}), seen?.sessions.length ? SESSION_LOOK_MS : AGE_LOOK_MS);
    if (text === drawn) return;
    const before = drawn;
    drawn = text;
    await output.bytes("stdout", (before ? backOver(before.split("\n").length - 1) : "") + text);
  };
  await draw();
  let gathering: NodeJS.Timeout | undefined;
  try {
    for await (const _ of context.ownClient().subscribe({}, interrupted)) {
      clearTimeout(gathering);
      gathering = setTimeout(() => void draw().catch(() => {}), GATHER_MS);
    }
  } finally {
    clearTimeout(timer);
    clearTimeout(gathering);
  }
  await output.bytes("stdout", "\r\x1b[K"); // over the terminal's ^C
  output.line(output.style.dim("All of it goes on. Come back: warren · stop it: warren down, warren nuke"));
  return EXIT.ok;
}

interface Seen {
  server: string;
  version: string;
  gitHash: string;
  serverPid: number | undefined;
  /** Of all directories. */
  jobs: Job[];
  here: Job[];
  /** Live ones, of all servers. */
  sessions: Session[];
}

async function look(context: Context): Promise<Seen | undefined> {
  const client = context.client("find");
  try {
    const { jobs } = await client.request("list", {});
    const { server, version, git_hash } = client.server!;
    const place = context.machine ? "" : placeOf(context.cwd); // there is no "here" on another machine
    const here = jobs.filter(
      ({ workdir }) => workdir === place || (place !== context.cwd && workdir.startsWith(`${place}/`)),
    );
    const sessions = (await sessionsByServer(context, { usage: false })).flatMap((one) => one.sessions);
    const serverPid = context.machine
      ? undefined
      : aliveServers(context.places.serversDir).find(({ name }) => name === server)?.pid;
    return { server, version, gitHash: git_hash, serverPid, jobs, here, sessions };
  } catch (error) {
    if (isWarrenError(error, "NO_SERVER")) return undefined;
    throw error;
  }
}

function card(context: Context, seen: Seen | undefined): string[] {
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
  const shownSessions = sessionLines(context, seen.sessions, cardWidth(output)).slice(0, SESSIONS_SHOWN_MAX);
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
  const options = { ...output, isTerminal: true, columnCount: cardWidth(output), nowMs: nowMs(), userHome: env.HOME };
  const shown = seen.here.slice(0, JOBS_SHOWN_MAX);
  const more = seen.here.length - shown.length;
  return [
    ...lines,
    ...unitTable(shown, { ...options, withDirectory: !isHere }),
    ...(more > 0 ? [style.dim(`… and ${more} more (warren list)`)] : []),
    "",
  ];
}

/** It is for people, also in a pipe; a program asks for --json. */
const cardWidth = ({ isTerminal, columnCount }: Output): number => (isTerminal ? columnCount : PIPED_CARD_COLUMNS);
const PIPED_CARD_COLUMNS = 120;

/** The card stays a card. */
const JOBS_SHOWN_MAX = 15;
const SESSIONS_SHOWN_MAX = 10;

/** In a checkout nothing has put us where the shell looks, and every command that we show would fail. */
function pathHint({ env, build, machine }: Context): (readonly [string, string])[] {
  if (machine) return [];
  const places = (env.PATH ?? "").split(delimiter);
  const bin = resolve(build.dir, "..", "bin");
  if (!existsSync(join(bin, "warren")) || places.some((dir) => dir !== "" && existsSync(join(dir, "warren"))))
    return [];
  return [[`export PATH="$PATH:${bin}"`, "so that this shell finds warren"]];
}

/** What shows in a minute what Warren is for. */
function tourOf(seen: Seen): (readonly [string, string])[] {
  const first = seen.sessions.find(({ state }) => state === "needs_you") ?? seen.sessions[0];
  return [
    ...(first ? [[`warren attach ${first.name}`, "look at it and answer; ctrl-\\ d leaves it running"] as const] : []),
    ...(seen.serverPid
      ? [[`kill -9 ${seen.serverPid}`, "the server: the same table comes back, same processes"] as const]
      : []),
    ["warren reload", "another server process, new code, nothing interrupted"],
  ];
}

/** Where jobs of this directory listen. */
const addressLines = ({ here }: Seen): string[] => {
  const listening = here.filter(({ status, ports = [] }) => status === "running" && ports.length > 0);
  const lines = listening.map(({ ports, name, id }) => `${name ?? id}: http://127.0.0.1:${ports![0]!.port}/`);
  return lines.length > 0 ? [...lines, ""] : [];
};

function answersTo(seen: Seen | undefined): (readonly [string, string])[] {
  const asking = seen?.sessions.filter(({ state }) => state === "needs_you") ?? [];
  return asking.map(({ name, kind, attention }) =>
    kind === "agent"
      ? [`warren approve ${name}`, `answer: ${printable(attention ?? "it asks something")}`]
      : [`warren attach ${name}`, "it needs you"],
  );
}

function hintsFor(seen: Seen | undefined): (readonly [string, string])[] {
  const failed = seen?.here.find(({ outcome }) => outcome?.kind === "exited" && outcome.status !== 0);
  const running = seen?.here.find(({ status }) => status === "running");
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
