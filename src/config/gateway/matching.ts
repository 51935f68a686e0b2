import type { FrontRoute } from "../../protocol/front-messages.ts";

/**
 * Finds routes as the front does: of the most specific host (exact, the longest wildcard, any), the longest path on segment boundaries, and there named
 * methods before all. For looking at a configuration, where the front's speed is not needed.
 */
export class RouteMatcher {
  readonly #byHost = new Map<string, Map<string, FrontRoute[]>>();

  constructor(routes: readonly FrontRoute[]) {
    for (const route of routes) {
      const host = route.host ?? "";
      const paths = this.#byHost.get(host) ?? new Map<string, FrontRoute[]>();
      paths.set(route.path, [...(paths.get(route.path) ?? []), route]);
      this.#byHost.set(host, paths);
    }
  }

  get hosts(): string[] {
    return [...this.#byHost.keys()];
  }

  /** @param host exact, a wildcard that stands for one of its names, or "" for one that nobody names */
  find(host: string, path: string, method: string): FrontRoute | undefined {
    for (const candidate of hostsFor(host)) {
      const paths = this.#byHost.get(candidate);
      if (paths === undefined) continue;
      for (const prefix of prefixesOf(path)) {
        const found = bestOf(paths.get(prefix) ?? [], method);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
}

/** The host itself, its wildcards from the longest on, any. */
function hostsFor(host: string): string[] {
  const labels = host.split(".");
  const wildcards = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join(".")}`);
  return [...(host === "" ? [] : [host, ...wildcards]), ""];
}

/** `/a/b` is below `/a/b`, `/a` and `/`. */
function prefixesOf(path: string): string[] {
  const prefixes: string[] = [];
  for (let at = path.length; at > 0; at = path.lastIndexOf("/", at - 1)) prefixes.push(path.slice(0, at));
  return [...prefixes, "/"];
}

/** GET brings HEAD (RFC 9110 §9.3.2). */
function bestOf(routes: readonly FrontRoute[], method: string): FrontRoute | undefined {
  const named = routes.find(({ methods }) => methods?.includes(method));
  const byGet = method === "HEAD" ? routes.find(({ methods }) => methods?.includes("GET")) : undefined;
  return named ?? byGet ?? routes.find(({ methods }) => methods === undefined);
}
