import type { FrontRoute } from "../../protocol/front-messages.ts";
import type { PortRange } from "../../protocol/gateway-config.ts";
import { reportCircles } from "./circles.ts";
import type { Source } from "./config-source.ts";
import type { ConfiguredWorker } from "./gateway-config.ts";
import { isInside } from "./places.ts";
import type { ReadWorker } from "./read-worker.ts";
import { routesOfWorker } from "./routes.ts";
import type { Settings } from "./settings.ts";

/** What can only be seen of all of a project's files together. */

/** A route, and where it was written. */
export interface PlacedRoute {
  route: FrontRoute;
  /** `the worker api`, `a rule of the worker api`, `a rule of the gateway`. */
  owner: string;
  source: Source;
  at: string;
}

export function checkWhole({ config, rules, source, jobs }: Settings, workers: readonly ReadWorker[]): void {
  const whole = workers.flatMap((worker) =>
    worker.config === undefined ? [] : [{ ...worker, config: worker.config }],
  );
  const routes = [
    ...whole.flatMap(placedRoutes),
    ...rules.map(({ rule, at }) => ({ route: rule, owner: "a rule of the gateway", source, at })),
  ];
  reportConflicts(routes);
  reportReserved(routes, config.hasPublicMetrics);
  reportCircles(routes);
  reportNames(whole, jobs);
  reportPorts(config.ports, whole, source);
  reportServedKeys(config, whole, source);
  for (const worker of whole) reportOwnUrl(worker, config.port);
}

/** Private keys in a folder whose files are given to everybody. */
function reportServedKeys(
  { tls, publicDir }: Settings["config"],
  workers: readonly WholeWorker[],
  source: Source,
): void {
  const folders = [publicDir, ...workers.flatMap(({ config }) => config.publicDir ?? [])];
  for (const [index, { key }] of (tls?.certificates ?? []).entries()) {
    const folder = folders.find((one) => isInside(key, one));
    if (folder !== undefined)
      source.report(`gateway.tls.certificates[${index}]`, `${key} lies in ${folder}, whose files are served`);
  }
}

interface WholeWorker extends ReadWorker {
  config: ConfiguredWorker;
}

function placedRoutes({ config, source, rules }: WholeWorker): PlacedRoute[] {
  const own = routesOfWorker({ ...config, rules: [] });
  return [
    ...own.map((route) => ({ route, owner: `the worker ${config.name}`, source, at: "path" })),
    ...rules.map(({ rule, at }) => ({ route: rule, owner: `a rule of the worker ${config.name}`, source, at })),
  ];
}

/** Two routes with the same host and path need methods of their own; those without methods take what the others leave. */
function reportConflicts(routes: readonly PlacedRoute[]): void {
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
function reportReserved(routes: readonly PlacedRoute[], hasPublicMetrics: boolean): void {
  for (const { route, source, at } of routes) {
    const { path } = route;
    const isOurs = path === "/health" || (path === "/metrics" && hasPublicMetrics) || /^\/\.warren(\/|$)/.test(path);
    if (isOurs) source.report(at, `${path} is the gateway's own`, "give it another path");
  }
}

/** Two folders with one name, and names that jobs have: a unit's name is its own in its project. */
function reportNames(
  workers: readonly { config: ConfiguredWorker; source: Source }[],
  jobs: ReadonlySet<string>,
): void {
  const byName = new Map<string, ConfiguredWorker>();
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
function reportPorts(ports: PortRange, workers: readonly WholeWorker[], source: Source): void {
  const counts = workers.map(({ config }) => config.instances);
  const needed = counts.reduce((sum, count) => sum + count, 0) + Math.max(0, ...counts);
  const size = ports.to - ports.from + 1;
  if (size < 1 || size >= needed) return;
  source.report("gateway.ports", `${ports.from}-${ports.to} are ${size} ports, and the workers need ${needed}`);
}

/** A worker that is the gateway itself: each request would come back. */
function reportOwnUrl({ config: { target }, source }: WholeWorker, port: number): void {
  const isHere = target !== undefined && /^(localhost|127\..*|::1|0\.0\.0\.0)$/.test(target.host);
  if (isHere && target.port === port && port !== 0)
    source.report("url", `${target.host}:${port} is this gateway itself`);
}

const shown = ({ host = "", path }: FrontRoute): string => `${host}${path}`;
