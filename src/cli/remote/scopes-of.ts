import type { RemoteDevice } from "../../protocol/remote-units.ts";
import { unknownChoice } from "../usage-error.ts";

type Scope = RemoteDevice["scopes"][number];
const SCOPES: readonly Scope[] = ["view", "type", "approve", "admin"];

export const SCOPES_HELP = `  view     see units, logs, conversations and mail; every device has it
  type     type into sessions, prompt agents, send mail
  approve  answer agents' questions
  admin    start, stop and change everything; pair and revoke devices`;

/** `view,type`. @throws USAGE */
export function scopesOf(flag: string, text: string): Scope[] {
  const words = text
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);
  if (words.length === 0) throw unknownChoice(flag, text, SCOPES);
  const wanted = words.map((word) => {
    const scope = SCOPES.find((one) => one === word);
    if (!scope) throw unknownChoice(flag, word, SCOPES);
    return scope;
  });
  return SCOPES.filter((scope) => scope === "view" || wanted.includes(scope));
}

/** `type and approve`: what it may besides looking. */
export function scopesText(scopes: readonly Scope[]): string {
  const more = scopes.filter((scope) => scope !== "view");
  if (more.length === 0) return "view alone";
  return more.length === 1 ? more[0]! : `${more.slice(0, -1).join(", ")} and ${more.at(-1)}`;
}
