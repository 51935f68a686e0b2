import type { Worker } from "../../protocol/gateway-units.ts";
import type { Unit } from "../../protocol/messages.ts";
import type { Job, Session } from "../../protocol/units.ts";
import type { Tone } from "./style.ts";

/** What is shown of a state, the same in every face: a glyph, its plain form, a word and a colour. Colour never stands alone. */
export interface StateView {
  glyph: string;
  /** Where glyphs are not wanted (WARREN_NO_EMOJI). */
  plain: string;
  word: string;
  tone: Tone;
  dim: boolean;
}

const view = (glyph: string, plain: string, word: string, tone: Tone, dim = false): StateView => ({
  glyph,
  plain,
  word,
  tone,
  dim,
});

export const WORKING = view("◉", "*", "working", "live");
export const DONE = view("✓", "ok", "done", "good");
export const OLD_CODE = view("◌", ".", "old code", "quiet", true);

export function stateOfJob(job: Pick<Job, "state" | "outcome" | "stuck" | "ready" | "ports" | "blocked">): StateView {
  switch (job.state) {
    case "running":
      // A server that nobody asks is silent too; what listens waits for somebody else.
      if (job.stuck && !job.ports?.length) return view("◆", "!", "stuck", "attention");
      return job.ready === false ? view("◐", "~", "starting", "live", true) : WORKING;
    case "starting":
    case "stopping":
    case "waiting":
      return view("◐", "~", job.state, "live", true);
    case "created":
      return job.blocked ? view("○", "o", "blocked", "quiet") : view("◌", ".", "not started", "quiet", true);
    case "ended":
      return stateOfOutcome(job.outcome);
    default:
      // A newer server's state.
      return view("◌", ".", String(job.state), "quiet", true);
  }
}

export function stateOfOutcome(outcome: Job["outcome"]): StateView {
  switch (outcome?.kind) {
    case "exited":
      return outcome.status === 0 ? DONE : view("✗", "x", `failed (${outcome.status})`, "bad");
    case "signalled":
      // What was asked for is no failure.
      return view("◼", "#", KILLED_BY[outcome.by], KILLED_BY[outcome.by] === "stopped" ? "quiet" : "bad", true);
    case "lost":
      return view("◼", "#", "lost", "bad", true);
    default:
      return view("◌", ".", "unknown", "quiet", true);
  }
}

export function stateOfSession({ state, outcome }: Pick<Session, "state" | "outcome">): StateView {
  switch (state) {
    case "working":
      return WORKING;
    case "needs_you":
      return view("◆", "!", "needs you", "attention");
    case "idle":
      return view("○", "o", "idle", "quiet");
    case "starting":
      return view("◐", "~", "starting", "live", true);
    case "saved":
      return view("◌", ".", outcome?.kind === "lost" ? "lost, can be resumed" : "saved", "quiet", true);
    case "ended":
      return stateOfOutcome(outcome);
    default:
      return view("◌", ".", String(state), "quiet", true);
  }
}

export function stateOfWorker({ state }: Pick<Worker, "state">): StateView {
  switch (state) {
    case "healthy":
      return view("◉", "*", "healthy", "live");
    case "building":
    case "starting":
      return view("◐", "~", state, "live", true);
    case "degraded":
      return view("◆", "!", "degraded", "attention");
    case "paused":
      return view("○", "o", "paused", "quiet");
    case "stopped":
      return view("◌", ".", "stopped", "quiet", true);
    case "failed":
    case "unhealthy":
      return view("✗", "x", state, "bad");
    case "crash_looping":
      return view("✗", "x", "crash looping", "bad");
    default:
      return view("◌", ".", String(state), "quiet", true);
  }
}

export function stateOfUnit(unit: Unit | Session): StateView {
  switch (unit.kind) {
    case "worker":
      return stateOfWorker(unit);
    case "job":
      return stateOfJob(unit);
    default:
      return stateOfSession(unit);
  }
}

const KILLED_BY = {
  user: "stopped",
  stop: "stopped",
  timeout: "killed (timeout)",
  owner: "killed (owner gone)",
  unknown: "killed",
};
