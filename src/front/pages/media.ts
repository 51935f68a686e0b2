/**
 * In which form a page that is ours is answered. A person's browser gets HTML, a program JSON, a terminal text. By this rule, the first that applies:
 *
 * 1. `Accept` names `text/html`, or `application/json` (or any `+json`): the one with the higher weight, the first of two equal ones.
 * 2. `Sec-Fetch-Dest: empty`, or `Sec-Fetch-Mode` is `cors` or `same-origin`: a script of a page has fetched it, with the `Accept` of fetch(), which is anything → JSON.
 * 3. `Sec-Fetch-Mode: navigate` → HTML.
 * 4. Otherwise text (curl, wget, health checks).
 */
export type Medium = "html" | "json" | "text";

export interface MediumFields {
  accept: string | undefined;
  fetchMode: string | undefined;
  fetchDest: string | undefined;
}

/** Longer lists come from nobody who wants to read an error. */
const ACCEPT_CHARS_MAX = 1_024;

export function mediumOf({ accept, fetchMode, fetchDest }: MediumFields): Medium {
  const named = accept === undefined ? undefined : preferred(accept.slice(0, ACCEPT_CHARS_MAX));
  if (named !== undefined) return named;
  if (fetchDest === "empty" || fetchMode === "cors" || fetchMode === "same-origin") return "json";
  return fetchMode === "navigate" ? "html" : "text";
}

function preferred(accept: string): "html" | "json" | undefined {
  let best: { medium: "html" | "json"; weight: number } | undefined;
  for (const item of accept.toLowerCase().split(",")) {
    const [type = "", ...parameters] = item.split(";").map((piece) => piece.trim());
    const medium = type === "text/html" ? "html" : /^application\/(?:json$|.+\+json$)/.test(type) ? "json" : undefined;
    if (medium === undefined) continue;
    const weight = weightOf(parameters);
    if (weight > (best?.weight ?? 0)) best = { medium, weight };
  }
  return best?.medium;
}

/** RFC 9110 §12.4.2. */
function weightOf(parameters: string[]): number {
  const text = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  const weight = text === undefined ? 1 : Number(text);
  return weight >= 0 && weight <= 1 ? weight : 1;
}
