import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { childrenOf } from "../processes.ts";
import { freePort, PROXY_CORE, startListening, versionOf } from "./process.ts";
import { FILE_PATH, type ProxyKind, type ProxySite, WEB_SOCKET_PATH } from "./proxy.ts";

/** One worker, kept connections to the backend, no access log; a posted body up to 64 KiB stays in memory, as an answer does of any size. */
export const nginxProxy: ProxyKind = {
  name: "nginx",
  version: (stage) => versionOf(stage, "nginx", ["-v"], /nginx\/(\S+)/),
  async start(site) {
    const { stage, label, ending } = site;
    const dir = join(stage.dir, `nginx-${label}`);
    await mkdir(dir);
    const port = await freePort();
    await writeFile(join(dir, "nginx.conf"), configText(site, dir, port));
    const argv = ["nginx", "-p", dir, "-c", join(dir, "nginx.conf")];
    const nginx = await startListening(stage, argv, { port, core: PROXY_CORE });
    ending.defer(() => nginx.end());
    const pids = [nginx.pid, ...(await childrenOf(nginx.pid))];
    return { name: "nginx", port, pids, hasFiles: true, hasWebSockets: true };
  },
};

const configText = ({ backend, publicDir }: ProxySite, dir: string, port: number): string => `worker_processes 1;
worker_rlimit_nofile 20000;
daemon off;
${process.getuid?.() === 0 ? "user root;" : ""}
pid ${dir}/pid;
error_log stderr error;
events { worker_connections 20000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  sendfile on;
  client_body_buffer_size 64k;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/answers;
  proxy_max_temp_file_size 0;
  upstream backend { server 127.0.0.1:${backend.port}; keepalive 128; keepalive_requests 1000000000; }
  upstream sockets { server 127.0.0.1:${backend.webSocketPort}; }
  proxy_http_version 1.1;
  proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $scheme;
  server {
    listen 127.0.0.1:${port} backlog=2048;
    location / { proxy_pass http://backend; proxy_set_header Connection ""; }
    location = ${FILE_PATH} { root ${publicDir}; }
    location ${WEB_SOCKET_PATH} {
      proxy_pass http://sockets;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
    }
  }
}
`;
