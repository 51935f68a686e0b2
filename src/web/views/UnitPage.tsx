import type { ReactNode } from "react";
import { freshness } from "../model/fleet.ts";
import { idOf, type Kind, type Row } from "../model/rows.ts";
import type { SpokenTo } from "./ConversationPage.tsx";
import { EndedTerminal, EndedUnit } from "./EndedUnit.tsx";
import { Facts } from "./Facts.tsx";
import { JobPage } from "./JobPage.tsx";
import { ConversationPage } from "./pages.tsx";
import { TerminalPage } from "./TerminalPage.tsx";
import { UnitHead } from "./UnitHead.tsx";
import { WorkerPage } from "./WorkerPage.tsx";
import { useHome, useNow } from "./world.ts";

/** One unit, by what it is. @param row undefined: it is not in the list (yet, or any more) */
export function UnitPage({ row, kind, id }: { row: Row | undefined; kind: Kind; id: string }): ReactNode {
  const isAsking = useHome().confirmedMs === undefined;
  if (row) return <Shown row={row} />;
  const gone = <Gone kind={kind} isAsking={isAsking} />;
  if (kind === "job" || kind === "worker") return gone;
  return (
    <EndedUnit id={id} show={(ended) => <Shown row={ended} isOver />}>
      {gone}
    </EndedUnit>
  );
}

/** @param isOver the list does not have it any more */
function Shown({ row, isOver = false }: { row: Row; isOver?: boolean }): ReactNode {
  const { kind } = row;
  const { way } = useHome();
  return (
    <article className={`unit unit-${kind}`} aria-label={row.name}>
      <UnitHead row={row} />
      {way.kind === "away" && way.why !== undefined && <p className="words">◌ {way.why}</p>}
      <Body row={row} isOver={isOver} />
    </article>
  );
}

function Body({ row, isOver }: { row: Row; isOver: boolean }): ReactNode {
  const { unit } = row;
  switch (unit.kind) {
    case "session":
      return isOver ? <EndedTerminal row={row} /> : <TerminalPage session={unit.session} />;
    case "agent":
      return <ConversationPage session={unit.session} />;
    case "job":
      return <JobPage job={unit.job} />;
    case "worker":
      return <WorkerPage worker={unit.worker} />;
    case "recorded":
      return row.kind === "agent" ? <ConversationPage session={spokenTo(row)} /> : <Recorded row={row} />;
  }
}

function spokenTo({ unit, name }: Row): SpokenTo {
  const isRunning = unit.kind === "recorded" && !["ended", "saved"].includes(unit.record.state);
  return { id: idOf(unit), name, status: isRunning ? "running" : "stopped", workdir: "" };
}

/** Its machine is away, and has left no more of it than this. */
function Recorded({ row: { state, detail, machineName, asOfMs } }: { row: Row }): ReactNode {
  const nowMs = useNow();
  return (
    <div className="scroll">
      <Facts
        facts={[
          ["State", state.word],
          ["Says", detail],
          ["Machine", machineName],
          ["Known since", asOfMs === undefined ? undefined : freshness(asOfMs, nowMs)],
        ]}
      />
      <p className="empty">The rest of it can be seen when its machine is there.</p>
    </div>
  );
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
            The {kind} has ended or was removed. <a href="#/">All units</a> · <a href="#/ended">Ended</a>
          </p>
        </>
      )}
    </div>
  );
}
