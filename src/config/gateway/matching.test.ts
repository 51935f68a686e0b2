import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Routes } from "../../front/routing/routes.ts";
import type { FrontRoute } from "../../protocol/front-messages.ts";
import { RouteMatcher } from "./matching.ts";

const path = fc
  .array(fc.constantFrom("a", "b", "ab"), { maxLength: 3 })
  .map((segments) => (segments.length === 0 ? "/" : segments.map((segment) => `/${segment}`).join("")));
const method = fc.constantFrom("GET", "HEAD", "POST");
const host = fc.constantFrom("a.org", "b.a.org", "c.b.a.org", "other.net");
const place = fc.record({
  host: fc.option(fc.constantFrom("a.org", "b.a.org", "*.a.org", "*.b.a.org", "*.org"), { nil: undefined }),
  path,
  method: fc.option(method, { nil: undefined }),
});
const routes = fc
  .uniqueArray(place, { maxLength: 12, selector: (one) => JSON.stringify([one.host, one.path, one.method]) })
  .map((places) =>
    places.map(({ host: own, path: at, method: only }, index): FrontRoute => {
      const match = {
        path: at,
        ...(own !== undefined && { host: own }),
        ...(only !== undefined && { methods: [only] }),
      };
      return { ...match, kind: "worker", worker: String(index), strip: false };
    }),
  );

test("matching: finds the route that the front finds", () => {
  const asked = fc.record({ host, path, method });
  fc.assert(
    fc.property(routes, asked, (table, request) => {
      const way = new Routes({ routes: table, sessions: [] }).find({ ...request, query: undefined });
      const found = new RouteMatcher(table).find(request.host, request.path, request.method);
      assert.equal(found?.kind === "worker" ? found.worker : undefined, way.kind === "worker" ? way.worker : undefined);
    }),
    { numRuns: 2_000 },
  );
});
