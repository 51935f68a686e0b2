/**
 * `to` in the place of a matched path, with what followed that path (`rest`: empty or beginning with `/`) and the asked query. A `to` that has a query
 * keeps it, and the asked one is added. Never gives a path that begins with `//`: to a browser that would be another host (RFC 3986 §4.2).
 */
export function replacePrefix(to: string, rest: string, query: string | undefined): string {
  const mark = to.indexOf("?");
  const target = mark < 0 ? to : to.slice(0, mark);
  const queries = [mark < 0 ? "" : to.slice(mark + 1), query ?? ""].filter(Boolean).join("&");
  const path = (rest === "" ? target : target.replace(/\/+$/, "") + rest).replace(/^\/{2,}/, "/") || "/";
  return queries === "" ? path : `${path}?${queries}`;
}

/** The path and the query of a target; no query is undefined, an empty one (`/x?`) is "". */
export function splitTarget(target: string): { path: string; query: string | undefined } {
  const mark = target.indexOf("?");
  return mark < 0 ? { path: target, query: undefined } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}
