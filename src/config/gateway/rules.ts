import type { ValueOf } from "../field.ts";
import type { Source } from "./config-source.ts";
import type { RuleRoute } from "./gateway-config.ts";
import type { REDIRECTS_FIELD, REWRITES_FIELD } from "./route-fields.ts";
import { accepted, hostsOf, methodsOf, type Read, readPath } from "./route-values.ts";

/** Rewrites and redirects, as warren.yaml and worker.yaml have them. */

type Rewrites = ValueOf<typeof REWRITES_FIELD>;
type Redirects = ValueOf<typeof REDIRECTS_FIELD>;

/** A rule and the field that it was written in. */
export interface PlacedRule {
  at: string;
  rule: RuleRoute;
}

/** @param hosts those that a rule without hosts is for; none: all */
export function rewritesOf(
  written: Rewrites | undefined,
  field: string,
  source: Source,
  hosts: readonly string[] = [],
) {
  return entriesOf(written, field).flatMap(({ rule, at, toAt }) => {
    const to = accepted(readRewriteTarget(rule.to), toAt, source);
    return matchesOf(rule, at, source, hosts).flatMap((match): PlacedRule[] =>
      to === undefined ? [] : [{ at, rule: { ...match, kind: "rewrite", to } }],
    );
  });
}

export function redirectsOf(
  written: Redirects | undefined,
  field: string,
  source: Source,
  hosts: readonly string[] = [],
) {
  return entriesOf(written, field).flatMap(({ rule, at, toAt }) => {
    const to = accepted(readRedirectTarget(rule.to), toAt, source);
    const status = "status" in rule ? (rule.status ?? 307) : 307;
    if (!isRedirect(status)) source.report(`${at}.status`, `must be 301, 302, 307 or 308, not ${status}`);
    return matchesOf(rule, at, source, hosts).flatMap((match): PlacedRule[] =>
      to === undefined || !isRedirect(status) ? [] : [{ at, rule: { ...match, kind: "redirect", to, status } }],
    );
  });
}

const isRedirect = (status: number): status is 301 | 302 | 307 | 308 => [301, 302, 307, 308].includes(status);

interface WrittenRule {
  path: string;
  to: string;
  host?: string | string[];
  methods?: string | string[];
  status?: number;
}

function entriesOf(written: Rewrites | Redirects | undefined, field: string) {
  if (written instanceof Map)
    return [...written].map(([path, to]) => {
      const at = `${field}.${path}`;
      return { rule: { path, to } as WrittenRule, at, toAt: at };
    });
  return (written ?? []).flatMap((rule, index) => {
    const at = `${field}[${index}]`;
    // What is missing has been said by the checker.
    return rule.path === undefined || rule.to === undefined
      ? []
      : [{ rule: rule as WrittenRule, at, toAt: `${at}.to` }];
  });
}

function matchesOf(rule: WrittenRule, at: string, source: Source, ownHosts: readonly string[]) {
  const path = accepted(readPath(rule.path), `${at}.path`, source);
  const hosts = rule.host === undefined ? ownHosts : hostsOf(rule.host, `${at}.host`, source);
  if (path === undefined || (rule.host !== undefined && hosts.length === 0)) return [];
  const match = { path, ...methodsOf(rule.methods) };
  return hosts.length === 0 ? [match] : hosts.map((host) => ({ host, ...match }));
}

function readRewriteTarget(text: string): Read {
  if (/^[a-z][a-z0-9+.-]*:/i.test(text))
    return {
      message: `${JSON.stringify(text)} is a URL; a rewrite stays here, a redirect or a worker of type url leads elsewhere`,
    };
  return readTarget(text);
}

function readRedirectTarget(text: string): Read {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) return readTarget(text);
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    return { message: `must be a path or an http or https URL, not ${JSON.stringify(text)}` };
  return { value: url.href };
}

/** A path, perhaps with a query. Its ending slash stays, if it has one. */
function readTarget(text: string): Read {
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  const query = mark < 0 ? "" : text.slice(mark);
  if (/[^\x21-\x7e]|#/.test(query))
    return { message: `${JSON.stringify(query)} has a character that a query cannot have` };
  const read = readPath(path);
  if ("message" in read) return read;
  return { value: `${read.value}${path.endsWith("/") && read.value !== "/" ? "/" : ""}${query}` };
}
