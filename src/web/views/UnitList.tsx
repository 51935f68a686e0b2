import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { filterRows, type Kind, type Row } from "../model/rows.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { NoMachine } from "./NoMachine.tsx";
import { usePull } from "./pull.ts";
import { UnitRow } from "./UnitRow.tsx";
import { useApp, useFleet, useNow } from "./world.ts";

const KINDS: readonly { kind: Kind | "all"; label: string }[] = [
  { kind: "all", label: "All" },
  { kind: "agent", label: "Agents" },
  { kind: "session", label: "Sessions" },
  { kind: "job", label: "Jobs" },
  { kind: "worker", label: "Workers" },
];
/** As in the style sheet. */
const ROW_PX = 60;
/** Rows that are drawn above and below what is seen. */
const MARGIN_ROWS = 8;

interface UnitListProps {
  rows: readonly Row[];
  selectedKey: string | undefined;
  /** Of the whole list, while `rows` are its first ones and the others are still being looked up. */
  wholeCount?: number | undefined;
}

/** Every unit, of which only what is seen is drawn: twenty thousand cost what twenty do. */
export function UnitList({ rows, selectedKey, wholeCount }: UnitListProps): ReactNode {
  const [search, setSearch] = useState("");
  const [kind, setKind] = useState<Kind | "all">("all");
  const shown = useMemo(() => filterRows(rows, { search, kind }), [rows, search, kind]);
  return (
    <section className="list" aria-label="Units">
      <div className="find">
        <input
          id="search"
          type="search"
          value={search}
          placeholder="Search"
          aria-label="Search units"
          autoComplete="off"
          onChange={({ target }) => setSearch(target.value)}
          onKeyDown={({ key, currentTarget }) => key === "Escape" && currentTarget.blur()}
        />
        <fieldset className="kinds">
          <legend className="unseen">Kind</legend>
          {KINDS.map((one) => (
            <button key={one.kind} type="button" aria-pressed={kind === one.kind} onClick={() => setKind(one.kind)}>
              {one.label}
            </button>
          ))}
        </fieldset>
      </div>
      {shown.length > 0 ? (
        <Rows
          rows={shown}
          selectedKey={selectedKey}
          wholeCount={shown.length === rows.length ? wholeCount : undefined}
        />
      ) : (
        <Nothing hasRows={rows.length > 0} />
      )}
    </section>
  );
}

function Rows({ rows, selectedKey, wholeCount }: UnitListProps): ReactNode {
  const nowMs = useNow();
  const box = useRef<HTMLUListElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 800 });
  useEffect(() => {
    const element = box.current!;
    const look = (): void => setSeen({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);
  const { remote, fleet } = useApp();
  const askAll = useCallback(() => (remote ? remote.askAll() : fleet.hurry()), [remote, fleet]);
  const pull = usePull(box, askAll);
  const count = wholeCount ?? rows.length;
  const from = Math.max(0, Math.floor(seen.top / ROW_PX) - MARGIN_ROWS);
  const to = Math.min(rows.length, Math.ceil((seen.top + seen.height) / ROW_PX) + MARGIN_ROWS);
  return (
    <>
      {pull !== "none" && (
        <p className="words pull" aria-hidden="true">
          {pull === "enough" ? "◐ Let go: every hub is asked" : "Pull to ask every hub"}
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls has to be reachable by keys */}
      <ul className="rows" ref={box} tabIndex={0} aria-label={`${count} units`} aria-busy={wholeCount !== undefined}>
        <li aria-hidden="true" className="room" style={{ height: from * ROW_PX }} />
        {rows.slice(from, to).map((row) => (
          <UnitRow key={row.key} row={row} nowMs={nowMs} isSelected={row.key === selectedKey} />
        ))}
        <li aria-hidden="true" className="room" style={{ height: (count - to) * ROW_PX }} />
      </ul>
    </>
  );
}

function Nothing({ hasRows }: { hasRows: boolean }): ReactNode {
  const { machines } = useFleet();
  if (hasRows) return <p className="empty">Nothing is called so.</p>;
  if (machines.size === 0) return <NoMachine />;
  if ([...machines.values()].some(({ home }) => home.way.kind === "connecting"))
    return <p className="empty">Asking what runs.</p>;
  return (
    <div className="empty">
      <p>Sessions, agents, jobs and workers stand here. In a terminal:</p>
      <CopyCommand command="warren new" />
      <p>
        or <a href="#/new">start one from here</a>
      </p>
    </div>
  );
}
