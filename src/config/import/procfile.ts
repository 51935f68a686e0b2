import { type Draft, type DraftJob, importInvalid, JobNames, type Note } from "./draft.ts";

/** A Procfile: `name: command` lines; `#` begins a comment line. Each command ran in a shell there; here it gets one where it needs one. */
export function readProcfile(text: string, file: string, hasEnvFile: boolean): Draft {
  const names = new JobNames();
  const jobs: DraftJob[] = [];
  const notes: Note[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, written, command] = /^([A-Za-z0-9_-]+):\s*(\S.*?)\s*$/.exec(line) ?? [];
    if (written === undefined || command === undefined)
      throw importInvalid(file, `"${line}" is not "name: command"`, index + 1);
    const name = names.claim(written);
    if (name !== written) notes.push({ key: written, reason: `is called "${name}" here` });
    if (/\$\{?PORT\b/.test(command)) {
      notes.push({
        key: written,
        reason: "the Procfile's runner gave each process a $PORT",
        instead: `env: { PORT: … } in "${name}"`,
      });
    }
    jobs.push({
      name,
      command,
      ...(hasEnvFile && { env_file: ".env" }),
      // Heroku's release phase: run at a deploy, not with the rest.
      ...(written === "release" && { autostart: false as const }),
    });
  }
  if (jobs.length === 0) throw importInvalid(file, "it names no process");
  return { jobs, notes };
}
