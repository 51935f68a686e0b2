/**
 * What people of other tools (tmux, pm2, systemd, docker) type first, and what stands for it here. Suggestions and no second names: a thing has one word.
 */
export interface Idiom {
  /** Default: the word itself, which is a verb here too. */
  verb?: string;
  /** That tool's flags and the words for them here; one with a value is written with a `V` behind it. What is not here stays as it is. */
  flags?: Readonly<Record<string, string>>;
  /** That tool's operands that have a word of their own here. */
  words?: Readonly<Record<string, string>>;
  /** Operands that make another line of it. */
  lines?: Readonly<Record<string, string>>;
  /** What stands behind it there means nothing here. */
  isAlone?: true;
  /** Its operands are a command. */
  takesCommand?: true;
}

/** Tools by name: what stands behind one is what is meant. */
export const TOOLS: ReadonlySet<string> = new Set(["compose", "docker", "pm2", "systemctl", "tmux"]);

const EVERY = "$(warren list --quiet --kind job,worker)";
const TARGET = { "-t V": "V" } as const;

const NEW: Idiom = {
  verb: "new",
  takesCommand: true,
  flags: { "-s V": "--name V", "-n V": "", "-c V": "--dir V", "-d": "--detached", "-A": "", "-x V": "", "-y V": "" },
};
const NEW_PANE: Idiom = { ...NEW, flags: { ...NEW.flags, ...TARGET, "-h": "", "-v": "", "-p V": "", "-l V": "" } };
const ATTACH: Idiom = { verb: "attach", flags: { ...TARGET, "-d": "", "-r": "--view" } };
const KILL: Idiom = { verb: "stop", flags: { ...TARGET, "-9": "--force", "-f": "--force" } };
const WHY: Idiom = { verb: "why", flags: TARGET };
const LIST: Idiom = { verb: "list", flags: { "-a": "--all", "-q": "--quiet" }, isAlone: true };
const REMOVE: Idiom = { verb: "remove", lines: { all: "stop --all && warren cleanup" } };
const BOOT: Idiom = { verb: "boot enable", isAlone: true };
const SCREEN: Idiom = { verb: "tui", isAlone: true };
const EACH: Idiom = { verb: "restart", lines: { all: `restart ${EVERY}` } };

/** By the word, or the verb with a part that it does not have. */
export const IDIOMS: Readonly<Record<string, Idiom>> = {
  a: ATTACH,
  at: ATTACH,
  attach: ATTACH,
  "attach-session": ATTACH,
  "capture-pane": { verb: "history", flags: { ...TARGET, "-p": "", "-e": "", "-J": "", "-S V": "", "-E V": "" } },
  clean: { verb: "cleanup", isAlone: true },
  "daemon-reload": { verb: "up", isAlone: true },
  del: REMOVE,
  delete: REMOVE,
  describe: WHY,
  detach: { verb: "help attach", isAlone: true },
  "detach-client": { verb: "help attach", isAlone: true },
  disable: { verb: "boot disable", isAlone: true },
  ecosystem: { verb: "init", isAlone: true },
  enable: BOOT,
  exec: { verb: "run", takesCommand: true },
  flush: { verb: "cleanup", isAlone: true },
  follow: { verb: "logs -f" },
  "has-session": WHY,
  info: WHY,
  inspect: WHY,
  "is-active": WHY,
  "is-enabled": { verb: "boot status", isAlone: true },
  jlist: { verb: "list --all --json", isAlone: true },
  journalctl: {
    verb: "logs",
    flags: {
      "-u V": "V",
      "--unit V": "V",
      "-n V": "--tail V",
      "--lines V": "--tail V",
      "-e": "",
      "-x": "",
      "--user": "",
    },
  },
  kill: KILL,
  "kill-pane": KILL,
  "kill-server": { verb: "shutdown", isAlone: true },
  "kill-session": KILL,
  "kill-window": KILL,
  "list-panes": { verb: "sessions", isAlone: true },
  "list-sessions": { verb: "sessions", isAlone: true },
  "list-unit-files": LIST,
  "list-units": { verb: "list --all", isAlone: true },
  "list-windows": { verb: "sessions", isAlone: true },
  log: { verb: "logs" },
  logs: {
    flags: {
      "--lines V": "--tail V",
      "--err": "--stream stderr",
      "--out": "--stream stdout",
      "--nostream": "",
      "--raw": "",
      "--timestamp": "",
    },
    lines: { all: "logs -f" },
  },
  ls: LIST,
  "mail agents": { verb: "mail list" },
  "mail inbox": { verb: "mail check" },
  "mail log": { verb: "mail history" },
  "mail ls": { verb: "mail list" },
  "mail outbox": { verb: "mail history", isAlone: true },
  "mail read": { verb: "mail show", lines: { "": "mail check" } },
  "mail search": { verb: "mail history --search" },
  "mail sent": { verb: "mail history", isAlone: true },
  "mail view": { verb: "mail show" },
  "mail who": { verb: "mail list" },
  monit: SCREEN,
  new: NEW,
  "new-session": NEW,
  "new-window": NEW_PANE,
  prettylist: { verb: "list --all --json", isAlone: true },
  ps: LIST,
  purge: { verb: "cleanup", isAlone: true },
  reload: EACH,
  "rename-session": { verb: "rename", flags: TARGET },
  restart: EACH,
  resurrect: BOOT,
  rm: REMOVE,
  save: BOOT,
  "send-keys": { verb: "send", flags: { ...TARGET, "-l": "" }, words: { Enter: "--enter", "C-m": "--enter" } },
  show: WHY,
  spawn: { verb: "add", takesCommand: true },
  "split-window": NEW_PANE,
  splitw: NEW_PANE,
  startup: BOOT,
  status: WHY,
  stop: { lines: { all: "stop --all" } },
  "switch-client": ATTACH,
  tail: { verb: "logs -f" },
  top: SCREEN,
  unstartup: { verb: "boot disable", isAlone: true },
};

/** Of pm2's `start FILE`, which makes a job: what stands for its flags before `warren add`'s command. */
export const START_FLAGS: Readonly<Record<string, string>> = {
  "--name V": "--name V",
  "-n V": "--name V",
  "--cwd V": "--dir V",
  "--watch": "",
  "--time": "",
  "--no-daemon": "",
  "-f": "",
  "-i V": "",
  "--instances V": "",
  "--cron V": "",
  "--cron-restart V": "",
  "--env V": "",
  "--interpreter V": "",
  "--log V": "",
  "--max-memory-restart V": "",
  "--node-args V": "",
};
