import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bench } from "../cases/case.ts";
import type { Stage } from "../stage.ts";
import { type Backend, startBackend } from "./backend.ts";
import { caddyProxy } from "./caddy-proxy.ts";
import { haproxyProxy } from "./haproxy-proxy.ts";
import { nginxProxy } from "./nginx-proxy.ts";
import { npmProxies } from "./npm-proxies.ts";
import { FILE_BYTES, FILE_PATH, type ProxyKind, type RunningProxy } from "./proxy.ts";
import { warrenProxy } from "./warren-proxy.ts";

const ALL: readonly ProxyKind[] = [warrenProxy, nginxProxy, haproxyProxy, caddyProxy, ...npmProxies];

/** In the order of the columns. */
export const proxyNames: readonly string[] = ALL.map(({ name }) => name).filter((name) => name !== "warren");

/** Without these nothing can be measured. */
const NEEDED = ["nginx", "wrk", "taskset"];
const PACKAGES = "nginx-light haproxy caddy wrk util-linux";

/** `nginx 1.22.1` of all that are there; what is missing is said on stderr, with what installs it. */
export async function proxyVersions(stage: Stage, say: (line: string) => void): Promise<string[]> {
  const found: string[] = [];
  for (const kind of ALL) {
    const version = await kind.version(stage);
    if (version !== undefined) found.push(`${kind.name} ${version}`);
    else say(`${kind.name} is not installed and is left out: apt-get install ${PACKAGES}; npm ci --prefix bench`);
  }
  return found;
}

/** All that are there, side by side, for the time of `work`; those that are not asked do nothing. @throws when nginx or wrk is missing */
export async function withProxies<T>(
  { stage }: Bench,
  { label, isWithFile = false }: { label: string; isWithFile?: boolean },
  work: (proxies: readonly RunningProxy[], backend: Backend) => Promise<T>,
): Promise<T> {
  const missing = NEEDED.filter((file) => spawnSync(file, ["-v"]).error !== undefined);
  if (missing.length > 0) throw new Error(`${missing.join(" and ")} not installed: apt-get install ${PACKAGES}`);
  await using ending = new AsyncDisposableStack();
  const backend = await startBackend({ ...stage, dir: await folder(stage.dir, `backend-${label}`) }, ending);
  const publicDir = await folder(stage.dir, `public-${label}`);
  await writeFile(join(publicDir, FILE_PATH), Buffer.alloc(FILE_BYTES, "w"));
  const proxies: RunningProxy[] = [];
  for (const kind of ALL)
    if ((await kind.version(stage)) !== undefined)
      proxies.push(await kind.start({ stage, backend, label, publicDir, isWithFile, ending }));
  return await work(proxies, backend);
}

async function folder(parent: string, name: string): Promise<string> {
  const path = join(parent, name);
  await mkdir(path, { recursive: true });
  return path;
}
