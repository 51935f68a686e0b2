/** pm2's keys that have no counterpart of the same meaning: why, and the way to the same end. */

interface Foreign {
  reason: string;
  instead?: string;
}

const LOGS: Foreign = {
  reason: "each run keeps its own logs, both streams apart",
  instead: "warren logs NAME",
};
const READY: Foreign = {
  reason: "a program does not signal readiness through pm2's channel here",
  instead: 'ready: { port: 3000 } or ready: { log: "listening" }, with `timeout`',
};
const INSTANCES: Foreign = {
  reason: "a job is one process tree",
  instead: "a job for each instance, or an HTTP worker with `instances` behind the gateway",
};
const WATCH: Foreign = {
  reason: "jobs are not restarted when files change",
  instead: "node --watch, or the build tool's own watch mode, in `command`",
};
const DEPLOY: Foreign = {
  reason: "a deploy copies the project's folder to its hosts, and is not described beside jobs",
  instead: "hosts in config/deployment.yaml, and warren gateway deploy",
};

const FOREIGN: Readonly<Record<string, Foreign>> = {
  out_file: LOGS,
  out: LOGS,
  output: LOGS,
  error_file: LOGS,
  error: LOGS,
  err_file: LOGS,
  log_file: LOGS,
  log: LOGS,
  logs: LOGS,
  combine_logs: LOGS,
  merge_logs: LOGS,
  log_type: LOGS,
  log_date_format: LOGS,
  time: LOGS,
  disable_logs: LOGS,
  pid_file: { reason: "a job's process is known without a file", instead: "warren list --json" },
  wait_ready: READY,
  listen_timeout: READY,
  instances: INSTANCES,
  exec_mode: INSTANCES,
  instance_var: INSTANCES,
  increment_var: INSTANCES,
  watch: WATCH,
  ignore_watch: WATCH,
  watch_options: WATCH,
  watch_delay: WATCH,
  cron_restart: { reason: "jobs have no schedule", instead: "a timer of the system that runs: warren restart NAME" },
  cron: { reason: "jobs have no schedule", instead: "a timer of the system that runs: warren restart NAME" },
  max_memory_restart: {
    reason: "memory is shown, not limited",
    instead: "node --max-old-space-size, or `ulimit -v`, in `command`, with `restart: on-failure`",
  },
  stop_exit_codes: { reason: "a restart depends on success or failure alone", instead: "restart: on-failure" },
  min_uptime: { reason: "a run of ten seconds counts as up; then the delays begin anew" },
  shutdown_with_message: { reason: "a job is stopped by a signal", instead: "stop_signal: SIGTERM" },
  treekill: { reason: "`stop` ends the whole tree" },
  deploy: DEPLOY,
  post_update: DEPLOY,
  repo: DEPLOY,
  ref: DEPLOY,
  uid: { reason: "jobs run as the user who starts them" },
  gid: { reason: "jobs run as the user who starts them" },
  user: { reason: "jobs run as the user who starts them" },
  filter_env: { reason: "the caller's environment is passed on whole", instead: "env -u NAME, in `command`" },
  source_map_support: { reason: "Node reads source maps itself", instead: "node --enable-source-maps, in `command`" },
  vizion: { reason: "version control is not read" },
  force: { reason: "a job is one command in one directory; other arguments are another job" },
};

const OTHER_ENV: Foreign = {
  reason: "there is one environment for each job",
  instead: "env_file: a file for each environment, or a job for each",
};

const UNKNOWN: Foreign = { reason: "this key is not known" };

export function foreignKey(key: string): Foreign {
  if (/^env_./.test(key)) return OTHER_ENV;
  return (Object.hasOwn(FOREIGN, key) ? FOREIGN[key] : undefined) ?? UNKNOWN;
}
