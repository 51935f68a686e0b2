import { randomBytes } from "node:crypto";
import type { KeeperChannel } from "../protocol/keeper-calls.ts";
import { TERMINAL_MARK } from "./agent-terminals.ts";
import type { SessionRecord } from "./record.ts";
import { hash64 } from "./stable-hash.ts";

/** How sessions, and the keeper's channels of their programs, are called. */

/** Ten characters, the first a digit, so that no id is a name. */
export const newSessionId = (): string => digits(randomBytes(8).readBigUInt64BE());

/** The same for the same request: a repeat after a lost answer finds what the first made. */
export const sessionIdFor = (requestId: string): string => digits(hash64(requestId));

const digits = (value: bigint): string => `${value % 10n}${(value / 10n).toString(36).padStart(9, "0").slice(-9)}`;

/** One program of a session: each resume has a channel of its own. */
export const channelIdOf = ({ id, resume_count }: SessionRecord): string =>
  resume_count === 0 ? id : `${id}.${resume_count}`;

export const sessionIdOf = (channelId: string): string => channelId.split(".", 1)[0]!;

/** A command that an agent runs, and not a session's program. */
export const isCommand = (channelId: string): boolean => channelId.includes(TERMINAL_MARK);

export const commandsOf = (sessionId: string, channels: readonly KeeperChannel[]): KeeperChannel[] =>
  channels.filter(({ id }) => id.startsWith(`${sessionId}${TERMINAL_MARK}`));
