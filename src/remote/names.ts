import { nameBad } from "./errors.ts";

/** What people call devices and hubs. It is shown in terminals, so nothing in it steers one, nor turns the text around. */
const NAME_LENGTH_MAX = 60;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;

const isSoundName = (name: string): boolean =>
  name.trim() !== "" && name.length <= NAME_LENGTH_MAX && !UNPRINTABLE.test(name);

/** @throws NAME_INVALID */
export function soundName(name: string): string {
  const trimmed = name.trim();
  if (!isSoundName(trimmed)) throw nameBad(name.slice(0, NAME_LENGTH_MAX));
  return trimmed;
}
