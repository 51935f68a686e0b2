import { usageError } from "../usage-error.ts";

/** The letters of a participant's name: those of units, and those of other mailboxes' clients. */
const PARTICIPANT = /^[A-Za-z0-9_-]{1,32}$/;

/** Of a machine: of these letters its name is made (`mail join`). */
const MACHINE = /^[a-z0-9-]{1,32}$/;

/** A message of several words is taken for recipients. */
const TEXT_IN_QUOTES = "warren mail send fox 'hello there'      # the text in quotes";

/** Names, `name@machine`, `@group`, `@all`; also several with commas between. @throws USAGE */
export function recipientsOf(words: readonly string[]): string[] {
  const names = words.flatMap((word) => word.split(",")).filter((name) => name !== "");
  for (const name of names) checkAddress(name, TEXT_IN_QUOTES);
  if (names.length === 0) throw usageError("There is nobody to send it to.", "warren mail send fox 'hello'");
  return [...new Set(names)];
}

/** A name, `name@machine` or `@group`. @param fix is said where it is none. @throws USAGE */
export function checkAddress(address: string, fix: string): void {
  const at = address.indexOf("@");
  if (at <= 0) return void checkName(address.slice(at + 1), fix, address);
  checkName(address.slice(0, at), fix, address);
  if (!MACHINE.test(address.slice(at + 1)))
    throw usageError(
      `${JSON.stringify(address)} names no machine: 1 to 32 lower-case letters, digits or -.`,
      "warren mail machines",
    );
}

/** @param fix is said where it is none. @throws USAGE */
export function checkName(name: string, fix: string, shown = name): string {
  if (PARTICIPANT.test(name)) return name;
  throw usageError(`${JSON.stringify(shown)} is no participant's name: 1 to 32 letters, digits, - or _.`, fix);
}
