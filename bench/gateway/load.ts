import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stage } from "../stage.ts";
import { output } from "../timed.ts";
import { LOAD_CORE } from "./process.ts";

/** What wrk is told to ask for, again and again, on connections that stay open. */
export interface Load {
  path: string;
  connectionCount: number;
  /** Bytes of a POST; absent: GET. */
  postedBytes?: number;
  headers?: Readonly<Record<string, string>>;
}

export interface LoadResult {
  requestsPerS: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
}

/** One run of wrk. @throws when any answer was not a good one */
export async function runLoad(stage: Stage, port: number, load: Load, seconds: number): Promise<LoadResult> {
  const script = join(stage.dir, `load-${load.postedBytes ?? "get"}.lua`);
  await writeFile(script, scriptText(load));
  const headers = Object.entries(load.headers ?? {}).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const wrk = ["wrk", "-t", "1", "-c", String(load.connectionCount), "-d", `${seconds}s`, "-s", script, ...headers];
  const text = await output({
    file: "taskset",
    args: ["-c", String(LOAD_CORE), ...wrk, `http://127.0.0.1:${port}${load.path}`],
    cwd: stage.dir,
    env: stage.env,
  });
  const { requests, us, errors, p50, p99, p999 } = JSON.parse(/^figures (.+)$/m.exec(text)?.[1] ?? "{}");
  if (!(requests > 0) || errors > 0)
    throw new Error(`port ${port}${load.path}: ${errors} of ${requests} requests failed: ${text}`);
  return { requestsPerS: (requests / us) * 1e6, p50Ms: p50 / 1e3, p99Ms: p99 / 1e3, p999Ms: p999 / 1e3 };
}

const scriptText = ({ postedBytes }: Load): string => `${
  postedBytes === undefined ? "" : `wrk.method = "POST"\nwrk.body = string.rep("x", ${postedBytes})\n`
}
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('figures {"requests":%d,"us":%d,"errors":%d,"p50":%d,"p99":%d,"p999":%d}\\n',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
`;
