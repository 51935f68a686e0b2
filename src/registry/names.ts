import { WarrenError } from "../protocol/errors.ts";
import { NAME_PATTERN } from "../protocol/names.ts";

/**
 * The names of servers: adjectives and participles with one icon each. Every icon is a single code point of Unicode 12 or older that is shown
 * as an emoji without a variation selector (others are drawn as boxes in some terminals' titles), and belongs to one name.
 */
export const SERVER_NAMES = {
  blazing: "🔥",
  frozen: "🧊",
  swift: "⚡",
  dark: "🌑",
  bright: "✨",
  crystal: "💎",
  iron: "🔩",
  wild: "🌿",
  stone: "🗿",
  silent: "🔇",
  golden: "⭐",
  ancient: "🏺",
  stormy: "☔",
  misty: "🌁",
  icy: "⛄",
  cosmic: "🌌",
  lunar: "🌙",
  solar: "🌞",
  crimson: "🔴",
  azure: "🔵",
  emerald: "💚",
  amber: "🟠",
  violet: "🟣",
  proud: "👑",
  hollow: "⭕",
  rising: "🌅",
  falling: "🍂",
  rushing: "🌊",
  spinning: "💫",
  blooming: "🌸",
  sleeping: "💤",
  flowing: "💧",
  drifting: "🍃",
  howling: "🌀",
  dancing: "💃",
  dreaming: "💭",
  seeking: "🔍",
  waiting: "⏳",
  burning: "🌋",
  glowing: "💡",
} as const;

/** For a name that the user gave and that does not begin with one of our words. */
export const FALLBACK_SERVER_ICON = "🔮";

const icons: ReadonlyMap<string, string> = new Map(Object.entries(SERVER_NAMES));
const words: readonly string[] = Object.keys(SERVER_NAMES);

/** Their sockets stand beside the servers': the keeper's, and the mailbox's leader's. */
const RESERVED: ReadonlySet<string> = new Set(["keeper", "mail"]);

/** @throws SERVER_NAME_INVALID for a name that a user gave and no server may have. */
export function checkServerName(name: string): void {
  if (NAME_PATTERN.test(name) && !RESERVED.has(name)) return;
  throw new WarrenError(
    "SERVER_NAME_INVALID",
    RESERVED.has(name)
      ? `"${name}" cannot be a server's name: it is Warren's own.`
      : `"${name}" cannot be a server's name: a lower-case letter, then at most 31 of a-z, 0-9 and "-".`,
    { fix: "warren serve --server-name swift" },
  );
}

/** The icon of the name, or of its first word (`blazing-swift` has 🔥), else 🔮. Whether icons are shown is the face's decision. */
export function serverIcon(name: string): string {
  return icons.get(name) ?? icons.get(name.split("-", 1)[0]!) ?? FALLBACK_SERVER_ICON;
}

/**
 * A name that is not in `taken`: one free word; when all are taken, two (`blazing-swift`); past those, a word and a number. The caller claims
 * it by its lock and comes back with a larger `taken` when another process was faster.
 *
 * @param below an integer in [0, limit)
 */
export function pickServerName(
  taken: ReadonlySet<string>,
  below: (limit: number) => number = (limit) => Math.floor(Math.random() * limit),
): string {
  const free = (names: readonly string[]) => names.filter((name) => !taken.has(name));
  const choose = (names: readonly string[]): string | undefined => names[below(Math.max(1, names.length))];
  return choose(free(words)) ?? choose(free(twoWords())) ?? numbered(taken);
}

function twoWords(): string[] {
  return words.flatMap((first) => words.filter((second) => second !== first).map((second) => `${first}-${second}`));
}

function numbered(taken: ReadonlySet<string>): string {
  let number = 2;
  while (taken.has(`${words[0]}-${number}`)) number++;
  return `${words[0]}-${number}`;
}
