import type { FrontRoute } from "../../protocol/front-messages.ts";
import type { RuleRoute } from "./gateway-config.ts";
import { RouteMatcher } from "./matching.ts";
import type { PlacedRoute } from "./whole-checks.ts";

/** The front follows no more rewrites of one request: 508. */
const REWRITES_MAX = 8;
/** No browser follows more redirects. */
const HOPS_MAX = 20;
/** Rules times hosts that are tried; beyond it each rule is tried with its own host only. The front stops what is left. */
const TRIALS_MAX = 100_000;

/** Rules that lead to each other, found by going where a request would be led: from each rule's own path, and from a path below it. Each circle once. */
export function reportCircles(routes: readonly PlacedRoute[]): void {
  const rules = routes.filter(({ route }) => route.kind !== "worker");
  if (rules.length === 0) return;
  const matcher = new RouteMatcher(routes.map(({ route }) => route));
  const hosts = rules.length * matcher.hosts.length > TRIALS_MAX ? [""] : matcher.hosts;
  const reported = new Set<FrontRoute>();
  for (const { route, source, at } of rules) {
    if (reported.has(route)) continue;
    const starts = (route.host === undefined ? hosts : [route.host]).flatMap((host) =>
      [route.path, below(route.path)].map((path) => ({ host, path, method: route.methods?.[0] ?? "GET" })),
    );
    const walk = starts.map((start) => follow(matcher, start)).find(({ isEndless }) => isEndless);
    if (walk === undefined) continue;
    for (const rule of walk.rules) reported.add(rule);
    source.report(at, `${walk.isCircle ? "leads in a circle" : "leads on and on"}: ${shownWay(walk.paths)}`);
  }
}

const below = (path: string): string => `${path === "/" ? "" : path}/x`;
const shownWay = (paths: readonly string[]): string =>
  (paths.length > 10 ? [...paths.slice(0, 10), "…"] : paths).join(" → ");

interface Walk {
  paths: string[];
  rules: RuleRoute[];
  isCircle: boolean;
  isEndless: boolean;
}

/** Follows rewrites and redirects that stay on the host. */
function follow(
  matcher: RouteMatcher,
  { host, path: from, method }: { host: string; path: string; method: string },
): Walk {
  const walk: Walk = { paths: [from], rules: [], isCircle: false, isEndless: false };
  let rewriteCount = 0;
  for (let path = from; !walk.isEndless; ) {
    const found = matcher.find(host, path, method);
    if (found === undefined || found.kind === "worker" || !found.to.startsWith("/")) return walk;
    path = replaced(path, found);
    rewriteCount = found.kind === "rewrite" ? rewriteCount + 1 : 0;
    // A rule that applies again and again makes paths that grow.
    walk.isCircle = walk.paths.includes(path) || walk.rules.filter((rule) => rule === found).length > 1;
    walk.isEndless = walk.isCircle || rewriteCount > REWRITES_MAX || walk.rules.length === HOPS_MAX;
    walk.paths.push(path);
    walk.rules.push(found);
  }
  return walk;
}

function replaced(path: string, { path: prefix, to }: RuleRoute): string {
  const rest = prefix === "/" ? path : path.slice(prefix.length);
  const target = to.replace(/\?.*$/, "");
  if (rest === "" || (prefix === "/" && path === "/")) return target;
  return `${target.replace(/\/+$/, "")}${rest}`;
}
