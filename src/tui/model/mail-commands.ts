import type { Command } from "./commands.ts";
import { awaitsMe, selectedEntry } from "./mail.ts";
import {
  acknowledge,
  acknowledgeAll,
  copyMessage,
  focusOther,
  openMessage,
  reply,
  toParticipants,
  write,
} from "./mail-verbs.ts";
import type { Model } from "./model.ts";

/** The verbs about mail, for the table of commands. */

const hasMessage = ({ mail }: Model): boolean => selectedEntry(mail) !== undefined;
const hasMine = ({ mail }: Model): boolean => {
  const entry = mail.opened?.entry ?? selectedEntry(mail);
  return entry !== undefined && awaitsMe(entry, mail);
};

export const MAIL_COMMANDS: readonly Command[] = [
  {
    id: "mail-open",
    title: "read it: of a participant its messages, of a message all",
    keys: ["enter"],
    hint: "read",
    unit: "mail",
    isEnabled: ({ mail }) => mail.opened === null,
    run: openMessage,
  },
  { id: "mail-reply", title: "reply", keys: ["r"], hint: "reply", unit: "mail", isEnabled: hasMessage, run: reply },
  {
    id: "mail-write",
    title: "write to who is selected, or @NAME",
    keys: ["w"],
    hint: "write",
    unit: "mail",
    run: write,
  },
  {
    id: "mail-acknowledge",
    title: "acknowledge: done, with what its sender wrote you before",
    keys: ["a"],
    hint: "done",
    unit: "mail",
    isEnabled: hasMine,
    run: acknowledge,
  },
  { id: "mail-acknowledge-all", title: "acknowledge all your mail", keys: ["A"], unit: "mail", run: acknowledgeAll },
  { id: "mail-copy", title: "copy its text", keys: ["y"], unit: "mail", isEnabled: hasMessage, run: copyMessage },
  { id: "mail-participants", title: "go to participants", keys: ["6"], unit: "mail", run: toParticipants },
  { id: "mail-other", title: "the other list", keys: ["tab", "shift-tab"], unit: "mail", run: focusOther },
];

/** Why the key that was pressed does nothing now. */
export const mailRefusal = ({ mail }: Model, command: string): string => {
  if (command === "mail-acknowledge") return `this is nothing that ${mail.me} has still to do`;
  return command === "mail-open" ? "it is open; esc closes it" : "no message is selected";
};
