import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, PROXY_CORE, startListening, versionOf } from "./process.ts";
import { FILE_PATH, type ProxyKind, type ProxySite, WEB_SOCKET_PATH } from "./proxy.ts";

/** As its documentation has it; Go takes the one core that it is pinned to. */
export const caddyProxy: ProxyKind = {
  name: "caddy",
  version: (stage) => versionOf(stage, "caddy", ["version"], /^v?(\d\S*)/m),
  async start(site) {
    const { stage, label, ending } = site;
    const dir = join(stage.dir, `caddy-${label}`);
    await mkdir(dir);
    const port = await freePort();
    await writeFile(join(dir, "Caddyfile"), configText(site, port));
    const argv = ["caddy", "run", "--adapter", "caddyfile", "--config", join(dir, "Caddyfile")];
    const caddy = await startListening(stage, argv, { port, core: PROXY_CORE });
    ending.defer(() => caddy.end());
    return { name: "caddy", port, pids: [caddy.pid], hasFiles: true, hasWebSockets: true };
  },
};

const configText = ({ backend, publicDir }: ProxySite, port: number): string => `{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://127.0.0.1:${port}, http://localhost:${port} {
  bind 127.0.0.1
  handle ${FILE_PATH} {
    root * ${publicDir}
    file_server
  }
  handle ${WEB_SOCKET_PATH} {
    reverse_proxy 127.0.0.1:${backend.webSocketPort}
  }
  handle {
    reverse_proxy 127.0.0.1:${backend.port} {
      transport http {
        keepalive_idle_conns_per_host 128
      }
    }
  }
}
`;
