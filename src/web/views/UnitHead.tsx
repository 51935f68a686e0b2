import { type ReactNode, useState } from "react";
import { freshness } from "../model/fleet.ts";
import type { Row } from "../model/rows.ts";
import { type UnitAction, unitActions } from "./unit-actions.ts";
import { useUse } from "./unit-use.ts";
import { useDo, useHome, useIsWide, useNow, useWorld } from "./world.ts";

/** Its name, how it is, and what can be done with it. What cannot be taken back asks once. */
export function UnitHead({ row }: { row: Row }): ReactNode {
  const isWide = useIsWide();
  const world = useWorld();
  useHome(); // what can be done changes with the way to its machine
  const use = useUse(row);
  const nowMs = useNow();
  const { name, icon, state, project, kind, machineName, asOfMs } = row;
  return (
    <header className="unit-head">
      {!isWide && (
        <a className="back" href="#/" aria-label="Back to all units">
          ‹
        </a>
      )}
      <h1>
        <span aria-hidden="true">{icon}</span> {name}
      </h1>
      <p className={`state tone-${state.tone}`}>
        <span aria-hidden="true">{state.glyph}</span> {state.word}
      </p>
      <p className="where">
        {[
          machineName === undefined ? kind : `${kind} on ${machineName}`,
          project,
          use,
          asOfMs === undefined ? "" : freshness(asOfMs, nowMs),
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      <div className="actions">
        {unitActions(world, row).map((action) => (
          <ActionButton key={action.label} action={action} />
        ))}
      </div>
    </header>
  );
}

export function ActionButton({ action }: { action: UnitAction }): ReactNode {
  const [state, setState] = useState<"ready" | "sure" | "busy">("ready");
  const perform = useDo();
  const { label, question, done, run } = action;
  const click = async (): Promise<void> => {
    if (question !== undefined && state === "ready") return setState("sure");
    setState("busy");
    await perform(done, run);
    setState("ready");
  };
  return (
    <button
      type="button"
      className={state === "sure" ? "danger" : ""}
      disabled={state === "busy"}
      onClick={() => void click()}
      onBlur={() => state === "sure" && setState("ready")}
    >
      {state === "sure" ? question : state === "busy" ? `${label} …` : label}
    </button>
  );
}
