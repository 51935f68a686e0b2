/** What a key means while ctrl or ⌥ of the bar is held: as a keyboard of a terminal says it. */
export interface Sticky {
  isCtrl: boolean;
  isAlt: boolean;
}

export function withSticky(data: string, { isCtrl, isAlt }: Sticky): string {
  const code = data.charCodeAt(0);
  const hasControl = isCtrl && data.length === 1 && code >= 0x40 && code <= 0x7e;
  const keys = hasControl ? String.fromCharCode(code & 0x1f) : isCtrl && data === " " ? "\0" : data;
  return isAlt ? `\x1b${keys}` : keys;
}
