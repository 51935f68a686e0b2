import type { FrontTable } from "../../protocol/front-messages.ts";
import { hostName } from "./host-name.ts";
import { replacePrefix, splitTarget } from "./location.ts";
import { PathTree, type PlacedRoute } from "./path-tree.ts";
import { type SessionHost, SessionHosts } from "./session-hosts.ts";

/**
 * Finds the way of a request: of all routes that match host, path and method the one with the most specific host (exact, then the longest wildcard, then
 * any), then the longest path, then named methods. A session's host goes after an exact one; that of a session which there is not after the wildcards.
 * Rewrites are followed here. Made once for a table, never changed.
 */
export type Way =
  | WorkerWay
  | { kind: "redirect"; status: 301 | 302 | 307 | 308; location: string }
  | SessionWay
  /** Other methods have a way: `allow` names them. */
  | { kind: "method"; allow: string[]; path: string }
  /** Rewrites that lead to each other. */
  | { kind: "loop" }
  | { kind: "none"; path: string };

export type SessionWay = { kind: "session" } & SessionHost;

export interface WorkerWay {
  kind: "worker";
  worker: string;
  /** The path of the route: one of a bounded number. */
  route: string;
  /** As it was asked for, or was rewritten to. */
  path: string;
  query: string | undefined;
  /** What the worker is asked for: without the route's path if that is taken off. */
  workerPath: string;
  /** What is looked up in the worker's public folder: what follows the route's path, be it taken off or not. */
  filePath: string;
}

export interface Asked {
  /** As the Host field has it; absent in HTTP/1.0. */
  host: string | undefined;
  /** Without query, normalised, beginning with `/`. */
  path: string;
  /** Without `?`. */
  query: string | undefined;
  method: string;
}

const REWRITES_MAX = 8;

export class Routes {
  readonly #exact = new Map<string, PathTree>();
  /** By what follows the `*`: `*.example.org` is `.example.org`. */
  readonly #wildcards = new Map<string, PathTree>();
  readonly #any = new PathTree();
  readonly #sessions: SessionHosts;

  constructor(table: Pick<FrontTable, "routes" | "sessions"> & Partial<Pick<FrontTable, "mode">>) {
    for (const route of table.routes) this.#treeOf(route.host?.toLowerCase()).add(route);
    this.#sessions = new SessionHosts(table);
  }

  /** Nodes looked at so far by all lookups. */
  get stepCount(): number {
    const trees = [...this.#exact.values(), ...this.#wildcards.values(), this.#any];
    return trees.reduce((sum, tree) => sum + tree.stepCount, 0);
  }

  find(asked: Asked): Way {
    const host = this.#hasHosts && asked.host !== undefined ? hostName(asked.host) : "";
    let { path, query } = asked;
    for (let rewriteCount = 0; ; rewriteCount++) {
      const found = this.#lookUp(host, path, asked.method);
      if (found === undefined) return this.#missing(host, path);
      if (!("route" in found)) return { kind: "session", ...found };
      if (found.route.kind !== "rewrite") return wayOf(found, path, query);
      if (rewriteCount === REWRITES_MAX) return { kind: "loop" };
      ({ path, query } = splitTarget(replacePrefix(found.route.to, path.slice(found.prefixLength), query)));
    }
  }

  get #hasHosts(): boolean {
    return this.#exact.size > 0 || this.#sessions.isServed || this.#wildcards.size > 0;
  }

  #lookUp(host: string, path: string, method: string): PlacedRoute | SessionHost | undefined {
    if (host !== "") {
      const exact = this.#exact.get(host)?.find(path, method);
      if (exact !== undefined) return exact;
      const session = this.#sessions.find(host);
      if (session?.port !== undefined) return session;
      for (const tree of this.#wildcardsOf(host)) {
        const found = tree.find(path, method);
        if (found !== undefined) return found;
      }
      if (session !== undefined) return session;
    }
    return this.#any.find(path, method);
  }

  #missing(host: string, path: string): Way {
    const allow = new Set<string>();
    this.#exact.get(host)?.methodsOf(path, allow);
    for (const tree of this.#wildcardsOf(host)) tree.methodsOf(path, allow);
    this.#any.methodsOf(path, allow);
    if (allow.has("GET")) allow.add("HEAD");
    return allow.size === 0 ? { kind: "none", path } : { kind: "method", allow: [...allow].sort(), path };
  }

  /** `*.example.org` is every name under example.org, at any depth, and not example.org itself. The longest first. */
  *#wildcardsOf(host: string): Generator<PathTree> {
    if (this.#wildcards.size === 0) return;
    for (let dot = host.indexOf(".", 1); dot > 0; dot = host.indexOf(".", dot + 1)) {
      const tree = this.#wildcards.get(host.slice(dot));
      if (tree !== undefined) yield tree;
    }
  }

  #treeOf(host: string | undefined): PathTree {
    if (host === undefined) return this.#any;
    const [trees, key] = host.startsWith("*.") ? [this.#wildcards, host.slice(1)] : [this.#exact, host];
    const tree = trees.get(key) ?? new PathTree();
    trees.set(key, tree);
    return tree;
  }
}

function wayOf({ route, prefixLength }: PlacedRoute, path: string, query: string | undefined): Way {
  const rest = path.slice(prefixLength);
  switch (route.kind) {
    case "redirect":
      return { kind: "redirect", status: route.status, location: replacePrefix(route.to, rest, query) };
    case "worker":
      return {
        kind: "worker",
        worker: route.worker,
        route: route.path,
        path,
        query,
        workerPath: route.strip ? rest || "/" : path,
        filePath: rest,
      };
    case "rewrite":
      throw new Error("a rewrite is no way");
  }
}
