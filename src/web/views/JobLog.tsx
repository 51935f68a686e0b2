import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Job } from "../../protocol/units.ts";
import { type LogLine, withPieces } from "../model/log.ts";
import { followLog } from "../store/job-log.ts";
import { useHome, useWorld } from "./world.ts";

/** What its last run has written, as text, and what it writes. */
export function JobLog({ job }: { job: Job }): ReactNode {
  const { feed } = useWorld();
  const isThere = useHome().way.kind === "live";
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  const [failed, setFailed] = useState<string>();
  const box = useFollowedLog(lines);
  const { id, run_id } = job;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another run is another log
  useEffect(() => {
    const over = new AbortController();
    setLines([]);
    setFailed(undefined);
    void followLog({
      client: feed.client,
      job: id,
      signal: over.signal,
      onPieces: (pieces) => setLines((now) => withPieces(now, pieces)),
      onFailed: setFailed,
    });
    return () => over.abort();
  }, [feed, id, run_id]);
  return (
    <section className="log" aria-label="Log">
      <h2>Log</h2>
      {failed !== undefined && <p className="words tone-bad">✗ {failed}</p>}
      {lines.length === 0 ? (
        <p className="words">{nothingYet(job, isThere)}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys
        <pre tabIndex={0} ref={box}>
          {lines.map(({ key, kind, text }) => (
            <span key={key} className={`line ${kind}`}>
              {text}
              {"\n"}
            </span>
          ))}
        </pre>
      )}
    </section>
  );
}

function nothingYet({ state }: Job, isThere: boolean): string {
  if (!isThere) return "What it has written can be read when its machine is there.";
  return state === "running" ? "It has written nothing so far." : "It wrote nothing.";
}

/** At the end, unless somebody has scrolled up. */
function useFollowedLog(lines: readonly LogLine[]): React.RefObject<HTMLPreElement | null> {
  const box = useRef<HTMLPreElement>(null);
  const shown = useRef(0);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const isAtEnd = shown.current - element.scrollTop - element.clientHeight < 40;
    if (shown.current === 0 || isAtEnd) element.scrollTop = element.scrollHeight;
    shown.current = lines.length === 0 ? 0 : element.scrollHeight;
  }, [lines]);
  return box;
}
