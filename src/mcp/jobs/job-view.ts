import * as z from "zod";
import { formatDuration } from "../../protocol/durations.ts";
import type { Outcome } from "../../protocol/outcome.ts";
import type { Job } from "../../protocol/units.ts";
import type { World } from "../world.ts";

/** A job as tools tell of it: what an agent decides by, and nothing else. */
export const JobView = z.object({
  id: z.string(),
  name: z.string().optional(),
  state: z.enum(["created", "waiting", "starting", "running", "stopping", "ended"]),
  command: z.array(z.string()),
  dir: z.string(),
  pid: z.number().int().optional(),
  /** How its last run ended. */
  outcome: z.string().optional().describe("How its last run ended, when it has: 'exit 0', 'SIGTERM', 'lost: …'."),
  exit_status: z.number().int().optional(),
  ports: z.array(z.number().int()).describe("On which it listens."),
  started_at: z.string().optional(),
  ended_at: z.string().optional(),
  run_id: z.string().optional(),
  description: z.string().optional(),
});

export function jobView(job: Job): z.input<typeof JobView> {
  const { id, name, state, command, workdir, pid, outcome, started_at, stopped_at, run_id, description } = job;
  const fields = {
    name,
    pid: job.status === "running" ? pid : undefined,
    outcome: outcome ? outcomeText(outcome) : undefined,
    exit_status: outcome && outcome.kind !== "lost" ? outcome.status : undefined,
    started_at,
    ended_at: stopped_at,
    run_id,
    description,
  };
  const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const ports = [...new Set((job.ports ?? []).map(({ port }) => port))].sort((a, b) => a - b);
  return { id, state, command, dir: workdir, ports, ...known };
}

/** `web (4xc) running for 12.3s, port 3000: npm run dev`; of another project's, also where it is. */
export function jobLine(job: Job, { clock, mail }: Pick<World, "clock" | "mail">): string {
  const { id, name, ports, dir } = jobView(job);
  const title = name === undefined ? id : `${name} (${id})`;
  const { project } = mail.identity;
  const elsewhere = dir === project || dir.startsWith(`${project}/`) ? "" : ` in ${dir}`;
  const at = ports.length > 0 ? `, port ${ports.join(", ")}` : "";
  return `${title}${elsewhere} ${stateText(job, clock.wallMs())}${at}: ${job.command.join(" ")}`;
}

function stateText({ state, status, outcome, started_at, stopped_at }: Job, nowMs: number): string {
  if (status === "running" && started_at) return `${state} for ${formatDuration(nowMs - Date.parse(started_at))}`;
  if (!outcome) return state;
  const tookMs = started_at && stopped_at ? Date.parse(stopped_at) - Date.parse(started_at) : undefined;
  return `ended: ${outcomeText(outcome)}${tookMs === undefined ? "" : ` after ${formatDuration(tookMs)}`}`;
}

export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return `exit ${outcome.status}`;
    case "signalled":
      return outcome.by === "timeout" ? `${outcome.signal} at its time limit` : outcome.signal;
    default:
      return `lost: ${outcome.reason}`;
  }
}
