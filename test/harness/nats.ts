import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitUntil } from "./wait-until.ts";

/** A real nats-server with JetStream, on a port of its own that stays the same through its deaths. */
const PROGRAM = ["/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"].find(existsSync);

/** Why its tests are skipped; false: they are not. */
export const lacksNats = PROGRAM === undefined ? "nats-server is missing (apt-get install nats-server)" : false;

export class NatsServer implements AsyncDisposable {
  readonly #base: string;
  readonly #more: readonly string[];
  #child: ChildProcess | undefined;
  #port = -1;
  #storeCount = 0;
  #output = "";

  private constructor(more: readonly string[] | ((directory: string) => string[])) {
    this.#base = realpathSync(mkdtempSync(join(tmpdir(), "warren-nats-")));
    this.#more = typeof more === "function" ? more(this.#base) : more;
  }

  /** `more`: further arguments, as `--user ann --pass secret`; or what makes them, with files in a directory that goes with it. */
  static async start(more: readonly string[] | ((directory: string) => string[]) = []): Promise<NatsServer> {
    const server = new NatsServer(more);
    await server.#start();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** On the same port; `isEmpty`: what it had stored is gone. */
  async restart({ isEmpty = false } = {}): Promise<void> {
    await this.kill();
    if (isEmpty) this.#storeCount += 1;
    await this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#base, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const store = join(this.#base, `store-${this.#storeCount}`);
    const ports = join(this.#base, "ports");
    rmSync(ports, { recursive: true, force: true });
    mkdirSync(ports);
    const args = ["-a", "127.0.0.1", "-p", String(this.#port), "-js", "-sd", store, "--ports_file_dir", ports];
    const child = spawn(PROGRAM!, [...args, ...this.#more], { stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    this.#output = "";
    child.stderr!.on("data", (chunk) => (this.#output += chunk));
    this.#port = await waitUntil(
      () => {
        if (child.exitCode !== null) throw new Error(`nats-server ended: ${this.#output}`);
        const file = readdirSync(ports)[0];
        const text = file === undefined ? "" : readFileSync(join(ports, file), "utf8");
        return text === "" ? undefined : Number(new URL(JSON.parse(text).nats[0]).port);
      },
      { what: "nats-server" },
    );
    await waitUntil(() => canConnect(this.#port), { what: "nats-server to listen" });
  }
}

const canConnect = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("data", () => {
      socket.destroy();
      resolve(true); // it has introduced itself
    });
    socket.once("error", () => resolve(false));
  });

/** Between one machine and the server: what it carries can be cut, as a network is. */
export class CuttableLink implements AsyncDisposable {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #isCut = false;

  private constructor(port: number) {
    this.#server = net.createServer((near) => {
      if (this.#isCut) return void near.destroy();
      const far = net.connect(port, "127.0.0.1");
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.on("error", () => {});
        one.on("close", () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }

  static async to(server: NatsServer): Promise<CuttableLink> {
    const link = new CuttableLink(server.port);
    link.#server.listen(0, "127.0.0.1");
    await once(link.#server, "listening");
    return link;
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }
}
