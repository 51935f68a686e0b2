import type { Jobs } from "../jobs/jobs.ts";
import type { EventRecord } from "../jobs/records.ts";
import { timestamp } from "../platform/clock.ts";
import type { EventSource, RoutedEvent } from "../serving/subscriptions.ts";
import { notPrimary } from "./errors.ts";

/** The stream `jobs`: snapshots and stored events of the jobs domain. */
export function jobsSource(jobs: () => Jobs | undefined): EventSource {
  const here = (): Jobs => {
    const found = jobs();
    if (!found) throw notPrimary("this server", undefined);
    return found;
  };
  return {
    snapshot: ({ workdir, job_ids }) => {
      const domain = here();
      const all = domain.list({ workdir }).jobs;
      const listed = job_ids ? all.filter(({ id }) => job_ids.includes(id)) : all;
      return { seq: domain.store.lastSeq(), snapshot: { jobs: listed } };
    },
    after: (seq, limit) => here().store.eventsAfter(seq, limit)?.map(routed),
  };
}

export const routed = ({ seq, type, jobId, workdir, atMs, data }: EventRecord): RoutedEvent => ({
  workdir,
  event: { event: type, stream: "jobs", seq, at: timestamp(atMs), job_id: jobId, data },
});
