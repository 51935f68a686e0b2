import { type ReactNode, useMemo } from "react";
import { type Kind, type Row, rowsOf } from "../model/rows.ts";
import { ConversationPage } from "./ConversationPage.tsx";
import { JobPage } from "./JobPage.tsx";
import { TerminalPage } from "./TerminalPage.tsx";
import { UnitHead } from "./UnitHead.tsx";
import { WorkerPage } from "./WorkerPage.tsx";
import { useHome } from "./world.ts";

/** One unit, by what it is. */
export function UnitPage({ kind, id }: { kind: Kind; id: string }): ReactNode {
  const home = useHome();
  const row = useMemo(() => rowsOf(home).find(({ key }) => key === `${kind}/${id}`), [home, kind, id]);
  if (!row) return <Gone kind={kind} isAsking={home.confirmedMs === undefined} />;
  return (
    <article className={`unit unit-${kind}`} aria-label={row.name}>
      <UnitHead row={row} />
      <Body row={row} />
    </article>
  );
}

function Body({ row: { unit } }: { row: Row }): ReactNode {
  switch (unit.kind) {
    case "session":
      return <TerminalPage session={unit.session} />;
    case "agent":
      return <ConversationPage session={unit.session} />;
    case "job":
      return <JobPage job={unit.job} />;
    case "worker":
      return <WorkerPage worker={unit.worker} />;
  }
}

function Gone({ kind, isAsking }: { kind: Kind; isAsking: boolean }): ReactNode {
  return (
    <div className="empty">
      {isAsking ? (
        <p>Asking the server for it.</p>
      ) : (
        <>
          <h1>It is not here any more</h1>
          <p>
            The {kind} has ended or was removed. <a href="#/">All units</a>
          </p>
        </>
      )}
    </div>
  );
}
