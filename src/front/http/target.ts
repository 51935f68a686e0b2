import {
  HEX,
  PATH,
  PATH_AFTER_SLASH,
  PATH_PERCENT,
  PERCENT,
  QUERY,
  QUESTION,
  SLASH,
  UNRESERVED,
} from "./characters.ts";
import { refuse } from "./problem.ts";

/**
 * The request target (RFC 9112 §3.2), taken apart. One rule makes what is matched and what is sent on the same: percent-encoded unreserved characters (RFC
 * 3986 §2.3, §6.2.2.2) stand as themselves, the digits of the others in upper case (§6.2.2.1), everything else stands as it came. What servers and programs read differently is refused: `//`, the segments `.`
 * and `..` (also encoded), `%2F`, `%5C`, `%00`, a backslash, a percent sign without two digits, and bytes that are not visible ASCII.
 * The query is passed on as it is.
 */
export interface RequestTarget {
  path: string;
  query: string | undefined;
  /** Of an absolute form: its authority. */
  authority: string | undefined;
}

/** From `at` to the space at its end, of which the caller has made sure. */
export function requestTarget(text: string, at: number, end: number, method: string): RequestTarget {
  if (text.charCodeAt(at) === SLASH) return originForm(text, at, end, undefined);
  if (end - at === 1 && text.charCodeAt(at) === 0x2a && method === "OPTIONS")
    return { path: "*", query: undefined, authority: undefined };
  return absoluteForm(text, at, end, method);
}

/** §3.2.2: a server has to take it. Only of http: nobody reaches another scheme's resources through us. */
function absoluteForm(text: string, at: number, end: number, method: string): RequestTarget {
  if (text.slice(at, at + 7).toLowerCase() !== "http://") refuse(400, "the target's form");
  let authorityEnd = at + 7;
  for (; authorityEnd < end; authorityEnd++) {
    const code = text.charCodeAt(authorityEnd);
    if (code === SLASH || code === QUESTION) break;
  }
  const authority = text.slice(at + 7, authorityEnd);
  if (authorityEnd === end) return { path: method === "OPTIONS" ? "*" : "/", query: undefined, authority };
  if (text.charCodeAt(authorityEnd) === SLASH) return originForm(text, authorityEnd, end, authority);
  return { ...originForm(`/${text.slice(authorityEnd, end)}`, 0, end - authorityEnd + 1, authority) };
}

function originForm(text: string, at: number, end: number, authority: string | undefined): RequestTarget {
  let position = at;
  let needsLook = false;
  let wasSlash = false;
  for (; position < end; position++) {
    const code = text.charCodeAt(position);
    const mark = PATH[code]!;
    if (mark === 1) wasSlash = false;
    else if (mark === 0) break;
    else {
      if (mark === PATH_PERCENT || (mark === PATH_AFTER_SLASH && wasSlash)) needsLook = true;
      wasSlash = code === SLASH;
    }
  }
  const raw = text.slice(at, position);
  const path = needsLook ? normalised(raw) : raw;
  if (position === end) return { path, query: undefined, authority };
  if (text.charCodeAt(position) !== QUESTION) refuse(400, "a character in the path");
  const queryStart = position + 1;
  for (position = queryStart; position < end; position++)
    if (QUERY[text.charCodeAt(position)] !== 1) refuse(400, "a character in the query");
  return { path, query: text.slice(queryStart, end), authority };
}

function normalised(raw: string): string {
  const path = raw.includes("%") ? decodedUnreserved(raw) : raw;
  if (path.includes("//")) refuse(400, "an empty segment in the path");
  if (/\/\.\.?(?:\/|$)/.test(path)) refuse(400, "a dot segment in the path");
  return path;
}

function decodedUnreserved(raw: string): string {
  let path = "";
  let from = 0;
  for (let at = raw.indexOf("%"); at >= 0; at = raw.indexOf("%", at + 3)) {
    const high = HEX[raw.charCodeAt(at + 1)] ?? -1;
    const low = HEX[raw.charCodeAt(at + 2)] ?? -1;
    if (high < 0 || low < 0) refuse(400, "a percent sign in the path");
    const code = high * 16 + low;
    if (code === 0 || code === SLASH || code === 0x5c) refuse(400, "an escaped slash or NUL in the path");
    const character = UNRESERVED[code] === 1 ? String.fromCharCode(code) : raw.slice(at, at + 3).toUpperCase();
    path += raw.slice(from, at) + character;
    from = at + 3;
  }
  return path + raw.slice(from);
}

/** For a target that was put together by rules of ours: a worker must not be asked for what a client may not ask us for. */
export function isSendableTarget(target: string): boolean {
  const mark = target.indexOf("?");
  const pathEnd = mark < 0 ? target.length : mark;
  if (target === "*") return true;
  if (target.charCodeAt(0) !== SLASH) return false;
  for (let at = 0; at < pathEnd; at++) {
    const code = target.charCodeAt(at);
    if (code !== PERCENT && !PATH[code]) return false;
  }
  for (let at = pathEnd + 1; at < target.length; at++) if (QUERY[target.charCodeAt(at)] !== 1) return false;
  return true;
}
