import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IPty, spawn } from "@lydell/node-pty";
import xterm from "@xterm/headless";
import { Conditions } from "../../../platform/testing/conditions.ts";
import type { FakeSessionServer } from "./fake-session-server.ts";

/** The command line in a real terminal, in a home in which `fox` is a session of the fake server; for tests. */
const DEADLINE_MS = 10_000;
const ROOT = join(import.meta.dirname, "..", "..", "..", "..");
const MAIN = join(ROOT, "src/cli/main.ts");

export class AttachHome implements Disposable {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), "warren-home-")));
  readonly env: Record<string, string>;

  constructor(server: FakeSessionServer) {
    mkdirSync(join(this.dir, "servers"));
    const entry = {
      ...{ format: 1, oldest_reader: 1, name: "blazing", icon: "🔥", git_hash: "abc1234", version: "0.1.0" },
      ...{ built_at_ms: 0, socket: server.path, pid: 1, start_ticks: 1, boot_id: "", generation: 1, primary: true },
      ...{ started_at: "2026-01-01T00:00:00.000Z", sessions: [{ id: "4abc", name: "fox" }] },
    };
    writeFileSync(join(this.dir, "servers", "blazing.json"), JSON.stringify(entry));
    const { WARREN_SESSION: _, WARREN_UNIT: _unit, NO_COLOR: _colour, ...env } = process.env;
    this.env = { ...(env as Record<string, string>), WARREN_HOME: this.dir, TERM: "xterm-256color" };
  }

  configure(text: string): void {
    writeFileSync(join(this.dir, "config.yaml"), text);
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A shell script in a terminal, in which `warren` is the command line; and what the terminal shows. */
export class ScriptInTerminal implements AsyncDisposable {
  readonly pty: IPty;
  readonly screen: InstanceType<typeof xterm.Terminal>;
  readonly exited: Promise<number>;
  /** Everything that was written to the terminal. */
  text = "";
  readonly #conditions = new Conditions();

  constructor(home: AttachHome, script: string, size = { cols: 80, rows: 24 }) {
    this.screen = new xterm.Terminal({ ...size, allowProposedApi: true, scrollback: 1000 });
    const shell = `warren() { "${process.execPath}" "${MAIN}" "$@"; }\n${script}`;
    this.pty = spawn("bash", ["--norc", "-c", shell], {
      name: "xterm-256color",
      ...size,
      cwd: home.dir,
      env: home.env,
    });
    this.pty.onData((data) => {
      this.text += data;
      this.screen.write(data, () => {
        this.#conditions.look();
      });
    });
    this.exited = new Promise((resolve) => this.pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  type(text: string): void {
    this.pty.write(text);
  }

  /** The command line under the shell, or in its place. */
  get warrenPid(): number {
    const { pid } = this.pty;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    return Number(children.at(-1)) || pid;
  }

  get ttyPath(): string {
    return readlinkSync(`/proc/${this.pty.pid}/fd/0`);
  }

  /** The lines of the terminal, with those that have scrolled away. */
  lines(): string[] {
    const buffer = this.screen.buffer.normal;
    return Array.from({ length: buffer.length }, (_, y) => buffer.getLine(y)!.translateToString(true));
  }

  /** Resolves when the condition holds; rejects with what is seen instead. */
  until(condition: () => boolean, what: string): Promise<void> {
    return this.#conditions.until(condition, what, () => `. Written: ${JSON.stringify(this.text)}`);
  }

  shows(text: string): Promise<void> {
    return this.until(() => this.text.includes(text), `${text} is written`);
  }

  /** Its status, after everything that it wrote is on the screen. */
  async ended(): Promise<number> {
    const late = AbortSignal.timeout(DEADLINE_MS);
    const status = await Promise.race([
      this.exited,
      new Promise<never>((_, reject) =>
        late.addEventListener("abort", () => reject(new Error(`goes on: ${this.text}`))),
      ),
    ]);
    await new Promise<void>((written) => this.screen.write("", written));
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.pty.kill("SIGKILL");
    await this.exited;
    this.screen.dispose();
  }
}
