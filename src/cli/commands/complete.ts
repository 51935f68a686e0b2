import { projectOf } from "../../config/project-of.ts";
import { liveSessions } from "../../local/find-session.ts";
import { knownMachines } from "../../local/remote/known-machines.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { readEntries } from "../../registry/entries.ts";
import { defineCommand } from "../command.ts";
import type { Live } from "../completion/candidates.ts";
import type { Machines } from "../completion/of-machines.ts";
import type { Context } from "../context.ts";
import { openClient } from "../open-client.ts";
import { placeOf } from "../place.ts";
import { printable } from "../render/text-width.ts";

/** Who presses Tab does not wait longer for the names of jobs. */
const ANSWER_TIMEOUT_MS = 100;
/** Through a hub and back, with a connection that is made for it. */
const THERE_TIMEOUT_MS = 1_500;

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
    const { completeAny } = await import("../completion/of-machines.ts");
    const completion = await completeAny(operands, liveOf(context), machinesOf(context)).catch(() => undefined);
    if (!completion) return EXIT.ok;
    if (completion.kind !== "candidates") context.output.line(`:${completion.kind}`);
    else
      for (const { text, description } of completion.candidates)
        context.output.line(`${text}\t${printable(description)}`);
    return EXIT.ok;
  },
});

function machinesOf(context: Context): Machines {
  return {
    names: () => knownMachines(context.places),
    async liveOn(name) {
      const { openDoor } = await import("../on/open-door.ts");
      const opened = openDoor(name, context.places, context.output);
      if (!opened) return liveOf(context);
      const { machine } = opened;
      const client = context.ownedClient(openClient(context.build, { dial: machine.dialLines() }));
      return liveOf({ ...context, machine, client: () => client }, THERE_TIMEOUT_MS);
    },
  };
}

function liveOf(context: Context, timeoutMs = ANSWER_TIMEOUT_MS): Live {
  return {
    async jobs() {
      const { jobs } = await context.client("find").request("list", {}, { timeoutMs });
      if (context.machine) return jobs;
      const place = placeOf(context.cwd);
      // What is here is meant more often than what is elsewhere.
      return [...jobs.filter(({ workdir }) => workdir === place), ...jobs.filter(({ workdir }) => workdir !== place)];
    },
    async workers() {
      const request = context.client("find").request("unit.list", {}, { timeoutMs });
      const workers = (await request).units.filter((unit) => unit.kind === "worker");
      const isHere = ({ workdir = "" }: { workdir?: string | undefined }): boolean =>
        context.cwd === workdir || context.cwd.startsWith(`${workdir}/`);
      const here = workers.filter(isHere);
      return here.length > 0 ? here : workers;
    },
    serverNames: () => (context.machine ? [] : readEntries(context.places.serversDir).map(({ name }) => name)),
    async sessionNames() {
      if (!context.machine) return liveSessions(context.places).map(({ name }) => name);
      return (await context.client().request("session.list", {}, { timeoutMs })).sessions.map(({ name }) => name);
    },
    async savedSessionNames() {
      const request = context.client("find").request("session.list", { saved: true }, { timeoutMs });
      return [...new Set((await request).sessions.map(({ name }) => name))];
    },
    async participantNames() {
      const sessions = context.machine ? [] : liveSessions(context.places).map(({ name }) => name);
      const { openMail } = await import("../mail/open-mail.ts");
      const listed = openMail(context, "find").request("mail.list", {}, { timeoutMs });
      const { participants } = await listed.catch(() => ({ participants: [] })); // nobody leads: the sessions are known all the same
      return [...new Set([...sessions, ...participants.map(({ name }) => name)])];
    },
    async projectJobNames() {
      const { findProject, loadProject } = await import("../../config/warren-yaml.ts");
      if (context.machine || projectOf(context.cwd) === undefined) return [];
      const project = await findProject(context.cwd);
      return project ? (await loadProject(project.file)).jobs.map(({ name }) => name) : [];
    },
  };
}
