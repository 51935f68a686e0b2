import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stage } from "../stage.ts";
import { type Command, output, time } from "../timed.ts";
import type { JobSpec, Peer } from "./peer.ts";

export interface WarrenPeer extends Peer {
  readonly home: string;
  readonly project: string;
  command(...args: string[]): Command;
  /** The primary's socket, while it runs. */
  socket(): Promise<string>;
  /** As on a machine that never ran it: no state, no kept build, no compile cache. */
  forget(): Promise<void>;
}

export async function warrenPeer(stage: Stage, label: string, { node }: { node?: string } = {}): Promise<WarrenPeer> {
  const home = join(stage.dir, `warren-home-${label}`);
  const project = join(stage.dir, "project", label);
  await mkdir(project, { recursive: true });
  const { version, hash } = JSON.parse(await readFile(join(stage.checkout, "dist", "build.json"), "utf8"));
  const env = { ...stage.env, WARREN_HOME: home, ...(node === undefined ? {} : { WARREN_NODE: node }) };
  const command = (...args: string[]): Command => ({
    file: join(stage.checkout, "bin", "warren"),
    args,
    cwd: project,
    env,
  });
  const servers = async (): Promise<{ pid: number; socket: string }[]> =>
    Object.values(JSON.parse(await output(command("servers", "--json"))));
  return {
    name: "warren",
    version: `${version} (${hash})`,
    home,
    project,
    command,
    list: command("list"),
    ping: command("ping"),
    async up() {
      await time(command("ping"));
    },
    async down() {
      if (existsSync(home)) await time(command("nuke", "--grace", "1s"));
    },
    async daemonPids() {
      const keeper = JSON.parse(await readFile(join(home, "keeper.json"), "utf8"));
      return [keeper.pid, ...(await servers()).map(({ pid }) => pid)];
    },
    async socket() {
      const [server] = await servers();
      if (!server) throw new Error(`no server runs in ${home}`);
      return server.socket;
    },
    async forget() {
      await rm(home, { recursive: true, force: true });
    },
    add: ({ name, command: argv }) => command("add", "--name", name, "--", ...argv),
    async remove(name) {
      await time(command("stop", name));
      await time(command("remove", name));
    },
    async addAll(jobs: readonly JobSpec[]) {
      await writeFile(join(project, "warren.yaml"), projectFile(jobs));
      return command("up", "--detach");
    },
  };
}

const projectFile = (jobs: readonly JobSpec[]): string =>
  `jobs:\n${jobs.map(({ name, command }) => `  ${name}: { command: ${JSON.stringify(command)} }\n`).join("")}`;
