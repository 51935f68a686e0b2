import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { warrenPeer } from "../peers/warren.ts";
import { ownRuntime, type Stage } from "../stage.ts";
import { type Command, output, time } from "../timed.ts";

/** A keeper of terminals under measurement. */
export interface Host {
  readonly name: string;
  start(name: string, command: readonly string[]): Promise<void>;
  attach(name: string): Command;
  /** Its own processes, without those of the sessions. */
  pids(): Promise<number[]>;
  down(): Promise<void>;
}

export interface WarrenHost extends Host {
  command(...args: string[]): Command;
}

export async function warrenHost(stage: Stage, label: string): Promise<WarrenHost> {
  const peer = await warrenPeer(stage, `sessions-${label}`, { node: await ownRuntime(stage, `sessions-${label}`) });
  return {
    name: "warren",
    command: peer.command,
    start: async (name, command) => void (await time(peer.command("new", "-d", "--name", name, "--", ...command))),
    attach: (name) => peer.command("attach", name),
    pids: () => peer.daemonPids(),
    down: () => peer.down(),
  };
}

/** Undefined where tmux is not installed. Without the user's configuration, as new. */
export function tmuxHost(stage: Stage, label: string): Host | undefined {
  if (spawnSync("tmux", ["-V"]).status !== 0) return undefined;
  const socket = join(stage.dir, `tmux-${label}`);
  const command = (...args: string[]): Command => ({
    file: "tmux",
    args: ["-S", socket, "-f", "/dev/null", ...args],
    cwd: stage.dir,
    env: { ...stage.env, TERM: "xterm-256color" },
  });
  return {
    name: "tmux",
    start: async (name, argv) =>
      void (await time(command("new-session", "-d", "-x", "80", "-y", "24", "-s", name, "--", ...argv))),
    attach: (name) => command("attach-session", "-t", name),
    async pids() {
      return [Number((await output(command("display-message", "-p", "#{pid}"))).trim())];
    },
    async down() {
      await time(command("kill-server")).catch(() => {});
    },
  };
}

/** Both, for the time of `work`. */
export async function withHosts<T>(
  stage: Stage,
  label: string,
  work: (hosts: readonly Host[], warren: WarrenHost) => Promise<T>,
): Promise<T> {
  const warren = await warrenHost(stage, label);
  const hosts = [warren, tmuxHost(stage, label)].filter((host) => host !== undefined);
  await using ending = new AsyncDisposableStack(); // what fails in the work is said, whatever fails at its end
  for (const host of hosts) ending.defer(() => host.down());
  return await work(hosts, warren);
}
