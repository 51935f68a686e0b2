import type { FrontRoute } from "../../protocol/front-messages.ts";
import type { Source } from "./config-source.ts";
import type { PortRange, RuleRoute, WorkerConfig } from "./gateway-config.ts";
import { RouteMatcher } from "./matching.ts";

/** What can only be seen of all of a project's files together. */

/** A route, and where it was written. */
export interface PlacedRoute {
  route: FrontRoute;
  /** `the worker api`, `a rule of the worker api`, `a rule of the gateway`. */
  owner: string;
  source: Source;
  at: string;
}

/** Two routes with the same host and path need methods of their own; those without methods take what the others leave. */
export function reportConflicts(routes: readonly PlacedRoute[]): void {
  const byPlace = new Map<string, PlacedRoute[]>();
  for (const placed of routes) {
    const place = shown(placed.route);
    const others = byPlace.get(place) ?? [];
    const other = others.find(({ route }) => overlap(route.methods, placed.route.methods).length > 0);
    if (other !== undefined)
      placed.source.report(
        placed.at,
        `${place} is ${forMethods(other, placed)}${other.owner}'s already, in ${other.source.file}`,
      );
    byPlace.set(place, [...others, placed]);
  }
}

function forMethods(one: PlacedRoute, other: PlacedRoute): string {
  const methods = overlap(one.route.methods, other.route.methods).filter((method) => method !== ALL);
  return methods.length === 0 ? "" : `for ${methods.join(", ")} `;
}

const ALL = "*";

function overlap(one: readonly string[] = [ALL], other: readonly string[] = [ALL]): string[] {
  return one.filter((method) => other.includes(method));
}

/** What the front answers itself, before it looks at routes. */
export function reportReserved(routes: readonly PlacedRoute[], hasPublicMetrics: boolean): void {
  for (const { route, source, at } of routes) {
    const { path } = route;
    const isOurs = path === "/health" || (path === "/metrics" && hasPublicMetrics) || /^\/\.warren(\/|$)/.test(path);
    if (isOurs) source.report(at, `${path} is the gateway's own`, "give it another path");
  }
}

/** More hops are refused by the front, with 508. */
const HOPS_MAX = 8;
/** Rules times hosts that are tried; beyond it each rule is tried with its own host only. The front stops what is left. */
const TRIALS_MAX = 100_000;

/** Rules that lead to each other: found by going where a browser would be led from each rule's own path, and from a path below it. */
export function reportCircles(routes: readonly PlacedRoute[]): void {
  const rules = routes.filter(({ route }) => route.kind !== "worker");
  if (rules.length === 0) return;
  const matcher = new RouteMatcher(routes.map(({ route }) => route));
  const hosts = rules.length * matcher.hosts.length > TRIALS_MAX ? [""] : matcher.hosts;
  const reported = new Set<FrontRoute>();
  for (const { route, source, at } of rules) {
    if (reported.has(route)) continue;
    const tried = route.host === undefined ? hosts : [route.host];
    const circle = tried
      .flatMap((host) => [route.path, below(route.path)].map((path) => circleFrom(matcher, host, path, route)))
      .find((found) => found !== undefined);
    if (circle === undefined) continue;
    for (const each of circle.rules) reported.add(each);
    source.report(at, `leads in a circle: ${circle.paths.join(" → ")}`);
  }
}

const below = (path: string): string => `${path === "/" ? "" : path}/x`;

/** Follows rewrites and redirects that stay on the host, from a path that `first` matches. */
function circleFrom(
  matcher: RouteMatcher,
  host: string,
  from: string,
  first: FrontRoute,
): { paths: string[]; rules: RuleRoute[] } | undefined {
  const method = first.methods?.[0] ?? "GET";
  const paths = [from];
  const rules: RuleRoute[] = [];
  for (let path = from; ; ) {
    const found = matcher.find(host, path, method);
    if (found === undefined || found.kind === "worker" || !found.to.startsWith("/")) return undefined;
    path = replaced(path, found);
    const isKnown = paths.includes(path) || rules.filter((rule) => rule === found).length > 1;
    paths.push(path);
    rules.push(found);
    if (isKnown || rules.length > HOPS_MAX) return { paths, rules };
  }
}

function replaced(path: string, { path: prefix, to }: RuleRoute): string {
  const rest = prefix === "/" ? path : path.slice(prefix.length);
  const target = to.replace(/\?.*$/, "");
  if (rest === "" || (prefix === "/" && path === "/")) return target;
  return `${target.replace(/\/+$/, "")}${rest}`;
}

/** Two folders with one name, and names that jobs have: a unit's name is its own in its project. */
export function reportNames(
  workers: readonly { config: WorkerConfig; source: Source }[],
  jobs: ReadonlySet<string>,
): void {
  const byName = new Map<string, WorkerConfig>();
  for (const { config, source } of workers) {
    const other = byName.get(config.name);
    if (other !== undefined) source.report("name", `${config.name} is the name of ${other.dir} already`);
    if (jobs.has(config.name))
      source.report(
        "name",
        `${config.name} is a job of this project's warren.yaml already`,
        'a worker gets another name by "name: …", or by its folder',
      );
    byName.set(config.name, config);
  }
}

/** The switch of one worker needs as many ports again as it has instances. */
export function reportPorts(
  ports: PortRange,
  workers: readonly WorkerConfig[],
  report: (message: string) => void,
): void {
  const counts = workers.map(({ instances }) => instances);
  const needed = counts.reduce((sum, count) => sum + count, 0) + Math.max(0, ...counts);
  const size = ports.to - ports.from + 1;
  if (ports.from <= ports.to && size < needed)
    report(`${ports.from}-${ports.to} are ${size} ports, and the workers need ${needed}`);
}

const shown = ({ host = "", path }: FrontRoute): string => `${host}${path}`;
