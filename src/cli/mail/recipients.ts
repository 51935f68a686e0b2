import { usageError } from "../usage-error.ts";

/** The letters of a participant's name: those of units, and those of other mailboxes' clients. */
const PARTICIPANT = /^[A-Za-z0-9_-]{1,32}$/;

/** Names, `@group`, `@all`; also several with commas between. @throws USAGE */
export function recipientsOf(words: readonly string[]): string[] {
  const names = words.flatMap((word) => word.split(",")).filter((name) => name !== "");
  for (const name of names) checkName(name.startsWith("@") ? name.slice(1) : name, name);
  if (names.length === 0) throw usageError("There is nobody to send it to.", "warren mail send fox 'hello'");
  return [...new Set(names)];
}

export function checkName(name: string, shown = name): string {
  if (PARTICIPANT.test(name)) return name;
  throw usageError(
    `${JSON.stringify(shown)} is no participant's name: 1 to 32 letters, digits, - or _.`,
    "warren mail send fox 'hello there'      # the text in quotes",
  );
}
