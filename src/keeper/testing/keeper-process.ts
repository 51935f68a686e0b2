import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { ensureHome, type Places, resolvePlaces } from "../../platform/paths.ts";
import { listProcesses } from "../../platform/process.ts";
import { Holder } from "./holder.ts";

/** For tests: a keeper as it is, a process of its own on its own socket, with a home that goes with it. */

const READY_TIMEOUT_MS = 15_000;

export interface KeeperStart {
  /** Shell words before the keeper is started, e.g. `ulimit -n 64`. */
  limits?: string;
}

export class KeeperProcess implements AsyncDisposable {
  readonly directory: string;
  readonly places: Places;
  readonly #child: ChildProcess;
  readonly #holders: Holder[] = [];
  readonly #strangers: net.Socket[] = [];
  readonly #programs = new Set<number>();

  static async start(start: KeeperStart = {}): Promise<KeeperProcess> {
    const keeper = new KeeperProcess(await mkdtemp(join(tmpdir(), "warren-held-")), start);
    const ready = once(keeper.#child.stdio[3] as Readable, "data", { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
    const [word] = (await ready) as [Buffer];
    if (String(word) !== "ready\n") throw new Error(`the keeper said ${word}`);
    return keeper;
  }

  private constructor(directory: string, { limits = ":" }: KeeperStart) {
    this.directory = directory;
    const runtimeDir = join(directory, "run");
    mkdirSync(runtimeDir, { mode: 0o700 });
    const env = { PATH: process.env.PATH, WARREN_HOME: join(directory, "home"), XDG_RUNTIME_DIR: runtimeDir };
    this.places = resolvePlaces(env);
    ensureHome(this.places);
    const log = openSync(this.places.keeperLog, "a", 0o600);
    const main = join(import.meta.dirname, "..", "main.ts");
    this.#child = spawn("sh", ["-c", `${limits}; exec "$@"`, "sh", process.execPath, "--max-semi-space-size=1", main], {
      env,
      stdio: ["ignore", log, log, "pipe"],
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get socketPath(): string {
    return join(this.places.socketDir, "keeper.sock");
  }

  /** Its own words, as far as they were written. */
  get log(): string {
    return readFileSync(this.places.keeperLog, "utf8");
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get descriptorCount(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** The most memory that it ever had resident, from `VmHWM` of proc(5). */
  get peakBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  /** Connects as a server does. */
  async holder(): Promise<Holder> {
    const holder = await Holder.connect(this.socketPath, this.directory, (pid) => this.#programs.add(pid));
    this.#holders.push(holder);
    return holder;
  }

  /** Connects as somebody who says what he likes. */
  async stranger(): Promise<net.Socket> {
    const socket = net.connect(this.socketPath);
    this.#strangers.push(socket);
    await once(socket, "connect");
    socket.on("error", () => {});
    return socket;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const holder of this.#holders) holder.close();
    for (const socket of this.#strangers) socket.destroy();
    // A program is the leader of its session, which may outlive it.
    for (const { pid, sid } of listProcesses()) if (this.#programs.has(sid)) kill(pid);
    if (this.isAlive) {
      const exited = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await exited;
    }
    (this.#child.stdio[3] as Readable).destroy();
    await rm(this.directory, { recursive: true, force: true });
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
