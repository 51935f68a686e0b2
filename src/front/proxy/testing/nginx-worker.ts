import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitUntil } from "../../../../test/harness/wait-until.ts";

export const hasNginx = (): boolean => spawnSync("nginx", ["-v"]).status === 0;

const TRIES = 5;

const configuration = (dir: string, port: number): string => `
daemon off; master_process off; worker_processes 1;
pid ${dir}/pid; error_log ${dir}/error.log info;
events { worker_connections 256; }
http {
  log_format seen '$request';
  access_log ${dir}/seen.log seen;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi; scgi_temp_path ${dir}/scgi;
  keepalive_requests 1000000; merge_slashes off; lingering_close off;
  server { listen 127.0.0.1:${port}; location / { return 200 ok; } }
}
`;

/** A worker that is nginx: what it takes for requests it writes down. */
export class NginxWorker implements AsyncDisposable {
  readonly port: number;
  readonly #dir: string;
  readonly #child: ChildProcess;

  static async start(): Promise<NginxWorker> {
    for (let tries = 1; ; tries++) {
      const dir = mkdtempSync(join(tmpdir(), "nginx-"));
      const port = await freePort();
      writeFileSync(join(dir, "nginx.conf"), configuration(dir, port));
      const child = spawn("nginx", ["-c", join(dir, "nginx.conf"), "-e", join(dir, "error.log")], { stdio: "ignore" });
      const worker = new NginxWorker(dir, port, child);
      const isUp = await waitUntil(async () => (child.exitCode === null ? (await connects(port)) && "up" : "ended"), {
        what: "nginx, up or ended",
      });
      if (isUp === "up") return worker;
      const error = readFileSync(join(dir, "error.log"), "utf8");
      rmSync(dir, { recursive: true, force: true });
      if (tries === TRIES || !error.includes("Address already in use")) throw new Error(error);
    }
  }

  private constructor(dir: string, port: number, child: ChildProcess) {
    this.#dir = dir;
    this.port = port;
    this.#child = child;
  }

  /** The request line of each request that it has answered, refusals too, in order. Complete once `stop` is over. */
  get seen(): string[] {
    return readFileSync(join(this.#dir, "seen.log"), "utf8").split("\n").filter(Boolean);
  }

  /** Lets it finish what it has. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGQUIT");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function connects(port: number): Promise<boolean> {
  const socket = net.connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
