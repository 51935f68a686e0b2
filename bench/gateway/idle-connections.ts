import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import type { Bench, Case } from "../cases/case.ts";
import { memoryOf, sleep } from "../processes.ts";
import type { Row } from "../result.ts";
import { withProxies } from "./proxies.ts";
import type { RunningProxy } from "./proxy.ts";

const COUNT = 10_000;
const QUICK_COUNT = 500;
/** Connections are made so many at a time. */
const AT_ONCE = 100;
const SETTLE_MS = 5_000;

interface Memories {
  emptyMB: number;
  fullMB: number;
}

/** Memory of each proxy with connections on each of which a request was answered, and nothing comes any more. One proxy after the other: a process has so many descriptors. */
export const idleConnections: Case = {
  name: "idle-connections",
  run: (bench) =>
    withProxies(bench, { label: "idle" }, async (proxies) => {
      const count = bench.quick ? QUICK_COUNT : Math.min(COUNT, allowedCount());
      const all: [string, Memories][] = [];
      for (const proxy of proxies) all.push([proxy.name, await memories(bench, proxy, count)]);
      const measured = (take: (one: Memories) => number): Row["measured"] =>
        all.map(([subject, one]) => ({ subject, samples: [take(one)] }));
      return {
        title: `${count} idle connections`,
        rows: [
          { what: "PSS, none", unit: "MB", measured: measured(({ emptyMB }) => emptyMB) },
          { what: `PSS, ${count}`, unit: "MB", measured: measured(({ fullMB }) => fullMB) },
          {
            what: "for each",
            unit: "kB",
            measured: measured(({ emptyMB, fullMB }) => ((fullMB - emptyMB) * 1_000) / count),
          },
        ],
      };
    }),
};

async function memories({ quick }: Bench, { port, pids }: RunningProxy, count: number): Promise<Memories> {
  const settle = () => sleep(quick ? 500 : SETTLE_MS);
  for (const socket of await connected(port, AT_ONCE)) socket.destroy(); // what comes with the first requests is no connection's
  await settle();
  const { pssMB: emptyMB } = await memoryOf(pids);
  const sockets: net.Socket[] = [];
  try {
    while (sockets.length < count) sockets.push(...(await connected(port, Math.min(AT_ONCE, count - sockets.length))));
    await settle();
    const closed = sockets.filter(({ destroyed }) => destroyed).length;
    if (closed > 0)
      throw new Error(`${closed} of ${count} idle connections were closed: too few descriptors? (ulimit -n 65536)`);
    return { emptyMB, fullMB: (await memoryOf(pids)).pssMB };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

const connected = (port: number, count: number): Promise<net.Socket[]> =>
  Promise.all(Array.from({ length: count }, () => answered(port)));

async function answered(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  socket.write(`GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
  await once(socket, "data");
  socket.on("error", () => {});
  socket.resume();
  return socket;
}

/** Warren keeps half of its descriptors for connections to workers; 2,000 are for everything else, here and there. */
function allowedCount(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
  return limit === undefined ? COUNT : Math.floor((Number(limit) - 2_000) / 2 / 1_000) * 1_000;
}
