import { access, constants, stat } from "node:fs/promises";
import { delimiter, resolve } from "node:path";
import { systemCode, WarrenError } from "../protocol/errors.ts";
import { quoteWord } from "../protocol/quote-word.ts";
import { valueIn } from "./environment.ts";

/** Where execvp(3) of glibc looks when there is no PATH. */
const DEFAULT_PATH = "/bin:/usr/bin";

/**
 * The file that execvp(3) would execute for `command` in `workdir` with the PATH of `env` ("KEY=value" each): so a wrong command gets its typed error
 * before anything is started. What happens later (the file vanishes, its interpreter is missing) stays the job's own 127 or 126.
 *
 * @throws COMMAND_EMPTY, WORKDIR_MISSING, PROGRAM_NOT_FOUND, PROGRAM_NOT_EXECUTABLE.
 */
export async function resolveProgram(
  command: readonly string[],
  workdir: string,
  env: readonly string[],
): Promise<string> {
  const program = command[0];
  if (program === undefined || program === "") throw commandEmpty();
  await checkWorkdir(workdir);
  const path = valueIn(env, "PATH") ?? DEFAULT_PATH;
  const candidates = program.includes("/")
    ? [resolve(workdir, program)]
    : path.split(delimiter).map((directory) => resolve(workdir, directory, program));

  let refused: string | undefined;
  for (const candidate of candidates) {
    const state = await stateOf(candidate);
    if (state === "executable") return candidate;
    if (state === "refused") refused ??= candidate;
  }
  if (refused !== undefined) throw await programNotExecutable(refused);
  throw programNotFound(command, program, program.includes("/") ? undefined : path);
}

async function checkWorkdir(workdir: string): Promise<void> {
  const found = await stat(workdir).catch((error) => systemCode(error) ?? "unreadable");
  if (typeof found === "string") {
    const reason = found === "ENOENT" || found === "ENOTDIR" ? "does not exist" : `cannot be read (${found})`;
    throw workdirMissing(workdir, reason);
  }
  if (!found.isDirectory()) throw workdirMissing(workdir, "is not a directory");
}

/** As execvp: what is absent is passed over, what may not be executed is remembered while the search goes on. */
async function stateOf(path: string): Promise<"executable" | "refused" | "absent"> {
  try {
    if (!(await stat(path)).isFile()) return "refused";
    await access(path, constants.X_OK);
    return "executable";
  } catch (error) {
    return systemCode(error) === "EACCES" ? "refused" : "absent";
  }
}

const commandEmpty = () =>
  new WarrenError("COMMAND_EMPTY", "The command is empty.", { fix: "warren add -- npm run dev" });

const workdirMissing = (workdir: string, reason: string) =>
  new WarrenError("WORKDIR_MISSING", `The working directory ${workdir} ${reason}.`, {
    fix: `mkdir -p ${quoteWord(workdir)}`,
    detail: { workdir },
  });

async function programNotExecutable(path: string): Promise<WarrenError> {
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return new WarrenError(
    "PROGRAM_NOT_EXECUTABLE",
    isDirectory ? `${path} is a directory, not a program.` : `${path} is there but may not be executed.`,
    { fix: isDirectory ? `ls ${quoteWord(path)}` : `chmod +x ${quoteWord(path)}`, detail: { path } },
  );
}

/** What only a shell can do: a whole line in one argument, or one of its builtins. */
const SHELL_BUILTINS = new Set([
  "cd",
  "exit",
  "export",
  "set",
  "source",
  ".",
  "alias",
  "eval",
  "ulimit",
  "umask",
  "trap",
]);

function programNotFound(command: readonly string[], program: string, path: string | undefined): WarrenError {
  const needsShell = SHELL_BUILTINS.has(program) || (command.length === 1 && /[\s;|&<>]/.test(program));
  const place = path === undefined ? "" : ` in PATH (${path})`;
  const fix = needsShell ? `warren add -- sh -c ${quoteWord(command.join(" "))}` : whereToFind(program);
  return new WarrenError("PROGRAM_NOT_FOUND", `There is no program ${JSON.stringify(program)}${place}.`, {
    fix,
    detail: { program },
  });
}

const whereToFind = (program: string): string =>
  program === "warren"
    ? "npm install -g .      # in Warren's folder; or write out where its bin/warren is"
    : `command -v ${quoteWord(program)}`;
