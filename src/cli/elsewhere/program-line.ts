import { accessSync, constants, statSync } from "node:fs";
import { basename, delimiter, extname, join, resolve } from "node:path";
import { parseCommand } from "../../config/command-line.ts";
import { projectOf } from "../../config/project-of.ts";
import { quoteWord } from "../../protocol/quote-word.ts";

/** Whether words are a command, or a file that another tool would run, and what makes a job of it. */
export interface Look {
  cwd: string;
  env: Readonly<NodeJS.ProcessEnv>;
}

/** What runs a file by its ending. */
const INTERPRETERS: Readonly<Record<string, string>> = {
  ".cjs": "node",
  ".js": "node",
  ".mjs": "node",
  ".php": "php",
  ".pl": "perl",
  ".py": "python3",
  ".rb": "ruby",
  ".sh": "sh",
  ".ts": "node",
};

/** What `warren import` reads, by its file's name. */
const IMPORTED = /^(?:ecosystem\.config\.(?:[cm]?js|json)|.+\.config\.[cm]?js|Procfile(?:\..+)?)$/;
const IMPORTED_FIRST = ["ecosystem.config.js", "ecosystem.config.cjs", "ecosystem.config.mjs", "Procfile"];

/** The command of a job, with the name that pm2 would give it; or a whole line. */
export type Made = { command: string[]; name?: string } | { line: string };

/** Of `start WORDS…`; undefined when they are no command that is there. A word alone is a name, though there be such a program: `start test`. */
export function commandMade(words: readonly string[], look: Look): Made | undefined {
  const [first, ...args] = words;
  if (first === undefined) return projectLine(look);
  if (isFile(resolve(look.cwd, first))) {
    if (IMPORTED.test(basename(first))) return { line: importLine(first) };
    const interpreter = INTERPRETERS[extname(first)];
    const name = basename(first, extname(first)).toLowerCase();
    return {
      command: [...(interpreter ? [interpreter, first] : [first.includes("/") ? first : `./${first}`]), ...args],
      ...(/^[a-z][a-z0-9-]{0,31}$/.test(name) ? { name } : {}),
    };
  }
  if (/\s/.test(first) && args.length === 0) {
    const parsed = parseCommand(first);
    return parsed.kind === "argv" ? { command: parsed.argv } : undefined;
  }
  return words.length > 1 && isProgram(words, look) ? { command: [...words] } : undefined;
}

/** Of `warren WORDS…`, where the first is no verb. */
export function programLine(words: readonly string[], look: Look): string | undefined {
  // A program alone is mostly one to talk to: a shell, an agent.
  if (words.length === 1 && isProgram(words, look)) return `new -- ${quoteWord(words[0]!)}`;
  const made = commandMade(words, look);
  if (!made) return undefined;
  if ("line" in made) return made.line;
  const { command, name } = made;
  const text = command.map(quoteWord).join(" ");
  return name === undefined ? `run -- ${text}` : `add --name ${name} -- ${text}`;
}

function projectLine({ cwd }: Look): Made | undefined {
  if (projectOf(cwd) === cwd) return { line: "up" };
  const file = IMPORTED_FIRST.find((name) => isFile(join(cwd, name)));
  return file === undefined ? undefined : { line: importLine(file) };
}

const importLine = (file: string): string => `import ${quoteWord(file)} --write && warren up`;

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

function isProgram([program = ""]: readonly string[], { env }: Look): boolean {
  if (program.includes("/") || program === "") return false;
  return (env.PATH ?? "").split(delimiter).some((dir) => dir !== "" && isExecutable(join(dir, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return isFile(path);
  } catch {
    return false;
  }
}
