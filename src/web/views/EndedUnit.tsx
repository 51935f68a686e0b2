import type { ReactNode } from "react";
import { quoteWord } from "../../protocol/quote-word.ts";
import { idOf, type Row } from "../model/rows.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { useEnded } from "./ended.ts";

/** The page of a session that the list does not have: as it ended, where that is known. @param children where it is not */
export function EndedUnit({
  id,
  show,
  children,
}: {
  id: string;
  show: (row: Row) => ReactNode;
  children: ReactNode;
}): ReactNode {
  const row = useEnded()?.find(({ unit }) => idOf(unit) === id);
  return row ? show(row) : children;
}

/** A terminal that is over has no screen any more; its journal is read in a terminal. */
export function EndedTerminal({ row: { name, detail, machineName } }: { row: Row }): ReactNode {
  const where = machineName === undefined ? "" : `      # on ${quoteWord(machineName)}`;
  return (
    <div className="scroll">
      <p>Its program has ended: {detail}</p>
      <p className="project">What it has shown, and how it goes on:</p>
      <CopyCommand command={`warren history ${name}${where}`} />
      <CopyCommand command={`warren resume ${name}${where}`} />
    </div>
  );
}
