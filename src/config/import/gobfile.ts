import { type Draft, type DraftJob, importInvalid, JobNames, type Note } from "./draft.ts";
import { readTomlTables, type TomlTable } from "./toml.ts";

/** gob's `.config/gobfile.toml`: `[[job]]` tables of command, description, autostart (false by default) and blocked. */
export function readGobfile(text: string, file: string): Draft {
  const names = new JobNames();
  const notes: Note[] = [];
  const tables = readTomlTables(text, file);
  const other = tables.find(({ name }) => name !== "job");
  if (other !== undefined)
    throw importInvalid(file, `[[${other.name}]] is not known; a gobfile has [[job]]`, other.line);
  const jobs = tables.map((table, index) => readJob(table, `job[${index}]`, file, names, notes));
  if (jobs.length === 0) throw importInvalid(file, "it has no [[job]]");
  return { jobs, notes };
}

function readJob(table: TomlTable, key: string, file: string, names: JobNames, notes: Note[]): DraftJob {
  const command = take(table, "command", "string", file);
  if (command === undefined || command.trim() === "")
    throw importInvalid(file, "the [[job]] has no command", table.line);
  const description = take(table, "description", "string", file);
  const autostart = take(table, "autostart", "boolean", file) ?? false;
  const blocked = take(table, "blocked", "boolean", file) ?? false;
  for (const unknown of table.values.keys())
    notes.push({ key: `${key}.${unknown}`, reason: "a gobfile has no such key" });
  const name = names.claim(nameFor(command));
  notes.push({ key, reason: `gob's jobs have no names; "${command}" is called "${name}" here` });
  return {
    name,
    command,
    ...(description && { description }),
    ...(!autostart && { autostart: false as const }),
    ...(blocked && { blocked: true as const }),
  };
}

/** Takes the value out of the table, so that what is left is unknown. */
function take<T extends "string" | "boolean">(table: TomlTable, key: string, type: T, file: string) {
  const found = table.values.get(key);
  table.values.delete(key);
  if (found === undefined) return undefined;
  const wanted = type === "string" ? "a text" : "true or false";
  if (typeof found.value !== type) throw importInvalid(file, `"${key}" must be ${wanted}`, found.line);
  return found.value as T extends "string" ? string : boolean;
}

/** `npm run dev` → dev; else the first two words that say something. */
function nameFor(command: string): string {
  const script = /^(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?([^\s-]\S*)/.exec(command)?.[1];
  if (script !== undefined) return script;
  const words = command.split(/\s+/).filter((word) => /^[\w./-]+$/.test(word) && !word.startsWith("-"));
  return words
    .slice(0, 2)
    .map((word) => word.replace(/^.*\/(?=.)/, "").replace(/\.\w+$/, ""))
    .join("-");
}
