import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import net, { type AddressInfo } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { Case } from "../cases/case.ts";
import { sleep } from "../processes.ts";
import { median, percentile } from "../series.ts";
import { Terminal } from "../sessions/terminal.ts";
import type { Stage } from "../stage.ts";
import { type Command, time } from "../timed.ts";
import { joinByCommand, openHomes, showCode } from "./paired-homes.ts";

const KEYS = 1_000;
const QUICK_KEYS = 50;
const WARM_UP = 20;
/** Gives every key back in upper case, so that a terminal's own echo is not taken for it. */
const ECHO = `process.stdin.setRawMode(true);process.stdout.write("READY");process.stdin.on("data",d=>process.stdout.write(d.toString().toUpperCase()))`;
const UNIX = "on the machine";
const SSH = "ssh";
const SSHD = "/usr/sbin/sshd";
const SSHD_WAIT_MS = 10_000;

/** A key and its echo: through a hub on the loopback, sealed end to end; on the machine itself; and by ssh to the loopback. */
export const keystroke: Case = {
  name: "keystroke",
  async run(bench) {
    await using ending = new AsyncDisposableStack();
    const { stage } = bench;
    const homes = ending.use(await openHomes(stage, "keystroke"));
    const shown = await showCode(homes);
    const machine = await joinByCommand(homes, shown.code);
    await shown.joined;
    const program = [stage.node, "-e", ECHO];
    for (const name of ["near", "far"])
      await time(homes.machine.command("new", "-d", "--name", name, "--", ...program));
    const [file = "", ...args] = program;
    const commands = new Map<string, Command>([
      ["direct", { file, args, cwd: stage.dir, env: stage.env }],
      [UNIX, homes.machine.command("attach", "near")],
      ["warren", homes.device.command("--on", machine, "attach", "far")],
    ]);
    if (existsSync(SSHD)) commands.set(SSH, await sshCommand(stage, ending, program));
    const terminals = new Map([...commands].map(([name, command]) => [name, ending.use(new Terminal(command))]));
    for (const terminal of terminals.values()) await terminal.shows("READY");
    const samples = await typed(terminals, bench.quick ? QUICK_KEYS : KEYS);
    const direct = samples.get("direct")!;
    const floorMs = median(direct);
    const measured = ["warren", UNIX, SSH].flatMap((subject) => {
      const ofSubject = samples.get(subject);
      return ofSubject ? [{ subject, samples: ofSubject.map((ms) => ms - floorMs) }] : [];
    });
    return {
      title: "A key and its echo, through a hub",
      peers: [UNIX, SSH],
      rows: [
        {
          what: "added to the same program in a bare terminal",
          unit: "ms",
          measured,
          note: `that one takes p50 ${floorMs.toFixed(2)} ms, p99 ${percentile(direct, 99).toFixed(2)} ms. ssh has no session that outlives it: its program runs below sshd.`,
        },
      ],
    };
  },
};

async function typed(terminals: ReadonlyMap<string, Terminal>, count: number): Promise<Map<string, number[]>> {
  const samples = new Map([...terminals.keys()].map((name) => [name, [] as number[]]));
  for (let at = -WARM_UP; at < count; at++) {
    const key = String.fromCharCode(97 + (Math.abs(at) % 26));
    for (const [name, terminal] of terminals) {
      terminal.forget();
      const startMs = performance.now();
      terminal.type(key);
      await terminal.shows(key.toUpperCase());
      if (at >= 0) samples.get(name)!.push(performance.now() - startMs);
    }
  }
  return samples;
}

/** A real sshd on a free port of the loopback, with keys of its own, for the time of the case. */
async function sshCommand(stage: Stage, ending: AsyncDisposableStack, program: readonly string[]): Promise<Command> {
  const dir = join(stage.dir, "ssh");
  mkdirSync(dir, { mode: 0o700 });
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 }); // where it separates its privileges
  const at = (name: string): string => join(dir, name);
  for (const key of ["host", "user"])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at(key)], { stdio: "ignore" });
  await copyFile(at("user.pub"), at("authorized_keys"));
  const port = await freePort();
  writeFileSync(
    at("sshd_config"),
    `ListenAddress 127.0.0.1\nPort ${port}\nHostKey ${at("host")}\nAuthorizedKeysFile ${at("authorized_keys")}\nPidFile ${at("pid")}
StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nPrintMotd no\nPrintLastLog no\n`,
  );
  const sshd = spawn(SSHD, ["-D", "-e", "-f", at("sshd_config")], { env: stage.env, stdio: "ignore" });
  ending.defer(() => void sshd.kill("SIGKILL"));
  await answers(port);
  const options = ["IdentitiesOnly=yes", "UserKnownHostsFile=/dev/null", "StrictHostKeyChecking=no", "LogLevel=ERROR"];
  const quoted = program.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  return {
    file: "ssh",
    args: [
      ...["-tt", "-F", "/dev/null", "-i", at("user"), "-p", String(port)],
      ...options.flatMap((option) => ["-o", option]),
      ...["-l", userInfo().username, "127.0.0.1", quoted],
    ],
    cwd: stage.dir,
    env: stage.env,
  };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function answers(port: number): Promise<void> {
  const untilMs = performance.now() + SSHD_WAIT_MS;
  for (;;) {
    const socket = net.connect(port, "127.0.0.1");
    const isThere = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isThere) return;
    if (performance.now() > untilMs) throw new Error("sshd does not listen");
    await sleep(50);
  }
}
