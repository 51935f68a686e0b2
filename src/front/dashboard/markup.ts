import { escapeHtml } from "../pages/escape.ts";

/** HTML that is safe as it stands; made by `html` alone. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Piece = Markup | string | number | undefined | false | readonly Piece[];

/** Whatever is put into the template is escaped, unless it is markup already; lists are joined, undefined and false are nothing. */
export function html(parts: TemplateStringsArray, ...pieces: Piece[]): Markup {
  return new Markup(parts.map((part, at) => part + textOf(pieces[at])).join(""));
}

function textOf(piece: Piece): string {
  if (piece === undefined || piece === false) return "";
  if (piece instanceof Markup) return piece.text;
  if (Array.isArray(piece)) return piece.map(textOf).join("");
  return escapeHtml(String(piece));
}
