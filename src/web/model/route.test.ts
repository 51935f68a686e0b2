import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, type Route, routeOf } from "./route.ts";

test("route: every page has an address, and comes back from it", () => {
  const routes: Route[] = [
    { page: "units" },
    { page: "inbox" },
    { page: "new" },
    { page: "mail" },
    { page: "mail", with: "owl" },
    { page: "unit", kind: "job", id: "abc" },
    { page: "unit", kind: "worker", id: "my site/api%2F" },
    { page: "unit", kind: "session", id: "abc", machine: "ab12" },
    { page: "mail", machine: "ab12" },
    { page: "mail", with: "owl", machine: "ab12" },
    { page: "hubs" },
    { page: "pair" },
  ];
  for (const route of routes) assert.deepEqual(routeOf(hashOf(route)), route);
});

test("route: what is no address is the list", () => {
  for (const hash of ["", "#", "#/nowhere", "#/job/", "#t=abc", "#/%E0%A4%A"])
    assert.deepEqual(routeOf(hash), { page: "units" }, hash);
});
