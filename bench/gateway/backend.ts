import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stage } from "../stage.ts";
import { freePort, LOAD_CORE, startListening } from "./process.ts";

/** Who answers behind the proxies: nginx without a disk in its way, on the core of whoever asks. */
export interface Backend {
  port: number;
  /** Echoes WebSocket frames. */
  webSocketPort: number;
}

export const SMALL_PATH = "/";
export const KB64_PATH = "/files/64k";
export const MB1_PATH = "/files/1m";
export const HUGE_PATH = "/files/huge";
/** A sparse file: nothing is read from a disk. */
export const HUGE_BYTES = 1024 ** 3;

export async function startBackend(stage: Stage, ending: AsyncDisposableStack): Promise<Backend> {
  const dir = join(stage.dir, "backend");
  const files = join(dir, "files");
  await mkdir(files, { recursive: true });
  await writeFile(join(files, "64k"), Buffer.alloc(64 * 1024, "w"));
  await writeFile(join(files, "1m"), Buffer.alloc(1024 * 1024, "w"));
  await writeFile(join(files, "huge"), "");
  await truncate(join(files, "huge"), HUGE_BYTES);
  const port = await freePort();
  const config = join(dir, "nginx.conf");
  await writeFile(config, configText(dir, port));
  const nginx = await startListening(stage, ["nginx", "-p", dir, "-c", config], { port, core: LOAD_CORE });
  ending.defer(() => nginx.end());
  const webSocketPort = await freePort();
  const echo = [stage.node, join(import.meta.dirname, "websocket-echo-server.ts"), String(webSocketPort)];
  const server = await startListening(stage, echo, { port: webSocketPort, core: LOAD_CORE });
  ending.defer(() => server.end());
  return { port, webSocketPort };
}

const configText = (dir: string, port: number): string => `worker_processes 1;
worker_rlimit_nofile 8192;
daemon off;
${process.getuid?.() === 0 ? "user root;" : ""}
pid ${dir}/pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  sendfile on;
  open_file_cache max=16;
  client_body_buffer_size 64k;
  client_body_temp_path ${dir}/body;
  server {
    listen 127.0.0.1:${port} backlog=2048;
    location = / { default_type text/plain; return 200 "Hello, world\\n"; }
    location /files/ { alias ${dir}/files/; }
  }
}
`;
