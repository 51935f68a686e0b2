import type { ReactNode } from "react";
import { hashOfKey } from "../model/route.ts";
import type { Row } from "../model/rows.ts";
import { ActionButton } from "./UnitHead.tsx";
import { unitActions } from "./unit-actions.ts";
import { useHome, useWorld } from "./world.ts";

/** What a row that was drawn to the left offers: nothing is done before it is tapped, and what ends something asks once more. */
export function RowActions({ row, onDone }: { row: Row; onDone: () => void }): ReactNode {
  const world = useWorld();
  useHome();
  const stop = unitActions(world, row).find(({ label }) => label.startsWith("Stop"));
  return (
    <fieldset className="row-actions">
      <legend className="unseen">{row.name}</legend>
      {row.needsYou && (
        <a className="button primary" href={hashOfKey(row.key)}>
          Answer
        </a>
      )}
      {stop ? (
        <ActionButton
          action={{ ...stop, question: stop.question ?? `Stop ${row.name}?`, run: () => stop.run().then(onDone) }}
        />
      ) : (
        !row.needsYou && <span className="project">Nothing of it can be stopped now.</span>
      )}
      <button type="button" className="quiet" aria-label="Put away" onClick={onDone}>
        ×
      </button>
    </fieldset>
  );
}
