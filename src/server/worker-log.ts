import type { Gateways } from "../gateway/gateways.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import { type LogPage, more, readPage, WAIT_MS_MAX } from "./log-page.ts";

/** A page of what an instance of a worker has said, as `jobLog` of a run; of one that is no more as well, as long as its log is there. */
type Payload = PayloadOf<"gateway.log">;

export async function workerLog(
  gateways: Gateways,
  payload: Payload,
  signal: AbortSignal,
): Promise<DataOf<"gateway.log">> {
  const { instance: id, paths, isRunning, ended } = await gateways.logOf(payload);
  const page = await readPage(paths, payload, isRunning);
  if (page.items.length > 0 || !isRunning || !payload.wait_ms) return answer(id, isRunning, page);
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal, AbortSignal.timeout(Math.min(payload.wait_ms, WAIT_MS_MAX))]);
  await more(paths, page.next, { ended: ended(until), signal: until }).finally(() => over.abort());
  const { isRunning: isStillRunning } = await gateways.logOf({ ...payload, instance: id });
  const { tail_lines: _, since_ms: __, ...goesOn } = payload; // they were for where to begin
  return answer(id, isStillRunning, await readPage(paths, { ...goesOn, from: page.next }, isStillRunning));
}

const answer = (instance: string, is_running: boolean, { items, next, isMore }: LogPage) => ({
  instance,
  is_running,
  items,
  next: { ...next },
  is_more: isMore,
});
