import { access, constants } from "node:fs/promises";

/**
 * The shim: a few lines of sh around every run that write down how it ended. It belongs to nobody, so a run's exit status is known even when every
 * process of ours was killed meanwhile. It is given
 *
 *   $0  the status file's path; descriptor 2 is that file, open at its start; descriptor 3 is the job's stderr
 *   $@  the command
 *   W_TAG in the environment: the RLIMIT_FSIZE tag, in the shell's own units
 *
 * and writes `shim <stat line>`, `job <stat line>`, `run`, what the shell itself has to say, and `exit <status>` (see `status-file.ts`).
 *
 * What each line is there for:
 * - The shell's own words ("Terminated", a locale warning at its start) go to descriptor 2, so that must be the status file from the first instant.
 * - A signal to the shim (a stranger's, or the job's own group on a system without setsid) must not end it. It is caught, not ignored, since an
 *   ignored signal would stay ignored in the job. dash gives up at the first name that it does not know, so the list holds only what both know.
 * - The soft RLIMIT_FSIZE of the shim is reset, so that a server which was itself started inside a job leaves no mark on other jobs.
 * - `exec` in a subshell: one fork, no builtin in the program's place, and the stat line that the subshell reads is the job's own, since neither
 *   the pid nor the start time changes by exec.
 * - The subshell says who it is before it looks whether the status file is still there. Whoever takes the file away first and then reads it (see
 *   `invalidateAttempt`) can be sure: no job line means that nothing was run, or ever will be; otherwise `run` or `void` follows at once.
 * - `setsid`, part of the command on Linux, gives the job its own session: `kill -9 0` by the job, or SIGKILL to its group, misses the shim.
 *
 * A job that is given a listening socket gets it as descriptor 3, with LISTEN_FDS and LISTEN_PID as sd_listen_fds(3) has them, and reads /dev/null. It
 * comes as the shim's own stdin, since libuv makes only 0, 1 and 2 blocking again for a child, and a program that does not expect EAGAIN of accept(2)
 * dies of it. The shim itself holds the socket for as long as the job lives, as sh can close nothing between fork and wait.
 */
const linuxShim = (handOver: string) => `set +eux
trap : HUP INT QUIT USR1 USR2 TERM ALRM VTALRM PROF XCPU XFSZ TSTP TTIN TTOU PIPE
ulimit -S -f unlimited
IFS= read -r W_LINE </proc/self/stat; printf 'shim %s\\n' "$W_LINE" >&2
(IFS= read -r W_LINE </proc/self/stat; printf 'job %s\\n' "$W_LINE" >&2
 [ -e "$0" ] || { printf 'void\\n' >&2; exit 125; }
 printf 'run\\n' >&2
 ulimit -S -f "\${W_TAG:-unlimited}"; ${handOver}; exec "$@")
printf 'exit %s\\n' "$?" >&2
`;

export const LINUX_SHIM = linuxShim("unset W_TAG W_LINE; exec 2>&3 3>&-");
export const LINUX_LISTEN_SHIM = linuxShim(
  `export LISTEN_FDS=1 LISTEN_PID="\${W_LINE%% *}"; unset W_TAG W_LINE; exec 2>&3 3<&0 0</dev/null`,
);

/** Without /proc a subshell cannot learn its pid (\`$$\` is the shim's), so a second sh takes its place; without setsid the job shares the shim's group. */
const darwinShim = (handOver: string) => `set +eux
trap : HUP INT QUIT USR1 USR2 TERM ALRM VTALRM PROF XCPU XFSZ TSTP TTIN TTOU PIPE
ulimit -S -f unlimited
printf 'shim %s (sh) S\\n' "$$" >&2
(exec /bin/sh -c 'printf "job %s (sh) R %s\\n" "$$" "$PPID" >&2
 [ -e "$0" ] || { printf "void\\n" >&2; exit 125; }
 printf "run\\n" >&2
 ulimit -S -f "\${W_TAG:-unlimited}"; unset W_TAG
 ${handOver}; exec "$@"' "$0" "$@")
printf 'exit %s\\n' "$?" >&2
`;

export const DARWIN_SHIM = darwinShim("exec 2>&3 3>&-");
export const DARWIN_LISTEN_SHIM = darwinShim("export LISTEN_FDS=1 LISTEN_PID=$$; exec 2>&3 3<&0 0</dev/null");

export interface Shim {
  /** The shell's path. */
  shell: string;
  text: string;
  /** The same, for a run whose stdin is a bound socket. Without it no run gets one. */
  listenText?: string;
  /** Goes before the command. */
  prefix: readonly string[];
}

/** dash starts twice as fast as bash and tells a death by signal from an exit with that number; any POSIX shell does. */
const SHELLS = ["/bin/dash", "/usr/bin/dash", "/bin/sh"];
/** By path, since the command runs with the client's PATH. util-linux and busybox both know `--`. */
const SETSIDS = ["/usr/bin/setsid", "/bin/setsid"];

export async function locateShim(platform: NodeJS.Platform = process.platform): Promise<Shim> {
  const shell = (await firstExecutable(SHELLS)) ?? "/bin/sh";
  if (platform !== "linux") return { shell, text: DARWIN_SHIM, listenText: DARWIN_LISTEN_SHIM, prefix: [] };
  const setsid = await firstExecutable(SETSIDS);
  const prefix = setsid === undefined ? [] : [setsid, "--"];
  return { shell, text: LINUX_SHIM, listenText: LINUX_LISTEN_SHIM, prefix };
}

/** Above every size that a file can reach on today's systems, and below the largest limit in either unit (2^63 bytes). */
const TAG_BASE = 2 ** 52;
/** dash, and any shell in POSIX mode, counts in blocks of 512 bytes; bash in 1024. */
const LIMIT_UNITS_BYTES = [512, 1024];

/** The value of W_TAG. Exact in a double for `tag` below 2^51. */
export const limitOfTag = (tag: number): number => TAG_BASE + tag;

/** Whether a soft RLIMIT_FSIZE in bytes, as the kernel tells it, was set from `tag`. */
export const carriesTag = (limitBytes: number | undefined, tag: number): boolean =>
  LIMIT_UNITS_BYTES.some((unit) => limitBytes === limitOfTag(tag) * unit);

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // not here: the next
    }
  }
  return undefined;
}
