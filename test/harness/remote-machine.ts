import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Installation, thisInstallation } from "./build-copy.ts";
import { type TemporaryHome, temporaryHome } from "./home.ts";
import { scriptedAgentIn } from "./scripted-agent.ts";
import { type ShownCode, showCode } from "./shown-code.ts";
import { waitUntil } from "./wait-until.ts";
import type { Running } from "./warren.ts";

/**
 * A machine that is steered from a browser: a home of its own under a name of its own, where the kernel lets us give one (a UTS namespace needs root), and its terminal. For pictures it can be
 * somebody's (a mount namespace): then its project is `/home/anna/site`.
 */
export class RemoteMachine implements AsyncDisposable {
  readonly house: TemporaryHome = temporaryHome();
  /** Where the agent's script lies, as this process sees it, and as the machine does. */
  readonly project: string;
  readonly #from: Installation;
  readonly #terminals: PlainTerminal[] = [];

  constructor(name: string, owner?: Owner) {
    const { bin, ...installation } = thisInstallation();
    const named = join(this.house.base, "warren");
    this.project = owner === undefined ? this.house.dir : join(this.house.base, "homes", owner.name, owner.project);
    const setUp = owner === undefined ? underName(name) : asOwner(name, this.house.base, owner);
    writeFileSync(named, `#!/bin/sh\n${setUp}exec ${bin} "$@"\n`);
    chmodSync(named, 0o755);
    this.#from = { ...installation, bin: named };
  }

  start(...args: string[]): Running {
    return this.house.start(args, { from: this.#from, deadlineMs: 300_000 });
  }

  /** To its end; what it printed. */
  async run(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.start(...args).ended;
    assert.equal(status, 0, `warren ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  }

  /** The link of a code that lets in the first who has it. */
  code(hub: string, scopes: string): Promise<ShownCode> {
    return showCode(this.house, hub, { scopes, from: this.#from });
  }

  /** A command in a terminal of 80 × 24. */
  terminal(...args: string[]): PlainTerminal {
    const { env, dir } = this.house;
    const terminal = new PlainTerminal([this.#from.bin, ...args].join(" "), { env, cwd: dir });
    this.#terminals.push(terminal);
    return terminal;
  }

  /** A scripted agent (examples/agents). @param script what it does at its first prompt; without it the prompt says so itself */
  async agent(name: string, script?: string): Promise<void> {
    const command = [scriptedAgentIn(this.project)];
    if (script !== undefined) {
      writeFileSync(join(this.project, `${name}.script`), script);
      command.push(`${name}.script`);
    }
    await this.run("new", "--detached", "--name", name, "--agent", command.join(" "));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const terminal of this.#terminals) terminal.close();
    await this.house[Symbol.asyncDispose]();
  }
}

/** The rest of the script runs as on a machine of that name. */
const underName = (name: string): string =>
  spawnSync("unshare", ["--uts", "true"]).status === 0
    ? `[ "$(hostname)" = ${name} ] || exec unshare --uts sh -c 'hostname ${name}; exec "$0" "$@"' "$0" "$@"\n`
    : "";

/** Who a machine is said to belong to. */
export interface Owner {
  name: string;
  /** Below the owner's home. */
  project: string;
}

/** As {@link underName}, with `/home` and the accounts of a directory of the test's; root's account is called after the owner. Needs root. */
function asOwner(name: string, base: string, { name: owner, project }: Owner): string {
  mkdirSync(join(base, "homes", owner, project), { recursive: true });
  const accounts = readFileSync("/etc/passwd", "utf8").replace(/^root:/m, `${owner}:`);
  writeFileSync(join(base, "passwd"), accounts);
  const mounts = `mount --bind ${base}/homes /home && mount --bind ${base}/passwd /etc/passwd && hostname ${name}`;
  return [
    `if [ "$(hostname)" != ${name} ]; then exec unshare --mount --uts sh -c '${mounts} && exec "$0" "$@"' "$0" "$@"; fi`,
    `export HOME=/home/${owner} && cd ~/${project} || exit`,
    "",
  ].join("\n");
}

/** What a program writes to a terminal, byte by byte, and what is typed into it. */
export class PlainTerminal {
  readonly #child: ChildProcess;
  #written = "";

  constructor(command: string, { env, cwd }: { env: Record<string, string>; cwd: string }) {
    const sized = `stty cols 80 rows 24; exec ${command}`;
    this.#child = spawn("script", ["-qefc", sized, "/dev/null"], {
      env: { ...env, TERM: "xterm-256color", SHELL: "/bin/sh" },
      cwd,
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#child.stdin!.on("error", () => {}); // its end says more
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.#written += text;
    });
  }

  /** Everything so far, without colours. */
  get text(): string {
    return this.#written.replace(/\x1b\[[\d;?]*[A-Za-z]/g, "").replaceAll("\r\n", "\n");
  }

  shows(pattern: RegExp): Promise<RegExpExecArray> {
    return waitUntil(() => pattern.exec(this.text) ?? undefined, { what: `${pattern} in the terminal` }).catch(
      (error) => {
        throw new Error(`${error.message}\nshown:\n${this.text}`);
      },
    );
  }

  type(text: string): void {
    this.#child.stdin!.write(text);
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }
}
