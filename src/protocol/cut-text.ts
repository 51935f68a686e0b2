/** The first `characters` (UTF-16 units) of a text, without half of a surrogate pair at the end. */
export function cutText(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const last = text.charCodeAt(characters - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? characters - 1 : characters);
}

/** At most so many, with an ellipsis in the place of what was cut. */
export const shortText = (text: string, characters: number): string =>
  text.length <= characters ? text : `${cutText(text, characters - 1)}…`;
