import { isWarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { Job } from "../../protocol/units.ts";
import { serverIcon } from "../../registry/names.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { placeOf } from "../place.ts";
import { shortPath } from "../render/ages.ts";
import { hintLines } from "../render/hints.ts";
import { jobTable } from "../render/job-table.ts";
import { listLines } from "../render/job-text.ts";
import { plural } from "../render/plural.ts";
import { serverTitle } from "../render/server-title.ts";

export const overview = defineCommand({
  usage: ["overview [--json]", ""],
  details: "What runs, in a card; also what warren shows alone. Starts nothing.",
  examples: [
    { command: "warren", does: "what runs here and what to type next" },
    { command: "warren overview --json", does: "the same for a program" },
  ],
  options: { json: JSON_OPTION },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const { output, build } = context;
    const seen = await look(context);
    if (values.json)
      output.json({
        version: build.version,
        git_hash: build.hash,
        server: seen?.server ?? null,
        jobs: seen?.jobs ?? [],
      });
    else output.line([...card(context, seen), ...hintLines(output, hintsFor(seen))].join("\n"));
    return EXIT.ok;
  },
});

interface Seen {
  server: string;
  version: string;
  gitHash: string;
  /** Of all directories. */
  jobs: Job[];
  here: Job[];
}

async function look(context: Context): Promise<Seen | undefined> {
  const client = context.client("find");
  try {
    const { jobs } = await client.request("list", {});
    const { server, version, git_hash } = client.server!;
    const place = placeOf(context.cwd);
    const here = jobs.filter(
      ({ workdir }) => workdir === place || (place !== context.cwd && workdir.startsWith(`${place}/`)),
    );
    return { server, version, gitHash: git_hash, jobs, here };
  } catch (error) {
    if (isWarrenError(error, "NO_SERVER")) return undefined;
    throw error;
  }
}

function card({ output, build, cwd, env, nowMs }: Context, seen: Seen | undefined): string[] {
  const { style, glyphs, columnCount, isTerminal } = output;
  const head = `${style.bold("Warren")} ${build.version} ${build.hash}`;
  if (!seen) return [head, "No server is running. The first job starts it.", ""];
  const running = seen.jobs.filter(({ status }) => status === "running").length;
  const title = serverTitle(output, { icon: serverIcon(seen.server), name: seen.server });
  const lines = [`${head}  ${title}  ${plural(seen.jobs.length, "job")}, ${running} running`, ""];
  const where = shortPath(cwd, env.HOME);
  if (seen.here.length === 0) return [...lines, `No jobs in ${where}.`, ""];
  const options = { style, glyphs, columnCount, nowMs: nowMs(), withDirectory: false, userHome: env.HOME };
  const shown = seen.here.slice(0, JOBS_SHOWN_MAX);
  const more = seen.here.length - shown.length;
  return [
    ...lines,
    ...(isTerminal ? jobTable(shown, options) : shown.flatMap((job) => listLines(job, false))),
    ...(more > 0 ? [style.dim(`… and ${more} more (warren list)`)] : []),
    "",
  ];
}

/** The card stays a card. */
const JOBS_SHOWN_MAX = 15;

function hintsFor(seen: Seen | undefined): (readonly [string, string])[] {
  const failed = seen?.here.find(({ outcome }) => outcome?.kind === "exited" && outcome.status !== 0);
  const running = seen?.here.find(({ status }) => status === "running");
  const hints: (readonly [string, string])[] = [];
  if (failed) hints.push([`warren why ${failed.name ?? failed.id}`, "see why it failed"]);
  if (running) hints.push([`warren logs ${running.name ?? running.id} -f`, "follow its output"]);
  hints.push(
    ["warren add COMMAND", "start something that outlives this terminal"],
    ["warren run COMMAND", "wait for it, see output if it fails"],
    ["warren help", "all commands"],
  );
  return hints;
}
