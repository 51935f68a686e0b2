import { COMMANDS, isAbout } from "./commands.ts";
import { isLogPanel, type Model } from "./model.ts";

const MOVING_IN_MAIL: (readonly [string, string])[] = [
  ["j k ↓ ↑", "down, up"],
  ["g G", "first, last (the newest, as they come)"],
  ["pgdn pgup", "half a page (ctrl-d, ctrl-u)"],
  ["h l ← →", "participants, messages"],
  ["J K", "next, previous message from here"],
  ["esc", "back"],
];

/** The keys of the panel that has the focus, and only those. */
export function helpLines(model: Model): (readonly [keys: string, title: string])[] {
  const moving: (readonly [string, string])[] = model.mail.isOpen
    ? MOVING_IN_MAIL
    : isLogPanel(model.focus)
      ? [
          ["j k ↓ ↑", "down, up"],
          ["pgdn pgup", "half a page (ctrl-d, ctrl-u)"],
          ["g G", "first line; last line, following"],
          ["h l", "left, right by 4 columns"],
          ["esc", "back to units"],
        ]
      : [
          ["j k ↓ ↑", "down, up"],
          ["g G", "first, last"],
          ["pgdn pgup", "half a page (ctrl-d, ctrl-u)"],
          ["h l H L", "left, right by 4 columns"],
          ["J K", "scroll stdout from here"],
        ];
  const verbs = COMMANDS.filter(
    (command) =>
      command.keys !== undefined && (command.panels?.includes(model.focus) ?? true) && isAbout(model, command),
  ).map(({ keys, title }) => [keys!.join(" "), title] as const);
  const mouse = isLogPanel(model.focus)
    ? (["mouse", "wheel scrolls; drag copies lines"] as const)
    : (["mouse", "wheel scrolls; click selects"] as const);
  return [...moving, ...verbs, mouse];
}
