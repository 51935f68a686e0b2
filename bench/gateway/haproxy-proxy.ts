import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, PROXY_CORE, startListening, versionOf } from "./process.ts";
import { type ProxyKind, type ProxySite, WEB_SOCKET_PATH } from "./proxy.ts";

/** One thread, connections to the backend shared by all clients. It serves no files. */
export const haproxyProxy: ProxyKind = {
  name: "haproxy",
  version: (stage) => versionOf(stage, "haproxy", ["-v"], /HAProxy version ([\d.]+)/),
  async start(site) {
    const { stage, label, ending } = site;
    const dir = join(stage.dir, `haproxy-${label}`);
    await mkdir(dir);
    const port = await freePort();
    await writeFile(join(dir, "haproxy.cfg"), configText(site, port));
    const argv = ["haproxy", "-db", "-f", join(dir, "haproxy.cfg")];
    const haproxy = await startListening(stage, argv, { port, core: PROXY_CORE });
    ending.defer(() => haproxy.end());
    return { name: "haproxy", port, pids: [haproxy.pid], hasFiles: false, hasWebSockets: true };
  },
};

const configText = ({ backend }: ProxySite, port: number): string => `global
  nbthread 1
  maxconn 9500
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
  timeout tunnel 600s
  option forwardfor
  http-reuse always
frontend front
  bind 127.0.0.1:${port} backlog 2048
  maxconn 18000
  use_backend sockets if { path_beg ${WEB_SOCKET_PATH} }
  default_backend backend
backend backend
  server one 127.0.0.1:${backend.port} pool-max-conn 128
backend sockets
  server one 127.0.0.1:${backend.webSocketPort}
`;
