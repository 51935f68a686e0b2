import type { DataOf } from "../../protocol/messages.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import type { Session } from "../../protocol/units.ts";
import { defineCommand, JSON_OPTION, UNITS } from "../command.ts";
import type { Context } from "../context.ts";
import { forEachUnit } from "../each-unit.ts";
import { workerLine } from "../gateway/gateway-text.ts";
import { allUnits } from "../list/all-units.ts";
import { LATER_OPTION } from "../on/later/later-option.ts";
import { onUnit } from "../on-unit.ts";
import { placeOf } from "../place.ts";
import { nameOf } from "../render/job-text.ts";
import { sessionTitle } from "../sessions/session-client.ts";
import { usageError } from "../usage-error.ts";
import { durationOf } from "../values.ts";

type Stopped = DataOf<"stop"> | DataOf<"session.stop"> | DataOf<"gateway.stop">;

export const stop = defineCommand({
  usage: ["stop NAME… [--force] [--grace DURATION] [--json]", "stop --all [--force] [--grace DURATION] [--json]"],
  details:
    "Sends the stop signal to the whole tree, then SIGKILL after the grace period (default 10 s; 3 s for a session, whose terminal is closed). What has ended already is no error. With --all every job and worker that runs in this directory is meant; sessions go on.",
  examples: [
    { command: "warren stop web", does: "stops web and everything that it started" },
    { command: "warren stop web api --grace 2s", does: "stops both, with SIGKILL after two seconds" },
    { command: "warren stop --all", does: "stops the jobs and workers of this directory" },
  ],
  options: {
    all: { type: "boolean", short: "a", description: "the jobs and workers of this directory" },
    force: { type: "boolean", short: "f", description: "SIGKILL at once" },
    grace: { type: "string", value: "DURATION", description: "time between the stop signal and SIGKILL" },
    later: LATER_OPTION,
    json: JSON_OPTION,
  },
  operands: { ...UNITS, min: 0 },
  async run(context, { values, operands }) {
    const graceMs = durationOf("--grace", values.grace);
    const options = { force: values.force === true, ...(graceMs === undefined ? {} : { grace_ms: graceMs }) };
    const { output } = context;
    const names = values.all ? await runningHere(context, operands) : operands;
    if (names.length === 0 && !values.all)
      throw usageError("stop needs a name or id: warren stop NAME…", "warren help stop");
    if (values.later !== undefined) {
      if (values.all) throw usageError("--later takes names, and not --all.", "warren help stop");
      const [{ keepLater }, { unitRequests }] = await Promise.all([
        import("../on/later/keep-later.ts"),
        import("../on/later/unit-requests.ts"),
      ]);
      return keepLater(context, values, (known) =>
        unitRequests(known, {
          verb: "stop",
          names,
          requests: {
            job: (id) => [{ type: "stop", payload: { job_id: id, ...options } }],
            session: (id) => [{ type: "session.stop", payload: { session: id, ...options }, unit: id }],
            worker: (id) => [{ type: "gateway.stop", payload: { worker: id, ...options } }],
          },
        }),
      );
    }
    if (names.length === 0 && !values.json) output.line("Nothing runs here that it could stop");
    return forEachUnit(context, names, {
      json: values.json,
      isList: values.all,
      act: (name) =>
        onUnit<Stopped>(context, name, {
          verb: "stop",
          job: (jobId) => context.client().request("stop", { job_id: jobId, workdir: context.cwd, ...options }),
          session: ({ client, id }) => client.request("session.stop", { session: id, ...options }),
          worker: ({ worker, dir }) =>
            context.client().request("gateway.stop", { worker: worker.name, workdir: dir, ...options }),
        }),
      report(result) {
        if ("worker" in result) return output.line(workerLine((result as DataOf<"gateway.stop">).worker));
        if ("session" in result) {
          const title = sessionTitle(context, result.session as Session);
          output.line(result.stopped ? `Stopped ${title}` : `${title} is not running`);
          return;
        }
        const { job, pid, force, stopped } = result as DataOf<"stop">;
        const id = output.style.bold(nameOf(job));
        if (!stopped) output.line(`Job ${id} is not running`);
        else output.line(`${force ? "Force stopped" : "Stopped"} job ${id} (PID ${pid})`);
      },
    });
  },
});

/** @throws USAGE */
async function runningHere(context: Context, operands: readonly string[]): Promise<string[]> {
  if (operands.length > 0) throw usageError(`--all takes no names, got ${operands[0]}.`, "warren help stop");
  if (context.machine)
    throw usageError(
      'There is no "here" on another machine: everything that runs there would stop.',
      `warren --on ${quoteWord(context.machine.name)} list`,
    );
  const { units } = await allUnits(context, {
    place: placeOf(context.cwd),
    kinds: new Set(["job", "worker"] as const),
  });
  return units.filter((unit) => unit.status === "running" || unit.state === "waiting").map(({ ref }) => ref);
}
