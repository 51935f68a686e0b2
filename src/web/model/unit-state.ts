import type { Worker } from "../../protocol/gateway-units.ts";
import type { Job, Session } from "../../protocol/units.ts";

/** How a unit is, as it is said everywhere: a glyph, a word, and a tone, none of which stands alone. */
export interface UnitState {
  glyph: string;
  word: string;
  tone: "live" | "attention" | "quiet" | "good" | "bad";
}

const working: UnitState = { glyph: "◉", word: "working", tone: "live" };
const starting: UnitState = { glyph: "◐", word: "starting", tone: "live" };
const needsYou: UnitState = { glyph: "◆", word: "needs you", tone: "attention" };
const idle: UnitState = { glyph: "○", word: "idle", tone: "quiet" };
const unknown: UnitState = { glyph: "◌", word: "unknown", tone: "quiet" };
const done: UnitState = { glyph: "✓", word: "done", tone: "good" };

export function stateOfJob({ state, outcome, ready, stuck }: Job): UnitState {
  switch (state) {
    case "created":
      return { ...idle, word: "not started" };
    case "waiting":
      return { ...starting, word: "waiting" };
    case "starting":
      return starting;
    case "stopping":
      return { ...starting, word: "stopping" };
    case "running":
      if (stuck) return { ...needsYou, word: "stuck" };
      return ready === false ? starting : working;
    case "ended":
      return stateOfEnd(outcome);
  }
}

export function stateOfSession({ state, outcome }: Session): UnitState {
  switch (state) {
    case "starting":
      return starting;
    case "working":
      return working;
    case "needs_you":
      return needsYou;
    case "idle":
      return idle;
    case "saved":
      return { ...unknown, word: "saved" };
    case "ended":
      return stateOfEnd(outcome);
    default:
      return unknown; // of a newer server
  }
}

const WORKER_STATES: Readonly<Record<Worker["state"], UnitState>> = {
  building: { ...starting, word: "building" },
  starting,
  healthy: { ...idle, word: "healthy" },
  degraded: { ...needsYou, word: "degraded" },
  unhealthy: { glyph: "✗", word: "unhealthy", tone: "bad" },
  failed: { glyph: "✗", word: "failed", tone: "bad" },
  paused: { ...unknown, word: "paused" },
  stopped: { ...unknown, word: "stopped" },
  crash_looping: { glyph: "✗", word: "crash looping", tone: "bad" },
};

export const stateOfWorker = ({ state }: Worker): UnitState => WORKER_STATES[state] ?? unknown;

/** Of a sealed record, which says the state's name alone (CONTRACT §7). */
export function stateOfRecord(state: string): UnitState {
  switch (state) {
    case "running":
      return working;
    case "needs_you":
      return needsYou;
    case "created":
      return { ...idle, word: "not started" };
    case "waiting":
    case "starting":
    case "stopping":
      return { ...starting, word: state };
    case "working":
      return working;
    case "idle":
      return idle;
    case "saved":
      return { ...unknown, word: "saved" };
    case "ended":
      return { ...unknown, word: "ended" }; // how, it does not say
    default:
      return WORKER_STATES[state as Worker["state"]] ?? unknown;
  }
}

function stateOfEnd(outcome: Job["outcome"]): UnitState {
  switch (outcome?.kind) {
    case "exited":
      return outcome.status === 0 ? done : { glyph: "✗", word: `failed (${outcome.status})`, tone: "bad" };
    case "signalled": {
      const isWanted = outcome.by === "user" || outcome.by === "stop";
      return {
        glyph: "◼",
        word: isWanted ? "stopped" : `killed (${outcome.signal})`,
        tone: isWanted ? "quiet" : "bad",
      };
    }
    case "lost":
      return { glyph: "◼", word: "lost", tone: "bad" };
    default:
      return done;
  }
}
