import { runCommand } from "./commands.ts";
import { selectBest } from "./find.ts";
import { helpLines } from "./help.ts";
import { clampTop } from "./list.ts";
import { WRITTEN_CHARACTERS_MAX } from "./mail.ts";
import { sendWritten } from "./mail-verbs.ts";
import { chain, type Model, type Overlay, type Step, type TextInput } from "./model.ts";
import { paletteMatches } from "./palette.ts";
import { beginSearch, endSearch } from "./search.ts";
import { reloadServer } from "./session-verbs.ts";
import { edit, INPUT_CHARACTERS_MAX, insert } from "./text-input.ts";
import { select } from "./units.ts";

/** What stands over the panels takes all keys while it is there; escape closes it. */

export function overlayKey(model: Model, overlay: Overlay, key: string): Step {
  if (key === "ctrl-c") return closed(model);
  switch (overlay.kind) {
    case "help":
      return scrolled(model, overlay, key, helpLines(model).length);
    case "report":
      return scrolled(model, overlay, key, overlay.lines.length);
    case "new-job":
      return newJobKey(model, overlay, key);
    case "rename":
      return renameKey(model, overlay, key);
    case "search":
      return searchKey(model, overlay, key);
    case "write":
      return writeKey(model, overlay, key);
    case "palette":
      return paletteKey(model, overlay, key);
  }
}

export function overlayPaste(model: Model, overlay: Overlay, text: string): Step {
  if (!("input" in overlay)) return [model, []];
  return withInput(model, overlay, insert(overlay.input, text.trimEnd(), charactersMaxOf(overlay)));
}

/** Rows of text that help and reports show at once. */
export const overlayRows = (model: Model): number => Math.max(1, model.rows - 6);

const closed = (model: Model): Step => [{ ...model, overlay: null }, []];

function scrolled(model: Model, overlay: Extract<Overlay, { top: number }>, key: string, count: number): Step {
  const rows = overlayRows(model);
  const steps: Record<string, number> = {
    j: 1,
    down: 1,
    k: -1,
    up: -1,
    pgdn: rows,
    "ctrl-d": rows,
    space: rows,
    pgup: -rows,
    "ctrl-u": -rows,
    g: -count,
    G: count,
  };
  const by = steps[key];
  if (by === undefined) return closed(model);
  return [{ ...model, overlay: { ...overlay, top: clampTop(overlay.top + by, rows, count) } }, []];
}

function newJobKey(model: Model, overlay: Overlay & { kind: "new-job" }, key: string): Step {
  if (key === "esc") return closed(model);
  if (key !== "enter") return edited(model, overlay, key);
  const commandLine = overlay.input.text.trim();
  if (commandLine === "") return closed(model);
  return [{ ...model, overlay: null }, [{ kind: "perform", verb: { verb: "add", commandLine }, label: "" }]];
}

function renameKey(model: Model, overlay: Overlay & { kind: "rename" }, key: string): Step {
  if (key === "esc") return closed(model);
  if (key !== "enter") return edited(model, overlay, key);
  const name = overlay.input.text.trim();
  if (name === "" || name === overlay.name) return closed(model);
  const verb = { verb: "session-rename", id: overlay.id, name } as const;
  return [{ ...model, overlay: null }, [{ kind: "perform", verb, label: overlay.name }]];
}

function writeKey(model: Model, overlay: Overlay & { kind: "write" }, key: string): Step {
  if (key === "esc") return closed(model);
  return key === "enter" ? sendWritten(model, overlay) : edited(model, overlay, key);
}

/** `/reload` is what one types in an agent's conversation, so it is no search here either. */
const RELOAD = "reload";

function searchKey(model: Model, overlay: Overlay & { kind: "search" }, key: string): Step {
  const goBack = (current: Model): Step =>
    overlay.panel === "units" ? select(current, overlay.fromId) : [current, []];
  if (key === "esc") return chain(model, goBack, endSearch);
  const isReload = overlay.panel === "units" && overlay.input.text === RELOAD;
  if (key === "enter" && isReload) return chain(model, goBack, endSearch, reloadServer);
  if (key === "enter") return beginSearch(model, overlay.panel, overlay.input.text);
  return edited(model, overlay, key);
}

function paletteKey(model: Model, overlay: Overlay & { kind: "palette" }, key: string): Step {
  const matches = paletteMatches(model, overlay.input.text);
  const moved = (by: number): Step => {
    const index = Math.max(0, Math.min(matches.length - 1, overlay.index + by));
    return [{ ...model, overlay: { ...overlay, index } }, []];
  };
  switch (key) {
    case "esc":
      return closed(model);
    case "up":
    case "ctrl-p":
      return moved(-1);
    case "down":
    case "ctrl-n":
      return moved(1);
    case "enter": {
      const command = matches[overlay.index];
      const next = { ...model, overlay: null };
      return command ? runCommand(next, command) : [next, []];
    }
    default: {
      const input = edit(overlay.input, key);
      return input ? [{ ...model, overlay: { ...overlay, input, index: 0 } }, []] : [model, []];
    }
  }
}

function edited(model: Model, overlay: Extract<Overlay, { input: TextInput }>, key: string): Step {
  const input = edit(overlay.input, key, charactersMaxOf(overlay));
  return input ? withInput(model, overlay, input) : [model, []];
}

const charactersMaxOf = ({ kind }: Overlay): number =>
  kind === "write" ? WRITTEN_CHARACTERS_MAX : INPUT_CHARACTERS_MAX;

function withInput(model: Model, overlay: Extract<Overlay, { input: TextInput }>, input: TextInput): Step {
  const next = overlay.kind === "palette" ? { ...overlay, input, index: 0 } : { ...overlay, input };
  const typed: Model = { ...model, overlay: next };
  return next.kind === "search" && next.panel === "units" ? selectBest(typed, input.text) : [typed, []];
}
