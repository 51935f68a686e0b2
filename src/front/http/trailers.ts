import { withoutFields } from "./field-lines.ts";
import { Fields } from "./fields.ts";

/**
 * What may not stand in trailers, since who reads them late has decided without it (RFC 9110 §6.5.1): framing, routing, authentication, request modifiers and
 * how content is to be read. `Fields` takes out those of framing and of the connection.
 */
const NOT_IN_TRAILERS = new Set([
  "host",
  "expect",
  "max-forwards",
  "te",
  "via",
  "range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "if-range",
  "authorization",
  "www-authenticate",
  "cookie",
  "set-cookie",
  "content-encoding",
  "content-type",
  "content-range",
  "trailer",
  "age",
  "cache-control",
  "expires",
  "date",
  "location",
  "retry-after",
  "vary",
  "pragma",
]);

/**
 * `text`: field lines, without the empty one.
 * @throws HttpProblem
 */
export function allowedTrailers(text: string): string {
  const fields = new Fields();
  fields.read(`${text}\r\n`, 0, "request", false);
  return withoutFields(fields.lines, (name) => NOT_IN_TRAILERS.has(name));
}
