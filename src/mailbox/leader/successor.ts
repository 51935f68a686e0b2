import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { messageOf } from "../../protocol/errors.ts";
import { LineSplitter } from "../../protocol/lines.ts";
import type { MailLeader } from "../../protocol/mail-units.ts";
import { successorFailed } from "./errors.ts";
import { SUCCESSOR_LEAD_MS, SUCCESSOR_WARM_MS } from "./limits.ts";
import type { Inherited } from "./listeners.ts";

/**
 * The process that is to lead next, from the side of the one that leads: it inherits the listening sockets (4 and 5), loads, says `warm`, is told `go` when the
 * lock is free, and says `leading` when it serves. They talk over fd 3.
 */
export interface SuccessorOptions {
  /** Default: this program. */
  command?: readonly string[] | undefined;
  isDedicated: boolean;
  inherited: Inherited;
  spawnProcess?: typeof spawn;
}

export class Successor {
  readonly #child: ChildProcess;
  readonly #line: Duplex;
  /** The rest of the line that began with it. */
  readonly #said = new Map<string, PromiseWithResolvers<string>>();
  #end: string | undefined;

  /** @throws SUCCESSOR_FAILED */
  constructor(options: SuccessorOptions) {
    this.#child = spawnSuccessor(options);
    this.#line = this.#child.stdio[3] as Duplex;
    const lines = new LineSplitter(64 * 1024);
    this.#line.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) {
        const [word = "", ...rest] = line.split(" ");
        this.#word(word).resolve(rest.join(" "));
      }
    });
    this.#line.on("error", () => {});
    this.#child.once("error", (error) => this.#fail(`could not be started (${error.message})`));
    this.#child.once("close", (status, signal) => this.#fail(`ended with ${signal ?? `status ${status}`}`));
  }

  /** @throws SUCCESSOR_FAILED */
  async warm(): Promise<void> {
    await this.#says("warm", SUCCESSOR_WARM_MS);
  }

  /** The lock is free, or will be in a moment; resolves with who leads then. @throws SUCCESSOR_FAILED */
  async lead(): Promise<MailLeader> {
    this.#line.write("go\n");
    return JSON.parse(await this.#says("leading", SUCCESSOR_LEAD_MS)) as MailLeader;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #says(word: string, timeoutMs: number): Promise<string> {
    const timer = setTimeout(() => this.#fail(`was not ${word} in ${timeoutMs / 1000} s`), timeoutMs);
    try {
      return await this.#word(word).promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #word(word: string): PromiseWithResolvers<string> {
    let said = this.#said.get(word);
    if (!said) {
      said = Promise.withResolvers<string>();
      said.promise.catch(() => {}); // whoever waits for it is told
      if (this.#end !== undefined) said.reject(successorFailed(this.#end));
      this.#said.set(word, said);
    }
    return said;
  }

  #fail(why: string): void {
    this.#end ??= why;
    for (const { reject } of this.#said.values()) reject(successorFailed(this.#end));
  }
}

/** @throws SUCCESSOR_FAILED */
function spawnSuccessor(options: SuccessorOptions): ChildProcess {
  const child = spawned(options);
  if (child.stdio?.[3]) return child;
  // Without a descriptor left, spawn gives a child that has no pipes, and says why only afterwards.
  child.on("error", () => {});
  throw successorFailed("could not be started (no pipe to it could be made)");
}

function spawned({ command, isDedicated, inherited, spawnProcess = spawn }: SuccessorOptions): ChildProcess {
  const [file, ...args] = command ?? [process.execPath, ...process.execArgv, process.argv[1]!];
  const { unix, tcp } = inherited;
  try {
    return spawnProcess(
      file!,
      [
        ...args,
        "--successor",
        ...(tcp ? ["--inherited-port", `${tcp.port}`] : []),
        ...(isDedicated ? ["--dedicated"] : []),
      ],
      { cwd: "/", detached: true, stdio: ["ignore", "inherit", "inherit", "pipe", unix, ...(tcp ? [tcp.fd] : [])] },
    );
  } catch (error) {
    throw successorFailed(`could not be started (${messageOf(error)})`);
  }
}
