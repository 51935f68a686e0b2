import { unreachable } from "../../protocol/errors.ts";
import type { Worker, WorkerInstance } from "../../protocol/gateway-units.ts";
import type { Job, Run, Session } from "../../protocol/units.ts";
import type { Theme, Tone } from "./theme.ts";

/** How a state is shown: one glyph, one word, one tone; the same in every face. The glyph and the word carry the meaning, never the colour alone. */
export interface Shown {
  glyph: string;
  word: string;
  /** The word where there is no room for it: an exit status, else nothing. */
  short: string;
  tone: Tone;
}

const GLYPHS = {
  live: ["◉", "*"],
  passing: ["◐", "~"],
  attention: ["◆", "!"],
  quiet: ["○", "o"],
  good: ["✓", "+"],
  bad: ["✗", "x"],
  killed: ["◼", "#"],
  unknown: ["◌", "."],
} as const;

export function glyphOf(theme: Theme, name: keyof typeof GLYPHS): string {
  return GLYPHS[name][theme.glyphs ? 0 : 1];
}

export function jobState(theme: Theme, job: Job): Shown {
  if (job.stuck) return { glyph: glyphOf(theme, "attention"), word: "stuck", short: "", tone: "attention" };
  switch (job.state) {
    case "created":
      return {
        glyph: glyphOf(theme, "quiet"),
        word: job.blocked ? "blocked" : "not started",
        short: "",
        tone: "quiet",
      };
    case "waiting":
      return { glyph: glyphOf(theme, "passing"), word: "waiting", short: "", tone: "live" };
    default:
      return runState(theme, { state: job.state, outcome: job.outcome });
  }
}

export function sessionState(theme: Theme, { state, outcome }: Pick<Session, "state" | "outcome">): Shown {
  const shown = (glyph: keyof typeof GLYPHS, word: string, tone: Tone): Shown => ({
    glyph: glyphOf(theme, glyph),
    word,
    short: "",
    tone,
  });
  switch (state) {
    case "working":
      return shown("live", "working", "live");
    case "needs_you":
      return shown("attention", "needs you", "attention");
    case "idle":
      return shown("quiet", "idle", "quiet");
    case "starting":
      return shown("passing", "starting", "live");
    case "saved":
      return shown("unknown", outcome?.kind === "lost" ? "lost" : "saved", "quiet");
    case "ended":
      return ended(theme, outcome);
    default:
      return shown("unknown", String(state), "quiet"); // a newer server's
  }
}

export function workerState(theme: Theme, { state }: Pick<Worker, "state">): Shown {
  const shown = (glyph: keyof typeof GLYPHS, tone: Tone, word: string = state): Shown => ({
    glyph: glyphOf(theme, glyph),
    word,
    short: "",
    tone,
  });
  switch (state) {
    case "healthy":
      return shown("live", "live");
    case "building":
    case "starting":
      return shown("passing", "live");
    case "degraded":
      return shown("attention", "attention");
    case "paused":
      return shown("quiet", "quiet");
    case "stopped":
      return shown("unknown", "quiet");
    case "failed":
    case "unhealthy":
      return shown("bad", "bad");
    case "crash_looping":
      return shown("bad", "bad", "crashes");
    default:
      return shown("unknown", "quiet", String(state)); // a newer server's
  }
}

export function instanceState(theme: Theme, state: WorkerInstance["state"]): Shown {
  const shown = (glyph: keyof typeof GLYPHS, tone: Tone): Shown => ({
    glyph: glyphOf(theme, glyph),
    word: String(state),
    short: "",
    tone,
  });
  switch (state) {
    case "healthy":
      return shown("live", "live");
    case "starting":
    case "running":
      return shown("passing", "live");
    case "unhealthy":
      return shown("bad", "bad");
    default:
      return shown("unknown", "quiet"); // standby, draining, stopped: it gets no new requests
  }
}

export function runState(theme: Theme, { state, outcome }: Pick<Run, "state" | "outcome">): Shown {
  switch (state) {
    case "starting":
      return { glyph: glyphOf(theme, "passing"), word: "starting", short: "", tone: "live" };
    case "running":
      return { glyph: glyphOf(theme, "live"), word: "working", short: "", tone: "live" };
    case "stopping":
      return { glyph: glyphOf(theme, "passing"), word: "stopping", short: "", tone: "live" };
    case "ended":
      return ended(theme, outcome);
    default:
      return { glyph: glyphOf(theme, "unknown"), word: state, short: "", tone: "quiet" };
  }
}

function ended(theme: Theme, outcome: Run["outcome"]): Shown {
  if (outcome === null) return { glyph: glyphOf(theme, "unknown"), word: "ended", short: "", tone: "quiet" };
  switch (outcome.kind) {
    case "exited": {
      if (outcome.status === 0) return { glyph: glyphOf(theme, "good"), word: "done", short: "", tone: "good" };
      const short = `(${outcome.status})`;
      return { glyph: glyphOf(theme, "bad"), word: `failed ${short}`, short, tone: "bad" };
    }
    case "signalled": {
      const wasAsked = outcome.by === "user" || outcome.by === "stop";
      return {
        glyph: glyphOf(theme, "killed"),
        word: wasAsked ? "stopped" : "killed",
        short: "",
        tone: wasAsked ? "quiet" : "bad",
      };
    }
    case "lost":
      return { glyph: glyphOf(theme, "killed"), word: "lost", short: "", tone: "bad" };
    default:
      return unreachable(outcome);
  }
}
