import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { BoundSocket, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FrontLink } from "../../gateway/front-link.ts";
import { ensureHome, ensureSocketDir, resolvePlaces } from "../../platform/paths.ts";
import type { FrontTable, FrontToServer, ServerToFront } from "../../protocol/front-messages.ts";
import { CONTROL } from "../../protocol/keeper-calls.ts";
import { until, within } from "../proxy/testing/deadline.ts";

/** For tests: a front as it is, a process of its own, between what stands for its keeper and what stands for its server. */
export class FrontProcess implements AsyncDisposable {
  readonly port: number;
  /** Of its control socket. */
  readonly socketPath: string;
  readonly told: FrontToServer[] = [];
  readonly #dir: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #link: FrontLink | undefined;

  /** Resolves when it takes connections by this table. */
  static async start(table: FrontTable, ...args: string[]): Promise<FrontProcess> {
    const front = new FrontProcess(args);
    await front.#says(CONTROL.warm);
    front.#control.write(`${CONTROL.go}\n`);
    await front.#says(CONTROL.ready);
    await front.#connect(table);
    return front;
  }

  private constructor(args: string[]) {
    this.#dir = mkdtempSync(join(tmpdir(), "warren-front-"));
    const env = {
      PATH: process.env.PATH,
      WARREN_HOME: join(this.#dir, "home"),
      XDG_RUNTIME_DIR: join(this.#dir, "run"),
    };
    mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
    const places = resolvePlaces(env);
    ensureHome(places);
    ensureSocketDir(places, env);
    this.socketPath = join(places.socketDir, "front.1.sock");
    const listener = new BoundSocket({ host: "127.0.0.1", port: 0 });
    this.port = listener.address().port;
    const main = join(import.meta.dirname, "..", "main.ts");
    this.#child = spawn(process.execPath, [main, "--dir", join(this.#dir, "project"), ...args], {
      env,
      stdio: ["ignore", "inherit", "inherit", listener.fd(), "pipe"],
    });
    this.#exited = once(this.#child, "exit");
    this.#control.on("error", () => {});
    listener.close();
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  tell(message: ServerToFront): void {
    this.#link?.tell(message);
  }

  /** The next front serves. */
  drain(): void {
    this.#control.write(`${CONTROL.drain}\n`);
  }

  /** Resolves with its exit status once it has ended by itself. */
  async exited(): Promise<number | null> {
    await within("the front's end", this.#exited);
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link?.close();
    this.#child.kill("SIGKILL");
    await this.#exited;
    rmSync(this.#dir, { recursive: true });
  }

  get #control(): Socket {
    return this.#child.stdio[4] as Socket;
  }

  async #says(word: string): Promise<void> {
    const [said] = (await within(word, once(this.#control, "data"))) as [Buffer];
    if (String(said) !== `${word}\n`) throw new Error(`the front said ${said}`);
  }

  async #connect(table: FrontTable): Promise<void> {
    this.#link = await FrontLink.dial(this.socketPath, {
      onMessage: (message) => void this.told.push(message),
      onClosed: () => {},
    });
    this.tell({ type: "table", table });
    await until("the table in force", () => this.told.some(({ type }) => type === "applied"));
  }
}
