import { type ReactNode, Suspense, useRef, useState } from "react";
import { freshness } from "../model/fleet.ts";
import { hashOfKey } from "../model/route.ts";
import type { Row } from "../model/rows.ts";
import { age } from "../model/text.ts";
import { HubBadge } from "./HubBadge.tsx";
import { OfMachine } from "./OfMachine.tsx";
import { RowActions } from "./pages.tsx";
import { useSwipe } from "./swipe.ts";
import { useApp } from "./world.ts";

/** One unit: what it is and how it is, what it does or asks, since when; and on which machine, by which hub, where there are several. */
export function UnitRow({ row, nowMs, isSelected }: { row: Row; nowMs: number; isSelected: boolean }): ReactNode {
  const { key, icon, name, state, detail, project, sinceMs, kind, machineName, hub, asOfMs } = row;
  const { opening } = useApp();
  const onClick = (): void => {
    opening.wantsFocus = !matchMedia("(pointer: coarse)").matches; // there it would bring up the keyboard
  };
  const item = useRef<HTMLLIElement>(null);
  const [isArmed, setArmed] = useState(false);
  const putAway = (): void => setArmed(false);
  useSwipe(item, { onLeft: () => setArmed(true), onRight: putAway });
  return (
    <li ref={item}>
      <a
        className={asOfMs === undefined ? "row" : "row stale"}
        href={hashOfKey(key)}
        data-key={key}
        aria-current={isSelected ? "page" : undefined}
        onClick={onClick}
      >
        <span className="icon" aria-hidden="true">
          {icon}
        </span>
        <span className="name">
          <b>{name}</b> <span className="kind">{machineName === undefined ? kind : `${kind} on ${machineName}`}</span>
          <HubBadge label={hub} />
        </span>
        <span className={`state tone-${state.tone}`}>
          <span aria-hidden="true">{state.glyph}</span> {state.word}
        </span>
        <span className="line">
          <span className="detail">
            {detail}
            {project !== "" && <span className="project"> · {project}</span>}
          </span>
          <span className="age">{asOfMs === undefined ? age(sinceMs, nowMs) : freshness(asOfMs, nowMs)}</span>
        </span>
      </a>
      {isArmed && (
        <OfMachine id={row.machine}>
          <Suspense>
            <RowActions row={row} onDone={putAway} />
          </Suspense>
        </OfMachine>
      )}
    </li>
  );
}
