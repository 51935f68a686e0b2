import { type ReactNode, useMemo } from "react";
import { type DiffLine, diffLines } from "../model/diff.ts";
import { shortPath } from "../model/text.ts";

const SIGNS = { same: " ", added: "+", removed: "-" } as const;
const CONTEXT_LINES = 3;

/** What changes in a file, with the words that differ marked; far from changes lines are left out. */
export function Diff({ path, before, after }: { path: string; before: string; after: string }): ReactNode {
  const lines = useMemo(() => nearChanges(diffLines(before, after)), [before, after]);
  return (
    <figure className="diff">
      <figcaption>{shortPath(path, 60)}</figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys */}
      <pre tabIndex={0}>
        {lines.map((line, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they have no name and keep their places
          <Line key={at} line={line} />
        ))}
      </pre>
    </figure>
  );
}

function Line({ line }: { line: DiffLine | "gap" }): ReactNode {
  if (line === "gap") return <span className="line gap">…</span>;
  return (
    <span className={`line ${line.kind}`}>
      {SIGNS[line.kind]}{" "}
      {line.parts.map(({ text, isChanged }, at) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: they have no name and keep their places
        isChanged ? <mark key={at}>{text}</mark> : <span key={at}>{text}</span>,
      )}
    </span>
  );
}

function nearChanges(lines: readonly DiffLine[]): (DiffLine | "gap")[] {
  const near = new Set<number>();
  for (const [at, { kind }] of lines.entries())
    if (kind !== "same") for (let by = -CONTEXT_LINES; by <= CONTEXT_LINES; by++) near.add(at + by);
  const result: (DiffLine | "gap")[] = [];
  for (const [at, line] of lines.entries()) {
    if (near.has(at)) result.push(line);
    else if (result.at(-1) !== "gap") result.push("gap");
  }
  return result;
}
