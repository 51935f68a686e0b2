import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Client } from "../../src/client/client.ts";
import { dialPrimary } from "../../src/local/dial-primary.ts";
import { dialMailbox } from "../../src/local/mail-link.ts";
import { type Build, readBuild } from "../../src/platform/build.ts";
import { type Places, resolvePlaces } from "../../src/platform/paths.ts";
import { type HomeProcess, killAllOf, processesOf } from "../../test/harness/processes.ts";

/** A home of its own for the demo that is broken: its examples, its server, its mailbox, on free ports. The user's own is not touched. */
const ROOT = join(import.meta.dirname, "..", "..");
/** A command that hangs is a failure, not a wait for ever. */
const COMMAND_TIMEOUT_MS = 60_000;

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

export class House implements AsyncDisposable {
  readonly base = realpathSync(mkdtempSync(join(tmpdir(), "warren-b-")));
  readonly examples = join(this.base, "examples");
  /** A line of JSON for each prompt that reached an agent. */
  readonly promptLog = join(this.base, "prompts.log");
  readonly places: Places;
  readonly #home = join(this.base, "home");
  readonly #env: Record<string, string>;
  readonly #build: Build = readBuild(join(ROOT, "dist"));
  readonly #clients: Client[] = [];
  readonly #running = new Set<ChildProcess>();

  constructor() {
    for (const name of ["home", "run"]) mkdirSync(join(this.base, name), { mode: 0o700 });
    const isSource = (path: string): boolean => !/[/](bin|[.]scripted-agent|page[.]html)$/.test(path);
    cpSync(join(ROOT, "examples"), this.examples, { recursive: true, filter: isSource });
    this.#env = {
      PATH: `${join(ROOT, "bin")}:${process.env.PATH}`,
      HOME: this.base,
      LANG: "C.UTF-8",
      WARREN_HOME: this.#home,
      XDG_RUNTIME_DIR: join(this.base, "run"),
      WARREN_GATEWAY_PORT: "0",
      WARREN_MAIL_PORT: "0",
      SCRIPTED_AGENT_LOG: this.promptLog,
    };
    this.places = resolvePlaces(this.#env);
  }

  /** Runs a command in `examples/` to its end. */
  async warren(args: readonly string[]): Promise<Ended> {
    const child = spawn(join(ROOT, "bin", "warren"), args, {
      cwd: this.examples,
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: COMMAND_TIMEOUT_MS,
    });
    this.#running.add(child);
    const closed = new Promise<number | null>((resolve) => child.once("close", (status) => resolve(status)));
    const [status, stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
    this.#running.delete(child);
    return { status, stdout, stderr };
  }

  /** @throws when it fails, with what it said */
  async well(args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.warren(args);
    if (status !== 0) throw new Error(`warren ${args.join(" ")} ended with ${status}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Of the server that has the jobs. */
  client(): Client {
    return this.#opened(dialPrimary({ places: this.places, build: this.#build, env: this.#env, mode: "start" }));
  }

  /** Of the mailbox's leader, as a person, who sees all mail. */
  mailClient(): Client {
    const options = { places: this.places, build: this.#build, env: this.#env, mode: "start", isPerson: true } as const;
    return this.#opened(dialMailbox(options));
  }

  /** Whose script is that one of ours (`front.js`), the newest last. */
  processes(script: string): HomeProcess[] {
    return processesOf(this.#home).filter(({ argv }) => argv.some((part) => part.endsWith(`/${script}`)));
  }

  /** Ends everything; what it leaves is ended and said. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    for (const child of this.#running) child.kill("SIGKILL");
    const { status, stderr } = await this.warren(["nuke", "--grace", "0s"]);
    if (status !== 0) console.error(`nuke ended with ${status}: ${stderr}`);
    await killAllOf(this.#home);
    if (process.env.WARREN_KEEP_HOME) console.error(`kept: ${this.base}`);
    else rmSync(this.base, { recursive: true, force: true });
  }

  #opened(dial: ConstructorParameters<typeof Client>[0]["dial"]): Client {
    const client = new Client({ dial, name: "demo-break", version: "0", randomId: () => crypto.randomUUID() });
    this.#clients.push(client);
    return client;
  }
}
