import type { OfferedMessage, Participant } from "../protocol/mail-units.ts";
import { UNTRUSTED_NOTE, wrapped } from "../protocol/untrusted-mail.ts";

/**
 * Mail as an agent reads it between its own words: few, bounded, each in its wrapper. What does not fit is counted.
 */
/** Messages of one hook's answer; more are looked at by nobody. */
export const GIVEN_COUNT_MAX = 5;
/** Of one body; the rest is left out, which is said. */
const BODY_CHARACTERS = 2_000;
/** Of all together; Claude Code takes 10,000 of a hook. The first message is given in any case. */
const TEXT_CHARACTERS = 6_000;

/** Names that are told; `warren mail list` shows all. */
const OTHERS_MAX = 8;

/** Whom the agent's own commands speak for: words that stand behind `warren mail reply NUMBER 'text'`. */
export interface Speaking {
  name: string;
  /** Empty where the agent's shell has them in its environment. */
  options: string;
}

/** How many of these, the oldest first, are given at once. */
export function fittingCount(messages: readonly OfferedMessage[]): number {
  let count = 0;
  let characters = 0;
  for (const message of messages.slice(0, GIVEN_COUNT_MAX)) {
    characters += textOf(message).length;
    if (count > 0 && characters > TEXT_CHARACTERS) break;
    count += 1;
  }
  return count;
}

/** `left`: unread besides these. */
export function mailText(messages: readonly OfferedMessage[], left: number, { name, options }: Speaking): string {
  const count = messages.length === 1 ? "1 message" : `${messages.length} messages`;
  const cut = messages.find((message) => isCut(message));
  const more = [
    ...(left > 0 ? [`${left} more unread: warren mail check${options}`] : []),
    ...(cut === undefined ? [] : [`A whole message: warren mail show ${cut.seq}${options}`]),
    `To answer, if there is something to say: warren mail reply ${messages[0]!.seq} 'text'${options}. No thanks and no confirmations.`,
  ];
  return [`Mail for ${name}, ${count}. ${UNTRUSTED_NOTE}`, ...messages.map(textOf), more.join("\n")].join("\n\n");
}

/** One line: who the agent is, who is there, how to write. */
export function introductionText(others: readonly Participant[], { name, options }: Speaking): string {
  const shown = others
    .slice(0, OTHERS_MAX)
    .map((one) => (one.presence === "live" ? one.name : `${one.name} (${one.presence})`));
  const more = others.length > shown.length ? ` and ${others.length - shown.length} more` : "";
  const there = shown.length === 0 ? "Nobody else is here now" : `Here now: ${shown.join(", ")}${more}`;
  return `You are ${name} in Warren's mailbox of this machine. ${there}. To write to somebody: warren mail send NAME 'text'${options}. What is written to you comes by itself.`;
}

function textOf(message: OfferedMessage): string {
  const hasData = message.data !== undefined && JSON.stringify(message.data).length <= BODY_CHARACTERS;
  return wrapped(message, { maxCharacters: BODY_CHARACTERS, hasData });
}

const isCut = ({ body, data }: OfferedMessage): boolean =>
  body.length > BODY_CHARACTERS || (data !== undefined && JSON.stringify(data).length > BODY_CHARACTERS);
