import { projectOf } from "../../config/project-of.ts";
import { liveSessions } from "../../local/find-session.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { readEntries } from "../../registry/entries.ts";
import { defineCommand } from "../command.ts";
import { complete as completionOf, type Live } from "../completion/candidates.ts";
import type { Context } from "../context.ts";
import { placeOf } from "../place.ts";
import { printable } from "../render/text-width.ts";

/** Who presses Tab does not wait longer for the names of jobs. */
const ANSWER_TIMEOUT_MS = 100;

export const complete = defineCommand({
  usage: ["__complete -- WORD…"],
  details: "What the shells' completion scripts call. Starts nothing, and says nothing when something is wrong.",
  examples: [
    { command: "warren __complete -- st", does: "the commands that begin with st" },
    { command: "warren __complete -- stop ''", does: "the jobs that run" },
  ],
  options: {},
  operands: { kinds: ["text"], min: 0 },
  takesCommand: true,
  async run(context, { operands }) {
    const completion = await completionOf(operands, liveOf(context)).catch(() => undefined);
    if (!completion) return EXIT.ok;
    if (completion.kind !== "candidates") context.output.line(`:${completion.kind}`);
    else
      for (const { text, description } of completion.candidates)
        context.output.line(`${text}\t${printable(description)}`);
    return EXIT.ok;
  },
});

function liveOf(context: Context): Live {
  return {
    async jobs() {
      const { jobs } = await context.client("find").request("list", {}, { timeoutMs: ANSWER_TIMEOUT_MS });
      const place = placeOf(context.cwd);
      // What is here is meant more often than what is elsewhere.
      return [...jobs.filter(({ workdir }) => workdir === place), ...jobs.filter(({ workdir }) => workdir !== place)];
    },
    async workers() {
      const request = context.client("find").request("unit.list", {}, { timeoutMs: ANSWER_TIMEOUT_MS });
      const workers = (await request).units.filter((unit) => unit.kind === "worker");
      const isHere = ({ workdir = "" }: { workdir?: string | undefined }): boolean =>
        context.cwd === workdir || context.cwd.startsWith(`${workdir}/`);
      const here = workers.filter(isHere);
      return here.length > 0 ? here : workers;
    },
    serverNames: () => readEntries(context.places.serversDir).map(({ name }) => name),
    sessionNames: () => liveSessions(context.places).map(({ name }) => name),
    async savedSessionNames() {
      const request = context.client("find").request("session.list", { saved: true }, { timeoutMs: ANSWER_TIMEOUT_MS });
      return [...new Set((await request).sessions.map(({ name }) => name))];
    },
    async participantNames() {
      const sessions = liveSessions(context.places).map(({ name }) => name);
      const { openMail } = await import("../mail/open-mail.ts");
      const listed = openMail(context, "find").request("mail.list", {}, { timeoutMs: ANSWER_TIMEOUT_MS });
      const { participants } = await listed.catch(() => ({ participants: [] })); // nobody leads: the sessions are known all the same
      return [...new Set([...sessions, ...participants.map(({ name }) => name)])];
    },
    async projectJobNames() {
      const { findProject, loadProject } = await import("../../config/warren-yaml.ts");
      if (projectOf(context.cwd) === undefined) return [];
      const project = await findProject(context.cwd);
      return project ? (await loadProject(project.file)).jobs.map(({ name }) => name) : [];
    },
  };
}
