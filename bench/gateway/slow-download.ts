import { once } from "node:events";
import http from "node:http";
import type { Case } from "../cases/case.ts";
import { memoryOf, sleep } from "../processes.ts";
import { HUGE_BYTES, HUGE_PATH } from "./backend.ts";
import { withProxies } from "./proxies.ts";
import type { RunningProxy } from "./proxy.ts";

const ADDED_MB = 16;
const BYTES_PER_MS = 32 * 1024;
const QUICK_BYTES = 128 * 1024 * 1024;
const LOOK_MS = 250;

/** 1 GiB from a backend that sends as fast as it is read, to clients that read 32 MiB a second; all at the same time. */
export const slowDownload: Case = {
  name: "slow-download",
  run: (bench) =>
    withProxies(bench, { label: "download" }, async (proxies) => {
      const bytes = bench.quick ? QUICK_BYTES : HUGE_BYTES;
      const grown = await Promise.all(
        proxies.map(async (proxy) => ({ subject: proxy.name, samples: [await growthMB(proxy, bytes)] })),
      );
      return {
        title: `A download of ${bytes / 1024 ** 2} MiB by a slow reader`,
        rows: [{ what: "most memory added", unit: "MB", target: { atMost: ADDED_MB, of: "p50" }, measured: grown }],
      };
    }),
};

/** PSS above that before the download, the most of all looks. */
async function growthMB({ port, pids }: RunningProxy, bytes: number): Promise<number> {
  await download(port, 1024 * 1024); // what comes with the first requests is no download's
  const { pssMB: before } = await memoryOf(pids);
  let most = before;
  let isOver = false;
  const over = download(port, bytes).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    most = Math.max(most, (await memoryOf(pids)).pssMB);
    await Promise.race([over, sleep(LOOK_MS)]);
  }
  await over;
  return most - before;
}

/** Reads so much and cuts the connection, unless the answer is over. @throws when less comes */
async function download(port: number, bytes: number): Promise<void> {
  const request = http.get({ host: "127.0.0.1", port, path: HUGE_PATH, agent: false });
  const [answer] = (await once(request, "response")) as [http.IncomingMessage];
  const startMs = performance.now();
  let readBytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    readBytes += chunk.length;
    if (readBytes >= bytes) break;
    const aheadMs = readBytes / BYTES_PER_MS - (performance.now() - startMs);
    if (aheadMs > 1) await sleep(aheadMs);
  }
  request.destroy();
  if (answer.statusCode !== 200 || readBytes < bytes) throw new Error(`${readBytes} of ${bytes} bytes came`);
}
