import { randomInt } from "node:crypto";

/**
 * The names of sessions: nouns with one icon each, by the rules of the servers' names (`names.ts`), whose icons are not used here again.
 */
export const SESSION_NAMES = {
  fox: "🦊",
  owl: "🦉",
  bear: "🐻",
  wolf: "🐺",
  lion: "🦁",
  whale: "🐋",
  otter: "🦦",
  tiger: "🐯",
  panda: "🐼",
  koala: "🐨",
  frog: "🐸",
  monkey: "🐵",
  mouse: "🐭",
  rabbit: "🐰",
  hamster: "🐹",
  cat: "🐱",
  dog: "🐶",
  cow: "🐮",
  pig: "🐷",
  horse: "🐴",
  unicorn: "🦄",
  zebra: "🦓",
  deer: "🦌",
  goat: "🐐",
  sheep: "🐑",
  ram: "🐏",
  ox: "🐂",
  camel: "🐫",
  llama: "🦙",
  giraffe: "🦒",
  elephant: "🐘",
  rhino: "🦏",
  hippo: "🦛",
  gorilla: "🦍",
  orangutan: "🦧",
  kangaroo: "🦘",
  badger: "🦡",
  sloth: "🦥",
  skunk: "🦨",
  hedgehog: "🦔",
  raccoon: "🦝",
  leopard: "🐆",
  boar: "🐗",
  poodle: "🐩",
  bat: "🦇",
  eagle: "🦅",
  duck: "🦆",
  swan: "🦢",
  flamingo: "🦩",
  peacock: "🦚",
  parrot: "🦜",
  penguin: "🐧",
  chick: "🐤",
  rooster: "🐓",
  turkey: "🦃",
  turtle: "🐢",
  snake: "🐍",
  lizard: "🦎",
  dragon: "🐉",
  crocodile: "🐊",
  dolphin: "🐬",
  shark: "🦈",
  fish: "🐟",
  blowfish: "🐡",
  octopus: "🐙",
  squid: "🦑",
  crab: "🦀",
  lobster: "🦞",
  shrimp: "🦐",
  oyster: "🦪",
  snail: "🐌",
  butterfly: "🦋",
  caterpillar: "🐛",
  ant: "🐜",
  bee: "🐝",
  ladybird: "🐞",
  cricket: "🦗",
  scorpion: "🦂",
  mosquito: "🦟",
  microbe: "🦠",
  cactus: "🌵",
  palm: "🌴",
  pine: "🌲",
  oak: "🌳",
  maple: "🍁",
  clover: "🍀",
  rose: "🌹",
  tulip: "🌷",
  hibiscus: "🌺",
  sunflower: "🌻",
  daisy: "🌼",
  mushroom: "🍄",
  chestnut: "🌰",
  apple: "🍎",
  pear: "🍐",
  peach: "🍑",
  cherry: "🍒",
  lemon: "🍋",
  melon: "🍈",
  mango: "🥭",
  kiwi: "🥝",
  coconut: "🥥",
  avocado: "🥑",
  carrot: "🥕",
  broccoli: "🥦",
  garlic: "🧄",
  onion: "🧅",
  peanut: "🥜",
  pretzel: "🥨",
  waffle: "🧇",
  cookie: "🍪",
  rocket: "🚀",
  saturn: "🪐",
  anchor: "⚓",
  kite: "🪁",
  drum: "🥁",
  violin: "🎻",
  guitar: "🎸",
  trumpet: "🎺",
  compass: "🧭",
  lantern: "🏮",
  teapot: "🍵",
  castle: "🏰",
  canoe: "🛶",
  tractor: "🚜",
} as const;

/** For a name that the user gave and that is no word of ours. */
export const FALLBACK_SESSION_ICON = "📎";

const icons: ReadonlyMap<string, string> = new Map(Object.entries(SESSION_NAMES));
const words: readonly string[] = Object.keys(SESSION_NAMES);

/** The icon of the name, or of its first word (`fox-2` has 🦊), else 📎. */
export const sessionIcon = (name: string): string =>
  icons.get(name) ?? icons.get(name.split("-", 1)[0]!) ?? FALLBACK_SESSION_ICON;

/**
 * A name that is not in `taken`: a free noun, of the first free ones in the list's order while there are few sessions, so that a person meets the same
 * few names; past the list a noun and a number. The keeper decides whether it is free: the caller comes back with a larger `taken`.
 */
export function pickSessionName(
  taken: ReadonlySet<string>,
  below: (limit: number) => number = (limit) => randomInt(limit),
): string {
  const free = words.filter((word) => !taken.has(word));
  if (free.length > 0) return free[below(Math.min(free.length, CHOICE_COUNT))]!;
  for (let number = 2; ; number++) {
    const name = `${words[below(words.length)]}-${number}`;
    if (!taken.has(name)) return name;
  }
}

/** More than one, so that two that start at once seldom meet. */
const CHOICE_COUNT = 8;
