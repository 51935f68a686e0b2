import { mergeSettings, newerIn, type SetField, type Settings } from "../../protocol/settings.ts";
import type { SettingName } from "./settings.ts";

/** Which settings are the person's, on all their devices, and what becomes of them when they meet a machine's. Apart from their meaning, since nothing that is shown first needs it. */

/**
 * What is of this browser alone, and is neither given nor taken: what depends on its screen and its keyboard, what the browser itself has to allow, and the second look before an agent may do
 * something, which no machine's word is to switch off for the others. Everything else is the person's, what a newer app has set among it.
 */
const OF_THIS_BROWSER: ReadonlySet<string> = new Set<SettingName>([
  "terminalFontPx",
  "keyBar",
  "notifications",
  "confirmApprove",
  "everywhere",
]);

export const isOfThisBrowser = (name: string): boolean => OF_THIS_BROWSER.has(name);

/** What is the person's: of these, what goes everywhere. */
export const sharedOf = (settings: Settings): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => !isOfThisBrowser(name)));

/** With what somebody else has of the person's. */
export const withShared = (own: Settings, theirs: Settings): Settings => mergeSettings(own, sharedOf(theirs));

/**
 * With what a machine has answered to `sent`: of that its word counts, also where it says that a field was set earlier, since its clock then says that ours is ahead. Without that a browser with
 * such a clock would win over whatever is set elsewhere later.
 */
export function withAnswer(own: Settings, sent: Settings, answered: Settings): Settings {
  const settled = Object.entries(sent).flatMap(([name, field]): [string, SetField][] => {
    const theirs = answered[name];
    return theirs !== undefined && own[name] !== undefined && isField(own[name], field) ? [[name, theirs]] : [];
  });
  return withShared({ ...own, ...Object.fromEntries(settled) }, answered);
}

const isField = (one: SetField, other: SetField): boolean => one.at_ms === other.at_ms && one.by === other.by;

/** What this browser has of the person's that a machine, which has these, has not. */
export const newerThan = (own: Settings, theirs: Settings): Settings => newerIn(sharedOf(own), theirs);
