/**
 * How things look. The sixteen ANSI colours, so that the terminal's own theme rules; a tone says what something means. Under NO_COLOR the tones are
 * plain, and only bold, underline and reverse are left.
 */
export type Tone = "live" | "attention" | "good" | "bad" | "quiet" | "accent" | "plain";

export interface Theme {
  color: boolean;
  /** False under WARREN_NO_EMOJI: plain characters instead of glyphs and round borders. */
  glyphs: boolean;
}

/** SGR parameters (ECMA-48 §8.3.117). */
const TONES: Record<Tone, string> = {
  live: "34",
  attention: "33",
  good: "32",
  bad: "31",
  quiet: "90",
  accent: "35",
  plain: "",
};

export const themeOf = (env: NodeJS.ProcessEnv): Theme => ({
  color: !env.NO_COLOR && env.TERM !== "dumb",
  glyphs: !env.WARREN_NO_EMOJI,
});

export const paint = (theme: Theme, tone: Tone, text: string): string =>
  sgr(theme.color && tone !== "plain" ? TONES[tone] : "", text);

export const bold = (text: string): string => sgr("1", text);
/** For what is selected and for matches: no colour, so it holds under NO_COLOR too. */
export const reverse = (text: string): string => sgr("7", text);
/** The match that the search stands on. */
export const reverseTone = (theme: Theme, tone: Tone, text: string): string =>
  sgr(theme.color && tone !== "plain" ? `7;${TONES[tone]}` : "7;1", text);

const sgr = (parameters: string, text: string): string =>
  parameters === "" || text === "" ? text : `\x1b[${parameters}m${text}\x1b[0m`;
