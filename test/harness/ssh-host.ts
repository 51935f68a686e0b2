import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { thisInstallation } from "./build-copy.ts";
import { type TemporaryHome, temporaryHome } from "./home.ts";
import { waitUntil } from "./wait-until.ts";

/**
 * Another machine: a real sshd, an ordinary process on a free port of 127.0.0.1 with keys of its own, whose logins find a home and a Warren of their own.
 */
const SSHD = "/usr/sbin/sshd";

/** Why these tests cannot run here, or false. */
export function missingForSsh(): string | false {
  if (!existsSync(SSHD)) return "sshd is not installed (apt-get install openssh-server)";
  for (const [program, name] of [
    ["rsync", "rsync"],
    ["ssh", "openssh-client"],
  ] as const) {
    try {
      execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    } catch {
      return `${program} is not installed (apt-get install ${name})`;
    }
  }
  return false;
}

export class SshHost implements AsyncDisposable {
  /** What the logins have: WARREN_HOME, a folder for projects. */
  readonly house: TemporaryHome;
  readonly port: number;
  /** For `ssh -F`. */
  readonly configPath: string;
  /** The command of Warren there. */
  readonly warren: string;
  readonly #sshd: ReturnType<typeof spawn>;

  static async start(): Promise<SshHost> {
    const house = temporaryHome({ env: { WARREN_GATEWAY_PORT: "0" } });
    const port = await freePort();
    return new SshHost(house, port).#listening();
  }

  private constructor(house: TemporaryHome, port: number) {
    this.house = house;
    this.port = port;
    const dir = join(house.base, "ssh");
    mkdirSync(dir, { mode: 0o700 });
    mkdirSync("/run/sshd", { recursive: true, mode: 0o755 }); // where sshd separates its privileges, if it has any
    const at = (name: string): string => join(dir, name);
    for (const key of ["host", "user"])
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at(key)], { stdio: "ignore" });
    execFileSync("cp", [at("user.pub"), at("authorized_keys")]);
    // The logins' home: where a path without a first slash begins.
    writeFileSync(at("login"), `#!/bin/sh\ncd ${quoted(house.base)} && exec sh -c "$SSH_ORIGINAL_COMMAND"\n`, {
      mode: 0o755,
    });
    writeFileSync(
      at("sshd_config"),
      `ListenAddress 127.0.0.1
Port ${port}
HostKey ${at("host")}
AuthorizedKeysFile ${at("authorized_keys")}
PidFile ${at("sshd.pid")}
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
ForceCommand ${at("login")}
`,
    );
    this.configPath = at("config");
    writeFileSync(
      this.configPath,
      `Host *
  IdentityFile ${at("user")}
  IdentitiesOnly yes
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  LogLevel ERROR
Host there away
  HostName 127.0.0.1
  User ${userInfo().username}
  Port ${port}
`,
    );
    // Not what the tests' own process has: a login gets nothing of that.
    const { WARREN_HOME, XDG_RUNTIME_DIR, HOME } = house.env;
    const env = { WARREN_HOME, XDG_RUNTIME_DIR, HOME, WARREN_GATEWAY_PORT: "0" };
    const words = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    this.warren = ["env", ...words, thisInstallation().bin].join(" ");
    this.#sshd = spawn(SSHD, ["-D", "-e", "-f", at("sshd_config")], { stdio: "ignore" });
  }

  async #listening(): Promise<SshHost> {
    const probe = ["-F", this.configPath, "there", "true"];
    await waitUntil(
      () => {
        if (this.#sshd.exitCode !== null) throw new Error(`sshd ended with status ${this.#sshd.exitCode}`);
        try {
          execFileSync("ssh", probe, { stdio: "ignore" });
          return true;
        } catch {
          return false;
        }
      },
      { what: "sshd", everyMs: 50 },
    );
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#sshd, "exit");
    if (this.#sshd.exitCode === null) {
      this.#sshd.kill("SIGTERM");
      await ended;
    }
    await this.house[Symbol.asyncDispose]();
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
