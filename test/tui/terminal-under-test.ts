import { execFile, execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Installation, thisInstallation } from "../harness/build-copy.ts";

/**
 * A home of its own, screens in real terminals (one tmux server per home) and the command line beside them. `await using` ends all of it: programs,
 * servers, files.
 */

const DEADLINE_MS = 20_000;
/** tmux tells nobody that a pane has changed; so it is looked at this often. */
const LOOK_EVERY_MS = 25;
const run = promisify(execFile);

/** Why these tests cannot run here, or false. */
export function missing(): string | false {
  try {
    execFileSync("tmux", ["-V"], { stdio: "ignore" });
    return false;
  } catch {
    return "tmux is not installed (apt-get install tmux)";
  }
}

export class House implements AsyncDisposable {
  readonly dir: string;
  readonly project: string;
  readonly tmuxName = `warren-test-${randomUUID().slice(0, 8)}`;
  readonly env: NodeJS.ProcessEnv;
  readonly bin = process.env.WARREN_TEST_BIN ?? thisInstallation().bin;

  private constructor() {
    this.dir = realpathSync(mkdtempSync(join(tmpdir(), "warren-tui-")));
    chmodSync(this.dir, 0o700);
    this.project = mkdtempSync(join(this.dir, "project-"));
    const { PATH, LANG = "C.UTF-8" } = process.env;
    this.env = {
      PATH,
      LANG,
      LC_ALL: "C.UTF-8",
      HOME: this.dir,
      WARREN_HOME: join(this.dir, "home"),
      XDG_RUNTIME_DIR: this.dir,
    };
  }

  static async open(): Promise<House> {
    const house = new House();
    await house.warren("ping");
    return house;
  }

  /** Runs the command line in the project; its stdout. Rejects when it fails. */
  warren(...args: string[]): Promise<string> {
    return this.#run(this.bin, ...args);
  }

  /** Another build's command line. */
  warrenOf({ bin }: Installation, ...args: string[]): Promise<string> {
    return this.#run(bin, ...args);
  }

  async #run(bin: string, ...args: string[]): Promise<string> {
    const { stdout } = await run(bin, args, { cwd: this.project, env: this.env, timeout: DEADLINE_MS });
    return stdout;
  }

  async screen(options: { columns?: number; rows?: number; env?: Record<string, string> } = {}): Promise<Screen> {
    const { columns = 120, rows = 36, env = {} } = options;
    const name = `s${randomUUID().slice(0, 8)}`;
    const variables = Object.entries({ ...this.env, ...env, TERM: "screen-256color", PS1: "ready> " });
    const assignments = variables.map(([key, value]) => `${key}=${value}`);
    const size = ["-x", String(columns), "-y", String(rows)];
    const shell = ["env", "-i", ...assignments, "sh"];
    await this.tmux(
      "new-session",
      "-d",
      "-s",
      name,
      ...size,
      "-c",
      this.project,
      ...shell,
      ";",
      "set",
      "-g",
      "set-clipboard",
      "on",
    );
    const screen = new Screen(this, name);
    await screen.until(/ready>/);
    return screen;
  }

  async tmux(...args: string[]): Promise<string> {
    const { stdout } = await run("tmux", ["-L", this.tmuxName, "-f", "/dev/null", ...args], { timeout: DEADLINE_MS });
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tmux("kill-server").catch(() => {});
    await this.warren("nuke", "--all").catch(() => {});
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export class Screen {
  readonly #house: House;
  readonly name: string;

  constructor(house: House, name: string) {
    this.#house = house;
    this.name = name;
  }

  /** Starts the face in the shell of the terminal. */
  async open(seen: RegExp = /\? help/, args = "tui"): Promise<string> {
    await this.type(`echo before; ${this.#house.bin} ${args}; echo "ended $?"`);
    await this.keys("Enter");
    return this.until(seen);
  }

  text(): Promise<string> {
    return this.#house.tmux("capture-pane", "-p", "-t", this.name);
  }

  /** tmux's names of keys. */
  async keys(...keys: string[]): Promise<void> {
    await this.#house.tmux("send-keys", "-t", this.name, ...keys);
  }

  async type(text: string): Promise<void> {
    await this.#house.tmux("send-keys", "-t", this.name, "-l", text);
  }

  /** Bytes as the terminal itself would send them, for the mouse. */
  async raw(text: string): Promise<void> {
    const bytes = [...Buffer.from(text)].map((byte) => byte.toString(16).padStart(2, "0"));
    await this.#house.tmux("send-keys", "-t", this.name, "-H", ...bytes);
  }

  /** x and y count from 1. */
  mouse(button: number, x: number, y: number, kind: "M" | "m" = "M"): Promise<void> {
    return this.raw(`\x1b[<${button};${x};${y}${kind}`);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#house.tmux("resize-window", "-t", this.name, "-x", String(columns), "-y", String(rows));
  }

  /** alternate screen, mouse, cursor, wrap: each 0 or 1. */
  async modes(): Promise<string> {
    const format = "#{alternate_on}#{mouse_any_flag}#{cursor_flag}#{wrap_flag}";
    return (await this.#house.tmux("display", "-p", "-t", this.name, format)).trim();
  }

  /** Of the program in front of the terminal's shell. */
  async pid(): Promise<number> {
    const shell = (await this.#house.tmux("display", "-p", "-t", this.name, "#{pane_pid}")).trim();
    const children = await readFile(`/proc/${shell}/task/${shell}/children`, "utf8");
    return Number(children.trim().split(" ")[0]);
  }

  /** The clipboard that OSC 52 filled; "" before. */
  clipboard(): Promise<string> {
    return this.#house.tmux("show-buffer").catch(() => ""); // "no buffers"
  }

  /** Resolves with the text of the screen when it holds all of `wanted`; rejects with the screen at the deadline. */
  until(...wanted: (RegExp | ((text: string) => boolean))[]): Promise<string> {
    const holds = (text: string): boolean =>
      wanted.every((one) => (one instanceof RegExp ? one.test(text) : one(text)));
    return eventually(
      () => this.text(),
      holds,
      (text) => `the screen never showed ${wanted.join(" and ")}:\n${text}`,
    );
  }
}

/** Looks until `holds`; rejects at the deadline with what `complain` says of the last look. */
export async function eventually<T>(
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  complain: (seen: T) => string,
): Promise<T> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (deadline.aborted) throw new Error(complain(seen));
    await new Promise((wake) => setTimeout(wake, LOOK_EVERY_MS));
  }
}

/** The row (from 1) and column (from 1) at which `text` stands. */
export function placeOf(screen: string, text: string): { x: number; y: number } {
  const rows = screen.split("\n");
  const y = rows.findIndex((row) => row.includes(text));
  if (y === -1) throw new Error(`"${text}" is not on the screen:\n${screen}`);
  return { x: [...rows[y]!.slice(0, rows[y]!.indexOf(text))].length + 1, y: y + 1 };
}
