import type { FrontRoute } from "../../protocol/front-messages.ts";

/**
 * The routes of one host, by path: a radix tree over the characters of their paths. Finding one looks at each character of the asked path at most once,
 * however many routes there are, and makes nothing. A route matches on segment boundaries: where the asked path ends or goes on with `/`.
 */
export interface PlacedRoute {
  route: FrontRoute;
  /** The length of the matched path: what follows it is the rest. 0 for `/`, which takes nothing off. */
  prefixLength: number;
}

interface Node {
  /** The characters between the parent and here. */
  edge: string;
  /** By their edges' first character. */
  children: Map<number, Node> | undefined;
  /** For a route without methods. */
  anyMethod: PlacedRoute | undefined;
  byMethod: Map<string, PlacedRoute> | undefined;
}

const SLASH = 0x2f;

export class PathTree {
  readonly #root: Node = emptyNode("");
  /** Nodes looked at by all lookups so far: what the cost of a lookup is proven by. */
  stepCount = 0;

  /** Of two routes for the same path and method the one that was added first stays. */
  add(route: FrontRoute): void {
    const path = asAsked(route.path.endsWith("/") ? route.path.slice(0, -1) : route.path);
    for (const spelling of new Set([path, asBrowsersAsk(path)])) this.#place(route, spelling);
  }

  #place(route: FrontRoute, path: string): void {
    const node = nodeFor(this.#root, path);
    const placed: PlacedRoute = { route, prefixLength: path.length };
    if (route.methods === undefined) node.anyMethod ??= placed;
    else {
      node.byMethod ??= new Map();
      for (const method of route.methods) if (!node.byMethod.has(method)) node.byMethod.set(method, placed);
    }
  }

  /** The route with the longest path that takes this method; among those with the same path, one that names the method. */
  find(path: string, method: string): PlacedRoute | undefined {
    let best: PlacedRoute | undefined;
    for (let node: Node | undefined = this.#root, at = 0; node !== undefined; ) {
      this.stepCount++;
      if (isBoundary(path, at)) best = ofMethod(node, method) ?? best;
      node = node.children?.get(path.charCodeAt(at));
      if (node === undefined || !path.startsWith(node.edge, at)) break;
      at += node.edge.length;
    }
    return best;
  }

  /** The methods of every route that matches this path: for `Allow`, once nothing was found. */
  methodsOf(path: string, into: Set<string>): void {
    for (let node: Node | undefined = this.#root, at = 0; node !== undefined; ) {
      if (isBoundary(path, at)) for (const method of node.byMethod?.keys() ?? []) into.add(method);
      node = node.children?.get(path.charCodeAt(at));
      if (node === undefined || !path.startsWith(node.edge, at)) break;
      at += node.edge.length;
    }
  }
}

/** A path as a target has it: what is not ASCII is percent-encoded (RFC 3986 §2.5). */
const asAsked = (path: string): string => path.replace(/[^\x21-\x7e]+/g, (piece) => encodeURI(piece));

/** Browsers leave these characters as they are, other programs encode them (URL Standard, path percent-encode set). */
const asBrowsersAsk = (path: string): string => path.replace(/%(?:5B|5D|5E|7C)/g, decodeURIComponent);

const isBoundary = (path: string, at: number): boolean => at === path.length || path.charCodeAt(at) === SLASH;

/** GET brings HEAD (RFC 9110 §9.3.2). */
function ofMethod(node: Node, method: string): PlacedRoute | undefined {
  const named = node.byMethod;
  if (named === undefined) return node.anyMethod;
  return named.get(method) ?? (method === "HEAD" ? named.get("GET") : undefined) ?? node.anyMethod;
}

function emptyNode(edge: string): Node {
  return { edge, children: undefined, anyMethod: undefined, byMethod: undefined };
}

/** The node that stands for exactly this path; made, with an edge split in two where it has to be. */
function nodeFor(root: Node, path: string): Node {
  let node = root;
  for (let at = 0; at < path.length; ) {
    node.children ??= new Map();
    const key = path.charCodeAt(at);
    const child = node.children.get(key);
    if (child === undefined) {
      const made = emptyNode(path.slice(at));
      node.children.set(key, made);
      return made;
    }
    const common = commonLength(child.edge, path, at);
    node = common === child.edge.length ? child : split(node.children, key, child, common);
    at += common;
  }
  return node;
}

function split(siblings: Map<number, Node>, key: number, child: Node, length: number): Node {
  const upper = emptyNode(child.edge.slice(0, length));
  child.edge = child.edge.slice(length);
  upper.children = new Map([[child.edge.charCodeAt(0), child]]);
  siblings.set(key, upper);
  return upper;
}

function commonLength(edge: string, path: string, at: number): number {
  let length = 0;
  while (length < edge.length && edge.charCodeAt(length) === path.charCodeAt(at + length)) length++;
  return length;
}
