import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stage } from "../stage.ts";
import { type Command, output, time } from "../timed.ts";
import type { JobSpec, Peer } from "./peer.ts";

const DAEMON = "/usr/bin/supervisord";
const CLIENT = "/usr/bin/supervisorctl";
const START_TIMEOUT_MS = 15_000;
const POLL_MS = 20;

/**
 * supervisord (Debian's package `supervisor`). It starts only what its configuration names, so a job is first defined there, untimed; `start` then
 * answers when the program runs (`startsecs=0`: without its one second of probation). Its client starts no daemon: there is no cold start to compare.
 */
export async function supervisorPeer(stage: Stage, label: string): Promise<Peer> {
  const home = join(stage.dir, `supervisor-${label}`);
  const programs = join(home, "programs");
  const config = join(home, "supervisord.conf");
  const pidFile = join(home, "supervisord.pid");
  await mkdir(programs, { recursive: true });
  await writeFile(config, configText(home, pidFile));
  const command = (...args: string[]): Command => ({
    file: CLIENT,
    args: ["-c", config, ...args],
    cwd: home,
    env: stage.env,
  });
  const version = (await output({ file: DAEMON, args: ["--version"], cwd: home, env: stage.env })).trim();
  const daemonPid = (): number | undefined =>
    existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) || undefined : undefined;
  return {
    name: "supervisor",
    version,
    list: command("status"),
    async up() {
      await time({ file: DAEMON, args: ["-c", config], cwd: home, env: stage.env });
      await until(() => existsSync(join(home, "s.sock")) && daemonPid() !== undefined);
    },
    async down() {
      const pid = daemonPid();
      if (pid === undefined) return;
      await time(command("shutdown"));
      await until(() => !existsSync(`/proc/${pid}`));
    },
    async daemonPids() {
      const pid = daemonPid();
      return pid === undefined ? [] : [pid];
    },
    async define(jobs: readonly JobSpec[]) {
      for (const job of jobs) await writeFile(join(programs, `${job.name}.conf`), programText(job, home));
      await time(command("update"));
    },
    add: ({ name }) => command("start", name),
    async remove(name) {
      await rm(join(programs, `${name}.conf`), { force: true });
      await time(command("update"));
    },
    addAll: async () => command("start", "all"),
  };
}

export const hasSupervisor = (): boolean => existsSync(DAEMON);

const configText = (home: string, pidFile: string): string => `[unix_http_server]
file=${home}/s.sock
[supervisord]
logfile=${home}/supervisord.log
pidfile=${pidFile}
childlogdir=${home}
nodaemon=false
silent=true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${home}/s.sock
[include]
files=${home}/programs/*.conf
`;

const programText = ({ name, command }: JobSpec, home: string): string => `[program:${name}]
command=${command.join(" ")}
autostart=false
autorestart=false
startsecs=0
stdout_logfile=${home}/${name}.out
stdout_logfile_maxbytes=256MB
stdout_logfile_backups=1
stderr_logfile=${home}/${name}.err
`;

async function until(holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error("supervisord did not get there in time");
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}
