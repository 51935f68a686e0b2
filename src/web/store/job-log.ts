import type { Client } from "../../client/client.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { DataOf } from "../../protocol/messages.ts";
import type { LogPiece } from "../../protocol/units.ts";

/** The log of a job's last run: its end, and what is written from then on, until the run has ended or `signal` aborts. */
export interface FollowLogOptions {
  client: Client;
  job: string;
  signal: AbortSignal;
  onPieces: (pieces: readonly LogPiece[]) => void;
  onFailed: (text: string) => void;
}

const LINES_BEFORE = 500;
const WAIT_MS = 30_000;

export async function followLog({ client, job, signal, onPieces, onFailed }: FollowLogOptions): Promise<void> {
  const request = { job_id: job };
  try {
    let page: DataOf<"job.log"> = await client.request(
      "job.log",
      { ...request, tail_lines: LINES_BEFORE, keep: "last" },
      { signal },
    );
    onPieces(page.items);
    const { run_id } = page;
    while ((page.is_running || page.is_more) && !signal.aborted) {
      page = await client.request("job.log", { ...request, run_id, from: page.next, wait_ms: WAIT_MS }, { signal });
      if (page.items.length > 0) onPieces(page.items);
    }
  } catch (error) {
    if (!signal.aborted && !isWarrenError(error, "NO_RUN_YET")) onFailed(messageOf(error));
  }
}
