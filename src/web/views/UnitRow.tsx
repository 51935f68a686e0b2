import type { ReactNode } from "react";
import type { Row } from "../model/rows.ts";
import { age } from "../model/text.ts";
import { useWorld } from "./world.ts";

/** One unit: what it is and how it is, what it does or asks, since when. */
export function UnitRow({ row, nowMs, isSelected }: { row: Row; nowMs: number; isSelected: boolean }): ReactNode {
  const { key, icon, name, state, detail, project, sinceMs, unit } = row;
  const href = `#/${key.split("/").map(encodeURIComponent).join("/")}`;
  const { opening } = useWorld();
  const onClick = (): void => {
    opening.wantsFocus = !matchMedia("(pointer: coarse)").matches; // there it would bring up the keyboard
  };
  return (
    <li>
      <a className="row" href={href} data-key={key} aria-current={isSelected ? "page" : undefined} onClick={onClick}>
        <span className="icon" aria-hidden="true">
          {icon}
        </span>
        <span className="name">
          <b>{name}</b> <span className="kind">{unit.kind}</span>
        </span>
        <span className={`state tone-${state.tone}`}>
          <span aria-hidden="true">{state.glyph}</span> {state.word}
        </span>
        <span className="detail">
          {detail}
          {project !== "" && <span className="project"> · {project}</span>}
        </span>
        <span className="age">{age(sinceMs, nowMs)}</span>
      </a>
    </li>
  );
}
