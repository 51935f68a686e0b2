/** Which bytes may stand where, as tables over one latin1 character (RFC 9110 §5.5 and §5.6.2, RFC 3986 §2 and §3). */

const table = (characters: string): Uint8Array => {
  const marks = new Uint8Array(256);
  for (let at = 0; at < characters.length; at++) marks[characters.charCodeAt(at)] = 1;
  return marks;
};

const ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** Marks of TOKEN: an underscore is a character of a name like any other, but programs that are given fields as variables take it for a dash. */
export const UNDERSCORE = 2;

/** RFC 9110 §5.6.2: tchar. */
export const TOKEN: Uint8Array = table(`!#$%&'*+-.^\`|~${ALPHANUMERIC}`);
TOKEN[0x5f] = UNDERSCORE;

/** RFC 9110 §5.5: VCHAR, obs-text, space and tab. */
export const VALUE: Uint8Array = table("\t");
for (let code = 0x20; code <= 0xff; code++) if (code !== 0x7f) VALUE[code] = 1;

/** RFC 3986 §3.2.2 and §3.2.3, without user information: reg-name, IP-literal, port. Without the comma, which some take for the end of one of two. */
export const HOST: Uint8Array = table(`${ALPHANUMERIC}-._~:[]!$&'()*+;=%`);

/** RFC 3986 §2.3. */
export const UNRESERVED: Uint8Array = table(`${ALPHANUMERIC}-._~`);

/** Marks of PATH: it needs a closer look after a slash (dot, slash), or always (percent). */
export const PATH_AFTER_SLASH = 2;
export const PATH_PERCENT = 3;

/**
 * What stands in a path as it is: every visible character but those that browsers escape (`"`, `<`, `>`), that some servers take for a slash (`\`), or that
 * end a path (`?`, `#`). RFC 3986 §3.3 allows fewer; browsers send `[`, `]`, `|` and `^`.
 */
export const PATH: Uint8Array = new Uint8Array(256);
/** As a path, and `?`, `\`, `"`, `<` and `>`: a query is passed on as it is (RFC 3986 §3.4 allows fewer). */
export const QUERY: Uint8Array = new Uint8Array(256);
for (let code = 0x21; code <= 0x7e; code++) {
  const character = String.fromCharCode(code);
  if (!'"<>\\?#'.includes(character)) PATH[code] = 1;
  if (character !== "#") QUERY[code] = 1;
}
PATH[0x2e] = PATH_AFTER_SLASH;
PATH[0x2f] = PATH_AFTER_SLASH;
PATH[0x25] = PATH_PERCENT;

/** The value of a hexadecimal digit, or -1. */
export const HEX: Int8Array = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  HEX[digit.toString(16).charCodeAt(0)] = digit;
  HEX[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

export const CR = 0x0d;
export const LF = 0x0a;
export const SPACE = 0x20;
export const TAB = 0x09;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const SLASH = 0x2f;
export const PERCENT = 0x25;
export const QUESTION = 0x3f;

/** Whether `text` has `lower` (in lower case: letters, digits, dashes) at `at`, in any case. */
export function matchesAt(text: string, at: number, lower: string): boolean {
  for (let index = 0; index < lower.length; index++)
    if ((text.charCodeAt(at + index) | 0x20) !== lower.charCodeAt(index)) return false;
  return true;
}

export const equalsIgnoringCase = (text: string, lower: string): boolean =>
  text.length === lower.length && matchesAt(text, 0, lower);

export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (!TOKEN[text.charCodeAt(at)]) return false;
  return text.length > 0;
}
