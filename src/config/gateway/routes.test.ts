import assert from "node:assert/strict";
import { test } from "node:test";
import { loadGateway } from "./load-gateway.ts";
import { temporaryProject } from "./project-fixture.ts";

test("routes: each host of a worker, then its rules, then the project's", async () => {
  await using project = await temporaryProject({
    "warren.yaml": "gateway: { rewrites: { /v1: /api } }\n",
    "workers/api/worker.yaml": `command: x\npath: /api\nhost: [b.org, a.org]\nmethods: GET\nredirect: { /old: "/api?from=old" }\n`,
  });
  const { routes } = await loadGateway(project.dir);
  const worker = { path: "/api", methods: ["GET"], kind: "worker", worker: "api", strip: false };
  const redirect = { path: "/old", kind: "redirect", to: "/api?from=old", status: 307 };
  assert.deepEqual(routes, [
    { host: "b.org", ...worker },
    { host: "a.org", ...worker },
    { host: "b.org", ...redirect },
    { host: "a.org", ...redirect },
    { path: "/v1", kind: "rewrite", to: "/api" },
  ]);
});
