import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ownRuntime, root } from "../stage.ts";
import { freePort, PROXY_CORE, startListening } from "./process.ts";
import type { ProxyKind } from "./proxy.ts";

/** Packages of bench/package.json, by the pinned runtime, each in the quickest way that its documentation names. They serve no files. */
function npmProxy(name: string, { hasWebSockets }: { hasWebSockets: boolean }): ProxyKind {
  const manifest = join(root, "bench", "node_modules", name, "package.json");
  return {
    name,
    version: async () => (existsSync(manifest) ? JSON.parse(await readFile(manifest, "utf8")).version : undefined),
    async start({ stage, backend, label, ending }) {
      const port = await freePort();
      const runtime = await ownRuntime(stage, `${name.replaceAll("/", "-")}-${label}`);
      const program = join(import.meta.dirname, "npm-proxy-server.ts");
      const argv = [runtime, program, name, String(port), String(backend.port), String(backend.webSocketPort)];
      const proxy = await startListening(stage, argv, { port, core: PROXY_CORE });
      ending.defer(() => proxy.end());
      return { name, port, pids: [proxy.pid], hasFiles: false, hasWebSockets };
    },
  };
}

export const npmProxies: readonly ProxyKind[] = [
  npmProxy("fast-proxy", { hasWebSockets: false }),
  npmProxy("http-proxy", { hasWebSockets: true }),
  npmProxy("@fastify/http-proxy", { hasWebSockets: true }),
];
