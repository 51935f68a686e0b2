import type { ITheme } from "@xterm/xterm";

/** The app's colours (style/app.css) as a terminal's; the sixteen of ANSI in both themes legible on their ground. */
export function coloursOf(element: HTMLElement): ITheme {
  // Of the element itself: a token as it stands would be both themes' colour in one.
  const { backgroundColor, color, caretColor, outlineColor, colorScheme } = getComputedStyle(element);
  // "light dark": as the system; one of them alone: as the person has chosen.
  const isDark =
    colorScheme === "dark" || (colorScheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  return {
    background: backgroundColor,
    foreground: color,
    cursor: caretColor,
    selectionBackground: outlineColor,
    ...(isDark ? DARK : LIGHT),
  };
}

const DARK: ITheme = {
  black: "#15161E",
  red: "#F7768E",
  green: "#9ECE6A",
  yellow: "#E0AF68",
  blue: "#7AA2F7",
  magenta: "#BB9AF7",
  cyan: "#7DCFFF",
  white: "#A9B1D6",
  brightBlack: "#8A90A8",
  brightRed: "#FF9EB0",
  brightGreen: "#B9F27C",
  brightYellow: "#FFC777",
  brightBlue: "#9EBDFF",
  brightMagenta: "#D2B8FF",
  brightCyan: "#A4DAFF",
  brightWhite: "#E4E6F0",
};
const LIGHT: ITheme = {
  black: "#1A1B26",
  red: "#B3203F",
  green: "#3F7D20",
  yellow: "#8F5E00",
  blue: "#2F5FD0",
  magenta: "#6B3FB8",
  cyan: "#0F6E83",
  white: "#5B6178",
  brightBlack: "#4A5068",
  brightRed: "#9A1B36",
  brightGreen: "#34681B",
  brightYellow: "#7A5000",
  brightBlue: "#274FAE",
  brightMagenta: "#5A349B",
  brightCyan: "#0C5C6D",
  brightWhite: "#1A1B26",
};
