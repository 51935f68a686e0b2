import { invalidName } from "./errors.ts";

/** The forms of a participant's name. Wider than a unit's: claude-ipc's clients use capitals and underscores. */
export const MAIL_NAME_PATTERN = /^[A-Za-z0-9_-]{1,32}$/;

/** The mailbox itself: it sends notices, and nobody else has this name. */
export const SYSTEM = "system";
/** A person at a terminal who gave no name. */
export const PERSON = "you";
export const EVERYBODY = "@all";

export const isGroup = (address: string): boolean => address.startsWith("@");

/** @throws INVALID_NAME */
export function checkedName(name: string): string {
  if (!MAIL_NAME_PATTERN.test(name)) throw invalidName(name);
  return name;
}

/** A group's name, with or without its `@`. @throws INVALID_NAME */
export function checkedGroup(group: string): string {
  const name = isGroup(group) ? group.slice(1) : group;
  if (!MAIL_NAME_PATTERN.test(name) || `@${name}` === EVERYBODY) throw invalidName(group);
  return name;
}
