import type { Client } from "../../client/client.ts";
import { Backoff } from "../../protocol/backoff.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { DataOf } from "../../protocol/messages.ts";
import type { LogPiece } from "../../protocol/units.ts";
import { pause } from "./pause.ts";

/**
 * The log of a job's last run: its end, and what is written from then on, until the run has ended or `signal` aborts. Where the machine does not answer it is asked again, from where it
 * was.
 */
export interface FollowLogOptions {
  client: Pick<Client, "request">;
  job: string;
  signal: AbortSignal;
  onPieces: (pieces: readonly LogPiece[]) => void;
  /** Why nothing comes at the moment; undefined: it comes again. */
  onFailed: (text: string | undefined) => void;
}

const LINES_BEFORE = 500;
const WAIT_MS = 30_000;
const RETRY = { firstMs: 500, maxMs: 5_000 };

export async function followLog({ client, job, signal, onPieces, onFailed }: FollowLogOptions): Promise<void> {
  const backoff = new Backoff(RETRY);
  let page: DataOf<"job.log"> | undefined;
  while (!signal.aborted && (!page || page.is_running || page.is_more)) {
    const place = page
      ? { run_id: page.run_id, from: page.next, wait_ms: WAIT_MS }
      : { tail_lines: LINES_BEFORE, keep: "last" as const };
    try {
      const next: DataOf<"job.log"> = await client.request("job.log", { job_id: job, ...place }, { signal });
      backoff.reset();
      onFailed(undefined);
      if (!page || next.items.length > 0) onPieces(next.items);
      page = next;
    } catch (error) {
      if (signal.aborted || isWarrenError(error, "NO_RUN_YET")) return;
      onFailed(messageOf(error));
      await pause(backoff.nextMs(), signal);
    }
  }
}
