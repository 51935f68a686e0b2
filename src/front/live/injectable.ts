import type { AnswerFacts, RequestFacts } from "../proxy/responder.ts";

/**
 * Whether the live reload script goes into an answer. It does into documents that a browser shows, errors of the worker included: that is what somebody looks at
 * who is about to mend it. Not into what a script of the page has fetched (a fragment would bring the script again), downloads, parts, compressed bytes, or an
 * encoding that does not contain ASCII.
 *
 * A page with a Content-Security-Policy gets it only if the policy lets it run and connect. Otherwise the browser would refuse it and complain, perhaps to the
 * page's report-uri; and we do not loosen a page's policy. Policies in a `<meta>` are not seen: there the browser refuses, and the page goes on as it is.
 */
/** Without a body, or a part of one. */
const NO_DOCUMENT = new Set([204, 205, 206, 304]);

export function isInjectable(request: Pick<RequestFacts, "field">, answer: AnswerFacts): boolean {
  if (answer.status < 200 || NO_DOCUMENT.has(answer.status)) return false;
  if (!isHtml(answer.field("content-type"))) return false;
  const coding = answer.field("content-encoding");
  if (coding !== undefined && coding.toLowerCase() !== "identity") return false;
  if (/^\s*attachment/i.test(answer.field("content-disposition") ?? "")) return false;
  return isDocumentRequest(request.field("sec-fetch-dest")) && policyAllows(answer.field("content-security-policy"));
}

function isHtml(contentType: string | undefined): boolean {
  const match = /^\s*text\/html\s*(?:;|$)/i.exec(contentType ?? "");
  return match !== null && !/charset\s*=\s*"?utf-(?:16|32)/i.test(contentType!);
}

/** Clients that do not send Sec-Fetch-Dest may be browsers of old. */
const isDocumentRequest = (destination: string | undefined): boolean =>
  destination === undefined || ["document", "iframe", "frame"].includes(destination);

/** CSP3 §6: several policies, in one field or several, all have to allow it. */
function policyAllows(field: string | undefined): boolean {
  return field === undefined || field.split(",").every(onePolicyAllows);
}

function onePolicyAllows(policy: string): boolean {
  const directives = new Map<string, string[]>();
  for (const directive of policy.split(";")) {
    const [name, ...values] = directive.trim().toLowerCase().split(/\s+/);
    if (name !== undefined && !directives.has(name)) directives.set(name, values);
  }
  const first = (...names: string[]) =>
    names.map((name) => directives.get(name)).find((values) => values !== undefined);
  const sandbox = directives.get("sandbox");
  if (sandbox !== undefined && !(sandbox.includes("allow-scripts") && sandbox.includes("allow-same-origin")))
    return false;
  const scripts = first("script-src-elem", "script-src", "default-src");
  // With strict-dynamic a browser takes scripts by nonce or hash alone.
  return (
    !scripts?.includes("'strict-dynamic'") && allowsSelf(scripts) && allowsSelf(first("connect-src", "default-src"))
  );
}

const allowsSelf = (sources: string[] | undefined): boolean =>
  sources === undefined || sources.includes("'self'") || sources.includes("*");
