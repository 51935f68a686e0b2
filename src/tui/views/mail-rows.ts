import type { Participant } from "../../protocol/mail-units.ts";
import { presenceWord } from "../../protocol/mail-words.ts";
import { awaitsMe, type MailEntry, participantIndex } from "../model/mail.ts";
import type { Model } from "../model/model.ts";
import { formatAge } from "../text/age.ts";
import { cutEnd, padStart, widthOf } from "../text/width.ts";
import { fit } from "./frame.ts";
import { arrowOf, harmlessName, presenceState, receiptState } from "./mail-text.ts";
import { glyphOf } from "./states.ts";
import { bold, paint, reverse, type Theme } from "./theme.ts";

/** Rows of the two lists of the mail. */

const AGE_COLUMNS = 4;
/** Below this width a state's glyph stands alone. */
const COLUMNS_FOR_WORD = 32;
const PRESENCE_COLUMNS = "unknown".length;
const COLUMNS_FOR_RECEIPT = 56;
const RECEIPT_COLUMNS = 8;

export function participantRows(theme: Theme, model: Model, columns: number, rows: number): string[] {
  const { mail } = model;
  const { participants, moreParticipants, tops } = mail;
  const selected = participantIndex(mail);
  const all = [
    everybodyRow(theme, columns),
    ...participants.map((one) => participantRow(theme, one, columns, one.name === mail.me)),
  ];
  const shown = all.slice(tops.participants, tops.participants + rows).map(({ styled, plain }, at) => {
    if (tops.participants + at !== selected) return styled;
    return mail.focus === "participants" ? reverse(plain) : bold(plain);
  });
  const hasRoom = shown.length < rows;
  return moreParticipants > 0 && hasRoom ? [...shown, paint(theme, "quiet", `${moreParticipants} more`)] : shown;
}

interface Row {
  plain: string;
  styled: string;
}

function everybodyRow(theme: Theme, columns: number): Row {
  const text = fit(`${glyphOf(theme, "quiet")} everybody`, columns);
  return { plain: text, styled: text };
}

function participantRow(theme: Theme, one: Participant, columns: number, isMe: boolean): Row {
  // Who looks at this screen is here, though no process of that name may be.
  const { glyph, word, tone } = presenceState(theme, isMe && one.presence === "gone" ? "live" : presenceWord(one));
  const isWide = columns >= COLUMNS_FOR_WORD;
  const unread = one.unread > 0 ? `${one.unread}${isWide ? " unread" : ""}` : "";
  const right = [unread, isWide ? word.padEnd(PRESENCE_COLUMNS) : ""].filter((part) => part !== "").join("  ");
  const room = Math.max(0, columns - 2 - widthOf(right) - (right === "" ? 0 : 1));
  const name = fit(cutEnd(`${harmlessName(one.name)}${isMe && one.name !== "you" ? " (you)" : ""}`, room), room);
  const plain = fit(`${glyph} ${name}${right === "" ? "" : ` ${right}`}`, columns);
  const tail = [paint(theme, "attention", unread), isWide ? paint(theme, tone, word.padEnd(PRESENCE_COLUMNS)) : ""]
    .filter((part) => part !== "")
    .join("  ");
  return { plain, styled: fit(`${paint(theme, tone, glyph)} ${name}${tail === "" ? "" : ` ${tail}`}`, columns) };
}

/** How far it has come, number, from whom to whom, what it says, when. What waits for me is bold. */
export function trafficRow(
  theme: Theme,
  model: Model,
  entry: MailEntry,
  { columns, isSelected }: { columns: number; isSelected: boolean },
): string {
  const { message, receipts } = entry;
  const { mail, nowMs } = model;
  const state = receiptState(theme, receipts);
  const age = padStart(formatAge(nowMs - Date.parse(message.sent_at)), AGE_COLUMNS);
  const word = columns >= COLUMNS_FOR_RECEIPT ? ` ${fit(state?.word ?? "", RECEIPT_COLUMNS)}` : "";
  const room = columns - 2 - widthOf(word) - AGE_COLUMNS - 1;
  const arrow = arrowOf(theme);
  const who = cutEnd(
    `${message.seq} ${harmlessName(message.from)} ${arrow} ${harmlessName(message.addressed_to)}`,
    Math.floor(room * 0.6),
  );
  const asks = message.kind === "ask" ? "asks: " : "";
  const subject = message.subject === undefined ? "" : `${message.subject}: `;
  const text = `${asks}${harmlessName(`${subject}${message.body.slice(0, columns * 4)}`)}`;
  const said = cutEnd(`${who}  ${text}`, room);
  const plain = fit(`${state?.glyph ?? " "} ${fit(said, room)}${word} ${age}`, columns);
  if (isSelected) return mail.focus === "traffic" ? reverse(plain) : bold(plain);
  const isMine = awaitsMe(entry, mail);
  const styled = isMine ? bold(said) : `${said.slice(0, who.length)}${paint(theme, "quiet", said.slice(who.length))}`;
  const tone = state?.tone ?? "quiet";
  return fit(
    `${paint(theme, tone, state?.glyph ?? " ")} ${fit(styled, room)}${paint(theme, tone, word)} ${paint(theme, "quiet", age)}`,
    columns,
  );
}
