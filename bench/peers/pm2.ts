import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root, type Stage } from "../stage.ts";
import { type Command, time } from "../timed.ts";
import type { JobSpec, Peer } from "./peer.ts";

const PACKAGE_DIR = join(root, "bench", "node_modules", "pm2");

/**
 * pm2, run by the same Node as we are, as a program beside us. Its first client starts its daemon. Jobs are started without an interpreter and without
 * its restart policy, which is what the others are asked for.
 */
export async function pm2Peer(stage: Stage, label: string, { node = stage.node } = {}): Promise<Peer> {
  const home = join(stage.dir, `pm2-home-${label}`);
  const project = join(stage.dir, "project", `pm2-${label}`);
  await mkdir(project, { recursive: true });
  const { version } = JSON.parse(await readFile(join(PACKAGE_DIR, "package.json"), "utf8"));
  const env = { ...stage.env, PM2_HOME: home };
  const command = (...args: string[]): Command => ({
    file: node,
    args: [join(PACKAGE_DIR, "bin", "pm2"), ...args],
    cwd: project,
    env,
  });
  const daemonPid = (): number | undefined => {
    const file = join(home, "pm2.pid");
    return existsSync(file) ? Number(readFileSync(file, "utf8")) : undefined;
  };
  return {
    name: "pm2",
    version,
    list: command("ls"),
    ping: command("ping"),
    async up() {
      await time(command("ping"));
    },
    async down() {
      if (existsSync(home)) await time(command("kill"));
    },
    async daemonPids() {
      const pid = daemonPid();
      return pid === undefined ? [] : [pid];
    },
    add: ({ name, command: [file, ...args] }) =>
      command("start", file, "--name", name, "--interpreter", "none", "--no-autorestart", "--", ...args),
    async remove(name) {
      await time(command("delete", name));
    },
    async addAll(jobs: readonly JobSpec[]) {
      const apps = jobs.map(({ name, command: [script, ...args] }) => ({
        name,
        script,
        args,
        interpreter: "none",
        autorestart: false,
      }));
      await writeFile(join(project, "ecosystem.config.json"), JSON.stringify({ apps }));
      return command("start", "ecosystem.config.json");
    },
  };
}

export const hasPm2 = (): boolean => existsSync(PACKAGE_DIR);
