import { type ReactNode, useMemo, useState } from "react";
import { hashOfKey, keyOfUnit } from "../model/route.ts";
import { filterRows, type Row } from "../model/rows.ts";
import { Dialog } from "./Dialog.tsx";
import { unitActions } from "./unit-actions.ts";
import { go, useApp, useDo, useRoute } from "./world.ts";

interface Line {
  key: string;
  label: string;
  detail: string;
  run: () => void;
}

const LINES_MAX = 30;
const PAGES = [
  ["inbox", "Inbox"],
  ["mail", "Mail"],
  ["new", "New session"],
  ["hubs", "Hubs"],
  ["devices", "Devices"],
  ["outbox", "Outbox"],
  ["settings", "Settings"],
  ["pair", "Pair with a machine"],
] as const;

/** Goes to any unit or page, and does with the open unit what can be done. */
export function Palette({ rows, onClose }: { rows: readonly Row[]; onClose: () => void }): ReactNode {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const lines = useLines(rows, text);
  const run = (line: Line | undefined): void => {
    onClose();
    line?.run();
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by !== 0) {
      event.preventDefault();
      setAt((now) => Math.min(lines.length - 1, Math.max(0, now + by)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(lines[at]);
    }
  };
  return (
    <Dialog label="Palette" onClose={onClose}>
      <input
        className="palette-input"
        value={text}
        placeholder="Go to a unit, or do something"
        role="combobox"
        aria-label="Go to a unit, or do something"
        aria-expanded="true"
        aria-controls="palette-lines"
        aria-activedescendant={lines[at] ? `line-${at}` : undefined}
        autoComplete="off"
        onChange={({ target }) => {
          setText(target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id="palette-lines" role="listbox" aria-label="Matches" className="palette-lines">
        {lines.map((line, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus, and says which one is meant
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field's keys choose
          <div key={line.key} id={`line-${index}`} role="option" aria-selected={index === at} onClick={() => run(line)}>
            {line.label} <span className="project">{line.detail}</span>
          </div>
        ))}
        {lines.length === 0 && <p className="empty">Nothing is called so.</p>}
      </div>
    </Dialog>
  );
}

function useLines(rows: readonly Row[], text: string): Line[] {
  const app = useApp();
  const route = useRoute();
  const perform = useDo();
  return useMemo(() => {
    const open = route.page === "unit" ? rows.find(({ key }) => key === keyOfUnit(route)) : undefined;
    const place = open && app.fleet.place(open.machine);
    const actions = place
      ? unitActions({ ...app, ...place }, open).map(({ label, question, done, run }) => ({
          key: `do ${label}`,
          label: `${label} ${open.name}`,
          detail: question ?? "",
          run: () => void perform(done, run),
        }))
      : [];
    const pages = PAGES.map(([page, label]) => ({
      key: page,
      label,
      detail: "",
      run: () => go({ page }),
    }));
    const word = text.trim().toLowerCase();
    const fitting = [...actions, ...pages].filter(({ label }) => label.toLowerCase().includes(word));
    const units = filterRows(rows, { search: text, kind: "all" }).map(
      ({ key, icon, name, state, project, machineName }) => ({
        key,
        label: `${icon} ${name}`,
        detail: [state.word, project, machineName].filter(Boolean).join(" · "),
        run: () => {
          location.hash = hashOfKey(key);
        },
      }),
    );
    // What does something is chosen by its name alone, never by an enter too many.
    return word === "" ? [...pages, ...units].slice(0, LINES_MAX) : [...fitting, ...units].slice(0, LINES_MAX);
  }, [rows, text, app, route, perform]);
}
