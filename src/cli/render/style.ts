/** Colour and weight in the sixteen ANSI colours, so that the user's theme rules; the identity where there is none. */
export type Tone = "live" | "attention" | "good" | "bad" | "quiet" | "accent";

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  tone(tone: Tone, text: string, dim?: boolean): string;
}

const CODES: Record<Tone, number> = { live: 34, attention: 33, good: 32, bad: 31, quiet: 90, accent: 35 };

const wrap = (codes: string, text: string): string => (text === "" ? "" : `\x1b[${codes}m${text}\x1b[0m`);

export const COLOURED: Style = {
  bold: (text) => wrap("1", text),
  dim: (text) => wrap("2", text),
  tone: (tone, text, dim) => wrap(dim ? `2;${CODES[tone]}` : String(CODES[tone]), text),
};

export const PLAIN: Style = { bold: (text) => text, dim: (text) => text, tone: (_tone, text) => text };
