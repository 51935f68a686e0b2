import { copy } from "./copy.ts";
import { innerRows } from "./layout.ts";
import { awaitsMe, initialMail, type MailAsk, participantIndex, selectedEntry, selectedIndex } from "./mail.ts";
import { mailLayoutOf, mailPanelAt } from "./mail-layout.ts";
import { fitMail, openedRows, scrollOpened, wholeText, withMail } from "./mail-list.ts";
import { chain, type Model, type MouseInput, type Step } from "./model.ts";
import { say } from "./say.ts";
import { emptyInput } from "./text-input.ts";

/** What the keys do while the mail is open. */

const FAR = Number.MAX_SAFE_INTEGER;

const asking = (model: Model, ask: MailAsk): Step => [model, [{ kind: "mail", ask }]];

/** It begins empty: what it showed before may be long gone. */
export function openMail(model: Model): Step {
  if (model.mail.isOpen) return toParticipants(model);
  const mail = { ...initialMail(model.mail.me), isOpen: true };
  return asking({ ...model, mail, armed: null, search: null }, { ask: "watch", withName: null });
}

export function leaveMail(model: Model): Step {
  if (!model.mail.isOpen) return [model, []];
  return asking({ ...model, mail: initialMail(model.mail.me) }, { ask: "leave" });
}

/** One step back: from a message to the list, from the list to the participants, from there to the units. */
function mailBack(model: Model): Step {
  const { mail } = model;
  if (mail.opened) return [fitMail(withMail(model, { opened: null })), []];
  return mail.focus === "traffic" ? focusMail(model, "participants") : leaveMail(model);
}

function focusMail(model: Model, focus: Model["mail"]["focus"]): Step {
  return [fitMail(withMail(model, { focus, opened: focus === "participants" ? null : model.mail.opened })), []];
}

export const toParticipants = (model: Model): Step => focusMail(model, "participants");

export const focusOther = (model: Model): Step =>
  focusMail(model, model.mail.focus === "participants" ? "traffic" : "participants");

/** Undefined: the key moves nothing. */
export function mailMoveKey(model: Model, key: string): Step | undefined {
  switch (key) {
    case "j":
    case "down":
      return mailMove(model, 1);
    case "k":
    case "up":
      return mailMove(model, -1);
    case "g":
    case "home":
      return mailMove(model, -FAR);
    case "G":
    case "end":
      return mailMove(model, FAR);
    case "pgdn":
    case "ctrl-d":
      return mailMove(model, halfPage(model));
    case "pgup":
    case "ctrl-u":
      return mailMove(model, -halfPage(model));
    case "l":
    case "right":
      return focusMail(model, "traffic");
    case "h":
    case "left":
      return focusMail(model, "participants");
    case "J":
      return selectMessage(model, selectedIndex(model.mail) + 1);
    case "K":
      return selectMessage(model, selectedIndex(model.mail) - 1);
    case "esc":
      return mailBack(model);
    default:
      return undefined;
  }
}

function mailMove(model: Model, rows: number): Step {
  const { mail } = model;
  if (mail.opened) return [scrollOpened(model, rows), []];
  if (mail.focus === "traffic") return selectMessage(model, selectedIndex(mail) + rows);
  return selectParticipant(model, participantIndex(mail) + rows);
}

const halfPage = (model: Model): number => {
  const layout = mailLayoutOf(model);
  const rows = model.mail.opened ? openedRows(model) : innerRows(layout?.[model.mail.focus]);
  return Math.max(1, Math.floor(rows / 2));
};

function selectParticipant(model: Model, index: number): Step {
  const { participants, withName } = model.mail;
  const at = Math.max(0, Math.min(participants.length, index));
  const name = at === 0 ? null : participants[at - 1]!.name;
  if (name === withName) return [model, []];
  const next = withMail(model, { withName: name, selectedSeq: null, opened: null });
  return asking(fitMail(next), { ask: "watch", withName: name });
}

/** On the newest it goes along with it. */
function selectMessage(model: Model, index: number): Step {
  const { traffic, opened } = model.mail;
  if (traffic.length === 0) return [model, []];
  const at = Math.max(0, Math.min(traffic.length - 1, index));
  const selectedSeq = at === traffic.length - 1 ? null : traffic[at]!.message.seq;
  const next = fitMail(withMail(model, { selectedSeq }));
  return opened ? openMessage(next) : [next, []];
}

/** Enter: from a participant to its messages, from a message to all of it. */
export function openMessage(model: Model): Step {
  const { mail } = model;
  if (mail.focus === "participants") return focusMail(model, "traffic");
  const entry = selectedEntry(mail);
  return entry ? asking(model, { ask: "open", seq: entry.message.seq }) : [model, []];
}

export function reply(model: Model): Step {
  const message = shownMessage(model)?.message;
  if (!message) return say(model, "there is no message to answer; w writes one");
  const isMine = message.from === model.mail.me;
  const { id, from, seq } = message;
  const input = emptyInput();
  // What I wrote myself, and what was not sent to me, is no message that I could answer as such.
  const isToMe = !isMine && shownMessage(model)!.receipts.some(({ to }) => to === model.mail.me);
  const to = isMine ? message.addressed_to : from;
  return [{ ...model, overlay: { kind: "write", to, reply: isToMe ? { id, from, seq } : null, input } }, []];
}

/** To the participant that is selected; to a name that is typed when none is. */
export function write(model: Model): Step {
  const to = model.mail.withName;
  return [{ ...model, overlay: { kind: "write", to, reply: null, input: emptyInput(to === null ? "@" : "") } }, []];
}

export function acknowledge(model: Model): Step {
  const entry = shownMessage(model);
  if (!entry) return [model, []];
  const { from, seq } = entry.message;
  if (!awaitsMe(entry, model.mail)) return say(model, `${seq} is nothing that ${model.mail.me} has still to do`);
  return asking(model, { ask: "acknowledge", from, seq });
}

export const acknowledgeAll = (model: Model): Step => asking(model, { ask: "acknowledge-all" });

export function copyMessage(model: Model): Step {
  const entry = shownMessage(model);
  if (!entry) return [model, []];
  if (entry.isCut) return say(model, "enter opens all of it first; then y copies it");
  return copy(model, wholeText(entry), `message ${entry.message.seq} copied`);
}

const shownMessage = ({ mail }: Model) => mail.opened?.entry ?? selectedEntry(mail);

/** The text of the line that was typed: with `@name` before it where nobody is selected. */
export function sendWritten(
  model: Model,
  {
    to,
    reply: answered,
    input,
  }: { to: string | null; reply: { id: string; from: string } | null; input: { text: string } },
): Step {
  const text = input.text.trim();
  const next = { ...model, overlay: null };
  if (text === "" || text === "@") return [next, []];
  if (answered) return asking(next, { ask: "reply", id: answered.id, from: answered.from, body: text });
  const [, name, rest] = /^@?([A-Za-z0-9_-]+(?:@[A-Za-z0-9_.-]+)?):?\s+(.+)$/s.exec(text) ?? [];
  if (to !== null) return asking(next, { ask: "send", to, body: text });
  if (name === undefined) return say(model, "to whom? @NAME and the text", "error");
  return asking(next, { ask: "send", to: name, body: rest! });
}

/** A click selects, the wheel moves the cursor of the list that it is over. */
export function mailMouse(model: Model, mouse: MouseInput): Step {
  const layout = mailLayoutOf(model);
  const panel = layout && mailPanelAt(layout, mouse.x, mouse.y);
  if (!layout || (panel !== "participants" && panel !== "traffic")) return [model, []];
  const { opened, tops } = model.mail;
  const isOver = panel === "traffic" && opened !== null;
  if (mouse.kind === "wheel") {
    if (isOver) return [scrollOpened(model, mouse.lines), []];
    if (panel === "traffic") return selectMessage(model, selectedIndex(model.mail) + mouse.lines);
    return selectParticipant(model, participantIndex(model.mail) + Math.sign(mouse.lines));
  }
  const row = mouse.y - layout[panel].y - 1;
  if (mouse.kind !== "press" || row < 0 || row >= innerRows(layout[panel])) return [model, []];
  const index = row + tops[panel];
  return chain(
    model,
    (current) => focusMail(current, panel),
    (current) => {
      if (isOver) return [current, []];
      return panel === "traffic" ? selectMessage(current, index) : selectParticipant(current, index);
    },
  );
}
