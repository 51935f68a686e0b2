import type { ReactNode } from "react";
import { CopyCommand } from "./CopyCommand.tsx";
import { useEnded } from "./ended.ts";
import { type ShownMachine, useMachines } from "./machines.ts";
import { OfMachine } from "./OfMachine.tsx";
import { UnitRow } from "./UnitRow.tsx";
import { useNow } from "./world.ts";

/** Sessions that are over, of every machine, as `warren sessions --all` shows them; of one that is away, the conversations that it has left. */
export function EndedPage(): ReactNode {
  return (
    <div className="scroll">
      <h1>Ended</h1>
      <p className="project">Sessions that are over. What was said with an agent can be read as long as it is kept.</p>
      {useMachines().map((machine) => (
        <OfMachine key={machine.id} id={machine.id}>
          <OnMachine machine={machine} />
        </OfMachine>
      ))}
    </div>
  );
}

function OnMachine({ machine: { name, isLive } }: { machine: ShownMachine }): ReactNode {
  const rows = useEnded();
  const nowMs = useNow();
  return (
    <section aria-label={`Ended on ${name}`}>
      <h2>{name === "this machine" ? "This machine" : name}</h2>
      {!isLive && <p className="words">◌ It is away: what it has left of conversations is here, and nothing else.</p>}
      {rows === undefined && <p className="words">Asking {name} what has ended.</p>}
      {rows?.length === 0 && <p className="empty">Nothing that has ended is kept here.</p>}
      {rows !== undefined && rows.length > 0 && (
        <ul className="ended" aria-label={`${rows.length} ended`}>
          {rows.map((row) => (
            <UnitRow key={row.key} row={row} nowMs={nowMs} isSelected={false} />
          ))}
        </ul>
      )}
      {isLive && rows !== undefined && rows.length > 0 && (
        <CopyCommand command="warren resume NAME      # goes on with one" />
      )}
    </section>
  );
}
