import type { Receipt, ReceiptState } from "../../protocol/mail-units.ts";
import type { PresenceWord } from "../../protocol/mail-words.ts";
import { escaped } from "../../protocol/untrusted-mail.ts";
import { cutEnd } from "../text/width.ts";
import { glyphOf, type Shown } from "./states.ts";
import { paint, type Theme } from "./theme.ts";

/** Words and glyphs of mail; the same as in the commands. */

/** What somebody else has written, in one line. */
export const harmlessName = (text: string): string => escaped(text.replace(/\s+/g, " ").trim());

export const arrowOf = ({ glyphs }: Theme): string => (glyphs ? "→" : "->");

export function presenceState(theme: Theme, presence: PresenceWord): Shown {
  const shown = (glyph: Parameters<typeof glyphOf>[1], tone: Shown["tone"]): Shown => ({
    glyph: glyphOf(theme, glyph),
    word: presence,
    short: "",
    tone,
  });
  switch (presence) {
    case "live":
    case "busy":
      return shown("live", "live");
    case "idle":
      return shown("quiet", "quiet");
    default:
      return shown("unknown", "quiet");
  }
}

/** From the least that has come of a message to the most; what is given up comes first. */
const STEPS: readonly ReceiptState[] = ["dead", "expired", "queued", "offered", "seen", "handled", "replied"];

/** How it stands with a message as a whole: as with the recipient that is furthest behind. What was only offered is queued. */
export function receiptState(theme: Theme, receipts: readonly Receipt[]): Shown | undefined {
  const state = STEPS.find((step) => receipts.some((receipt) => receipt.state === step));
  return state && stateOf(theme, state);
}

function stateOf(theme: Theme, state: ReceiptState): Shown {
  const shown = (glyph: Parameters<typeof glyphOf>[1], tone: Shown["tone"], word: string = state): Shown => ({
    glyph: glyphOf(theme, glyph),
    word,
    short: "",
    tone,
  });
  switch (state) {
    case "queued":
    case "offered":
      return shown("unknown", "quiet", "queued");
    case "seen":
      return shown("passing", "live");
    case "handled":
    case "replied":
      return shown("good", "good");
    case "dead":
    case "expired":
      return shown("bad", "bad");
    default:
      return shown("unknown", "quiet", String(state)); // a newer leader's
  }
}

/** `fox handled, owl queued` */
export function receiptsLine(theme: Theme, receipts: readonly Receipt[], columns: number): string {
  const state = receiptState(theme, receipts);
  if (!state) return "";
  const text = receipts.map(({ to, state: one }) => `${harmlessName(to)} ${stateOf(theme, one).word}`).join(", ");
  return paint(theme, state.tone, cutEnd(`${state.glyph} ${text}`, columns));
}
