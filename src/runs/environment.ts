/**
 * Whether an environment comes out of a shell as it went in. It does not always: dash drops every name that is not an identifier (`A.B`,
 * `npm_config_//registry/:_authToken`), both shells reset some variables, and bash obeys others (SHELLOPTS=errexit) or imports functions from them
 * (`BASH_FUNC_printf%%`). Such an environment goes around the shell: see `exec-exact.ts`.
 *
 * PWD is not compared: a shell sets it to its working directory, and so do we. Under bash, `_` is lost and SHLVL comes out as a number.
 */

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Set, reset, obeyed or refused by dash 0.5 or bash 5 (found by passing each name through both), and the shim's own. */
const SHELL_NAMES = new Set([
  "COMP_WORDBREAKS",
  "ENV",
  "EPOCHREALTIME",
  "EPOCHSECONDS",
  "HISTCMD",
  "IFS",
  "LINENO",
  "OPTERR",
  "OPTIND",
  "PPID",
  "PS1",
  "PS2",
  "PS4",
  "RANDOM",
  "SHELLOPTS",
  "SRANDOM",
  "W_LINE",
  "W_TAG",
]);

export function passesShell(env: Readonly<Record<string, string>>): boolean {
  return Object.keys(env).every((name) => IDENTIFIER.test(name) && !SHELL_NAMES.has(name) && !name.startsWith("BASH"));
}

/** From "KEY=value" strings; the last of a name counts, and a string without a name or without "=" is no variable. */
export function environmentOf(env: readonly string[]): Record<string, string> {
  const record: Record<string, string> = Object.create(null);
  for (const assignment of env) {
    const equals = assignment.indexOf("=");
    if (equals > 0) record[assignment.slice(0, equals)] = assignment.slice(equals + 1);
  }
  return record;
}

/** The value of one variable in "KEY=value" strings. */
export function valueIn(env: readonly string[], name: string): string | undefined {
  return env.findLast((assignment) => assignment.startsWith(`${name}=`))?.slice(name.length + 1);
}
