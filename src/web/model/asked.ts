import type { ItemOf } from "../../protocol/conversation.ts";
import { openQuestions, type Talk, toolOf } from "./talk.ts";

/**
 * The questions of a machine's agents, as the inbox shows them: those that are open, and those that were seen open and are not any more, with who answered. Pure. Kept by the browser, so that
 * what a machine asked before it went away can still be read, and answered by a sealed approval.
 */
export interface Question {
  /** The session's id, and the question's own. */
  session: string;
  question: ItemOf<"permission">;
  /** What it is about; the arguments in full are its `raw_input`. */
  tool: ItemOf<"tool_call"> | undefined;
  /** The session's directory, as it was shown. */
  directory: string;
  /** When this browser saw it first, and when it saw that it is over. */
  seenMs: number;
  overMs?: number;
}
export type Asked = ReadonlyMap<string, Question>;

export const questionKey = (session: string, question: string): string => `${session}/${question}`;

/** Questions that are over are kept so many, the latest, so that nobody wonders where one went. */
const OVER_MAX = 20;

export type AskedAction =
  /** All of one session's conversation, as it is now. */
  | { type: "talk"; session: string; directory: string; talk: Talk; nowMs: number }
  /** The session does not need anybody, or is no more: of what it asked nothing is open. */
  | { type: "quiet"; session: string; nowMs: number }
  | { type: "put-away"; key: string }
  /** Of a former time; what was heard meanwhile is newer. */
  | { type: "remembered"; asked: Asked };

export function reduceAsked(asked: Asked, action: AskedAction): Asked {
  switch (action.type) {
    case "talk":
      return bounded(withTalk(asked, action));
    case "quiet":
      return bounded(withQuiet(asked, action));
    case "put-away": {
      const next = new Map(asked);
      next.delete(action.key);
      return next;
    }
    case "remembered":
      return new Map([...action.asked, ...asked]);
  }
}

export const isOpen = ({ question, overMs }: Question): boolean => question.state === "pending" && overMs === undefined;

/** How a question ended, in words: `Allow once, by Pixel 9`. */
export function endOf({ question: { state, option_id, options, by } }: Question): string {
  const name = options.find(({ optionId }) => optionId === option_id)?.name;
  const who = by === undefined ? "" : `, by ${by}`;
  if (state === "cancelled") return `withdrawn${who}`;
  return state === "answered" ? `${name ?? "answered"}${who}` : "answered elsewhere, or withdrawn";
}

function withTalk(asked: Asked, { session, directory, talk, nowMs }: Extract<AskedAction, { type: "talk" }>): Asked {
  const next = new Map(asked);
  const open = new Set<string>();
  for (const question of openQuestions(talk)) {
    const key = questionKey(session, question.id);
    open.add(key);
    const seenMs = asked.get(key)?.seenMs ?? nowMs;
    next.set(key, { session, question, tool: toolOf(talk, question), directory, seenMs });
  }
  for (const [key, known] of asked) {
    if (known.session !== session || open.has(key) || !isOpen(known)) continue;
    const now = talk.items.find((item): item is ItemOf<"permission"> => item.id === known.question.id);
    next.set(key, { ...known, question: now ?? known.question, overMs: nowMs });
  }
  return next;
}

function withQuiet(asked: Asked, { session, nowMs }: Extract<AskedAction, { type: "quiet" }>): Asked {
  const open = [...asked].filter(([, known]) => known.session === session && isOpen(known));
  if (open.length === 0) return asked;
  const next = new Map(asked);
  for (const [key, known] of open) next.set(key, { ...known, overMs: nowMs });
  return next;
}

function bounded(asked: Asked): Asked {
  const over = [...asked].filter(([, known]) => !isOpen(known)).sort(([, a], [, b]) => b.overMs! - a.overMs!);
  if (over.length <= OVER_MAX) return asked;
  const next = new Map(asked);
  for (const [key] of over.slice(OVER_MAX)) next.delete(key);
  return next;
}
