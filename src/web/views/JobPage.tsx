import { type ReactNode, useEffect, useState } from "react";
import type { DataOf } from "../../protocol/messages.ts";
import type { Job } from "../../protocol/units.ts";
import { LOCAL } from "../model/rows.ts";
import { duration, shortPath } from "../model/text.ts";
import { Facts } from "./Facts.tsx";
import { JobLog } from "./JobLog.tsx";
import { useHome, useWorld } from "./world.ts";

/** How a job is: facts, how it came about, and what it wrote last. */
export function JobPage({ job }: { job: Job }): ReactNode {
  const { machine } = useWorld();
  const why = useWhy(job);
  return (
    <div className="scroll">
      <Facts
        facts={[
          ["Command", <code key="c">{job.command.join(" ")}</code>],
          ["Directory", shortPath(job.workdir, 60)],
          ["Ports", portLinks(job, machine.id === LOCAL)],
          ["Runs", `${job.run_count}${job.failure_count > 0 ? `, ${job.failure_count} failed` : ""}`],
          ["Usually takes", job.success_count > 0 ? duration(job.avg_duration_ms) : undefined],
          ["Restarts by itself", job.restart && job.restart.when !== "no" ? job.restart.when : undefined],
        ]}
      />
      {why && why.history.length > 0 && (
        <section aria-label="History">
          <h2>Started by</h2>
          <ul className="history">
            {why.history.slice(0, 5).map(({ run_id, cause, at }) => (
              <li key={run_id}>
                {cause} <time dateTime={at}>{new Date(at).toLocaleString()}</time>
              </li>
            ))}
          </ul>
        </section>
      )}
      <JobLog job={job} />
    </div>
  );
}

/** Elsewhere they are numbers: this browser has no way to that machine's own addresses. */
function portLinks({ ports = [] }: Job, isHere: boolean): ReactNode {
  const tcp = [...new Set(ports.filter(({ protocol }) => protocol !== "udp").map(({ port }) => port))];
  if (tcp.length === 0) return undefined;
  if (!isHere) return tcp.map((port) => `:${port}`).join(" ");
  return tcp.map((port) => (
    <a key={port} href={`http://${location.hostname}:${port}/`} target="_blank" rel="noreferrer">
      :{port}{" "}
    </a>
  ));
}

/** Asked when the job has changed, and when its machine is there again. */
function useWhy({ id, run_id, state }: Job): DataOf<"why"> | undefined {
  const { feed } = useWorld();
  const isThere = useHome().way.kind === "live";
  const [why, setWhy] = useState<DataOf<"why">>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another run or state is another answer
  useEffect(() => {
    if (!isThere) return;
    const over = new AbortController();
    feed.client.request("why", { job_id: id, lines: 0 }, { signal: over.signal }).then(setWhy, () => {});
    return () => over.abort();
  }, [feed, isThere, id, run_id, state]);
  return why;
}
