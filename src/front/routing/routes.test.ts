import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FrontRoute } from "../../protocol/front-messages.ts";
import { type Asked, Routes, type Way } from "./routes.ts";

const worker = (path: string, name: string, more: Partial<FrontRoute> = {}): FrontRoute =>
  ({ kind: "worker", path, worker: name, strip: false, ...more }) as FrontRoute;

const routesOf = (...routes: FrontRoute[]): Routes => new Routes({ routes, sessions: [] });

const ask = (routes: Routes, path: string, more: Partial<Asked> = {}): Way =>
  routes.find({ host: "localhost:8080", path, query: undefined, method: "GET", ...more });

const workerOf = (way: Way): string => (way.kind === "worker" ? way.worker : way.kind);

test("routes: the longest path wins, on segment boundaries", () => {
  const routes = routesOf(
    worker("/", "index"),
    worker("/api", "api"),
    worker("/api/v2", "two"),
    worker("/apples", "a"),
  );
  const answers = [
    "/",
    "/x",
    "/api",
    "/api/",
    "/api/v1",
    "/api/v2",
    "/api/v2/x",
    "/api/v22",
    "/apifoo",
    "/apples",
    "/ap",
  ];
  assert.deepEqual(
    answers.map((path) => [path, workerOf(ask(routes, path))]),
    [
      ["/", "index"],
      ["/x", "index"],
      ["/api", "api"],
      ["/api/", "api"],
      ["/api/v1", "api"],
      ["/api/v2", "two"],
      ["/api/v2/x", "two"],
      ["/api/v22", "api"],
      ["/apifoo", "index"],
      ["/apples", "a"],
      ["/ap", "index"],
    ],
  );
});

test("routes: a path that is not ASCII is found as it is asked for", () => {
  assert.equal(workerOf(ask(routesOf(worker("/übung", "u")), "/%C3%BCbung/1")), "u");
});

test("routes: a character that browsers leave as it is, and others encode, is found either way", () => {
  const routes = routesOf(worker("/", "index"), worker("/caf%C3%A9/%5Bid%5D%7C%5E", "api", { strip: true }));
  for (const prefix of ["/caf%C3%A9/[id]|^", "/caf%C3%A9/%5Bid%5D%7C%5E"]) {
    const way = ask(routes, `${prefix}/x`);
    assert.equal(workerOf(way), "api", prefix);
    assert.equal(way.kind === "worker" && way.workerPath, "/x");
  }
});

test("routes: an exact host before a longer path, a wildcard before any, the longest wildcard first", () => {
  const routes = routesOf(
    worker("/deep/path", "any"),
    worker("/", "wild", { host: "*.example.org" }),
    worker("/", "wilder", { host: "*.a.example.org" }),
    worker("/", "exact", { host: "www.example.org" }),
  );
  const of = (host: string | undefined) => workerOf(ask(routes, "/deep/path", { host }));
  assert.equal(of("WWW.example.org:8080"), "exact");
  assert.equal(of("www.example.org."), "exact");
  assert.equal(of("b.example.org"), "wild");
  assert.equal(of("c.b.a.example.org"), "wilder");
  assert.equal(of("example.org"), "any");
  assert.equal(of("evilexample.org"), "any");
  assert.equal(of("[::1]:8080"), "any");
  assert.equal(of(undefined), "any");
});

test("routes: what the exact host does not have is looked for further out", () => {
  const routes = routesOf(worker("/", "any"), worker("/api", "exact", { host: "example.org" }));
  assert.equal(workerOf(ask(routes, "/api", { host: "example.org" })), "exact");
  assert.equal(workerOf(ask(routes, "/", { host: "example.org" })), "any");
});

test("routes: GET brings HEAD; only a path that has no route for the method is refused, with all that it has", () => {
  const routes = routesOf(
    worker("/items", "reader", { methods: ["GET"] }),
    worker("/items", "writer", { methods: ["POST", "PUT"] }),
    worker("/items/new", "other", { methods: ["POST"] }),
    worker("/open", "open"),
    worker("/open", "closer", { methods: ["DELETE"] }),
  );
  assert.equal(workerOf(ask(routes, "/items", { method: "HEAD" })), "reader");
  assert.equal(workerOf(ask(routes, "/items", { method: "PUT" })), "writer");
  assert.equal(workerOf(ask(routes, "/items/new", { method: "GET" })), "reader", "the shorter path takes it");
  assert.equal(workerOf(ask(routes, "/open", { method: "DELETE" })), "closer");
  assert.equal(workerOf(ask(routes, "/open", { method: "PATCH" })), "open");
  assert.deepEqual(ask(routes, "/items/new", { method: "DELETE" }), {
    kind: "method",
    allow: ["GET", "HEAD", "POST", "PUT"],
    path: "/items/new",
  });
  assert.equal(ask(routes, "/elsewhere").kind, "none");
});

test("routes: strip takes the route's path off, and leaves `/` where nothing is left", () => {
  const routes = routesOf(worker("/api", "a", { strip: true } as Partial<FrontRoute>), worker("/", "i"));
  const paths = (path: string) => {
    const way = ask(routes, path);
    return way.kind === "worker" ? [way.workerPath, way.filePath] : [];
  };
  assert.deepEqual(paths("/api"), ["/", ""]);
  assert.deepEqual(paths("/api/"), ["/", "/"]);
  assert.deepEqual(paths("/api/x"), ["/x", "/x"]);
  assert.deepEqual(paths("/other"), ["/other", "/other"]);
});

test("routes: a rewrite is routed again, and keeps what follows and the query", () => {
  const routes = routesOf(
    { kind: "rewrite", path: "/old", to: "/middle/" },
    { kind: "rewrite", path: "/middle", to: "/new?from=old" },
    worker("/new", "new"),
  );
  assert.deepEqual(ask(routes, "/old/page", { query: "a=1" }), {
    kind: "worker",
    worker: "new",
    route: "/new",
    path: "/new/page",
    query: "from=old&a=1",
    workerPath: "/new/page",
    filePath: "/page",
  });
});

test("routes: rewrites that lead to each other, or grow for ever, are a loop; eight of them are not", () => {
  const chain = (length: number): FrontRoute[] =>
    Array.from({ length }, (_, at) => ({ kind: "rewrite", path: `/${at}`, to: `/${at + 1}` }));
  assert.equal(workerOf(ask(routesOf(...chain(8), worker("/8", "end")), "/0")), "end");
  assert.equal(ask(routesOf(...chain(9), worker("/9", "end")), "/0").kind, "loop");
  const circle = routesOf({ kind: "rewrite", path: "/a", to: "/b" }, { kind: "rewrite", path: "/b", to: "/a" });
  assert.equal(ask(circle, "/a").kind, "loop");
  assert.equal(ask(routesOf({ kind: "rewrite", path: "/", to: "/x" }), "/").kind, "loop");
});

test("routes: a redirect keeps what follows and the query, and never leads to another host by itself", () => {
  const redirect = (path: string, to: string): FrontRoute => ({ kind: "redirect", path, to, status: 308 });
  const location = (routes: Routes, path: string, query?: string) => {
    const way = ask(routes, path, { query });
    return way.kind === "redirect" ? way.location : way.kind;
  };
  assert.equal(location(routesOf(redirect("/a", "/b")), "/a/c", "x=1"), "/b/c?x=1");
  assert.equal(location(routesOf(redirect("/a", "https://example.org")), "/a/c"), "https://example.org/c");
  assert.equal(
    location(routesOf(redirect("/a", "https://example.org/?k=1")), "/a", "x=1"),
    "https://example.org/?k=1&x=1",
  );
  assert.equal(location(routesOf(redirect("/a", "/")), "/a/evil.example"), "/evil.example");
  assert.equal(location(routesOf(redirect("/a", "/")), "/a"), "/");
  assert.equal(location(routesOf(redirect("/a", "/")), "/a//evil.example"), "/evil.example");
});

test("routes: a session's name is a host of its own, unless a route has that very host", () => {
  const routes = new Routes({
    routes: [worker("/", "index"), worker("/mine", "own", { host: "owl.localhost" })],
    sessions: [
      { name: "fox", port: 4000 },
      { name: "owl", port: 4001 },
    ],
  });
  assert.deepEqual(ask(routes, "/any", { host: "Fox.localhost:8080" }), { kind: "session", name: "fox", port: 4000 });
  assert.equal(workerOf(ask(routes, "/mine", { host: "owl.localhost" })), "own");
  assert.equal(ask(routes, "/", { host: "owl.localhost" }).kind, "session");
  assert.deepEqual(ask(routes, "/", { host: "hen.localhost" }), { kind: "session", name: "hen", port: undefined });
  for (const host of ["localhost", "a.b.localhost", "1a.localhost", ".localhost", "fox.localhost.example.org"])
    assert.equal(workerOf(ask(routes, "/", { host })), "index", host);
});

test("routes: a worker may have all names below localhost but those of sessions; in production they are hosts like any other", () => {
  const sessions = [{ name: "fox", port: 4000 }];
  const tenants = new Routes({ routes: [worker("/", "tenants", { host: "*.localhost" })], sessions });
  assert.equal(workerOf(ask(tenants, "/", { host: "hen.localhost" })), "tenants");
  assert.equal(ask(tenants, "/", { host: "fox.localhost" }).kind, "session");
  const production = new Routes({ routes: [worker("/", "index")], sessions, mode: "prod" });
  assert.equal(workerOf(ask(production, "/", { host: "fox.localhost" })), "index");
});

test("routes: with 10,000 routes a lookup looks at no more nodes than the path has segments and branches", () => {
  const routes: FrontRoute[] = [worker("/", "index")];
  for (let at = 0; at < 10_000; at++) routes.push(worker(`/tenants/t${at}/api`, `w${at}`));
  const many = new Routes({ routes, sessions: [] });
  const stepsOf = (path: string): number => {
    const before = many.stepCount;
    ask(many, path);
    return many.stepCount - before;
  };
  assert.equal(workerOf(ask(many, "/tenants/t9999/api/x")), "w9999");
  // One for the root, one for the shared beginning, one for each digit, one for the end.
  for (const path of [
    "/tenants/t7777/api/users/1",
    "/tenants/t0/api",
    "/tenants/t42",
    "/none",
    `/${"deep/".repeat(500)}`,
  ])
    assert.ok(stepsOf(path) <= 8, `${path.slice(0, 40)}: ${stepsOf(path)} nodes`);
});

test("routes: the tree finds what looking at every route in turn finds", () => {
  const segment = fc.constantFrom("a", "ab", "abc", "b", "api", "ap", "a-b");
  const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join("/")}`);
  const host = fc.constantFrom(undefined, "a.org", "b.a.org", "*.a.org", "*.b.a.org");
  const methods = fc.constantFrom<(string[] | undefined)[]>(undefined, ["GET"], ["POST"], ["GET", "POST"], ["HEAD"]);
  const route = fc.record({ host, path, methods }).map(
    ({ host, path, methods }): FrontRoute => ({
      kind: "worker",
      worker: "",
      strip: false,
      path,
      ...(host === undefined ? {} : { host }),
      ...(methods === undefined ? {} : { methods }),
    }),
  );
  const asked = fc.record({
    host: fc.constantFrom(undefined, "a.org", "b.a.org", "c.b.a.org", "x.org"),
    path: fc.oneof(
      path,
      path.map((path) => `${path}/`),
    ),
    query: fc.constant(undefined),
    method: fc.constantFrom("GET", "HEAD", "POST", "DELETE"),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(route, { selector: (one) => JSON.stringify(one), maxLength: 30 }),
      asked,
      (routes, asked) => {
        const named = routes.map((route, at) => ({ ...route, worker: `w${at}` }) as FrontRoute);
        const way = new Routes({ routes: named, sessions: [] }).find(asked);
        const expected = naive(named, asked);
        assert.equal(way.kind === "worker" ? way.worker : undefined, expected);
      },
    ),
    { numRuns: 2_000 },
  );
});

/** The rule, said as plainly as it can be: all that match, sorted by how specific they are. */
function naive(routes: FrontRoute[], { host, path, method }: Asked): string | undefined {
  const methodRank = ({ methods }: FrontRoute): number =>
    methods === undefined ? 1 : methods.includes(method) ? 3 : method === "HEAD" && methods.includes("GET") ? 2 : 0;
  const hostRank = (route: FrontRoute): number => {
    if (route.host === undefined) return 1;
    if (route.host === host) return 1_000;
    return host !== undefined && route.host.startsWith("*") && host.endsWith(route.host.slice(1))
      ? route.host.length
      : 0;
  };
  const trimmed = (route: FrontRoute): string => (route.path === "/" ? "" : route.path);
  const matching = routes
    .map((route, at) => ({ route, at }))
    .filter(({ route }) => methodRank(route) > 0 && hostRank(route) > 0 && `${path}/`.startsWith(`${trimmed(route)}/`))
    .sort(
      (one, other) =>
        hostRank(other.route) - hostRank(one.route) ||
        other.route.path.length - one.route.path.length ||
        methodRank(other.route) - methodRank(one.route) ||
        one.at - other.at,
    );
  const best = matching[0]?.route;
  return best?.kind === "worker" ? best.worker : undefined;
}
