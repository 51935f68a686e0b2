import assert from "node:assert/strict";
import { test } from "node:test";
import { loadGateway } from "./load-gateway.ts";
import { temporaryProject } from "./project-fixture.ts";

/** A project of workers that are commands, by their worker.yaml, and its warren.yaml. */
const project = (workers: Record<string, string>, gateway = "") =>
  temporaryProject({
    ...(gateway === "" ? {} : { "warren.yaml": gateway }),
    ...Object.fromEntries(
      Object.entries(workers).map(([name, text]) => [`workers/${name}/worker.yaml`, `command: x\n${text}`]),
    ),
  });

const problems = async (workers: Record<string, string>, gateway = ""): Promise<string[]> => {
  await using made = await project(workers, gateway);
  return await made.problems();
};
const accepts = async (workers: Record<string, string>, gateway = ""): Promise<void> => {
  await using made = await project(workers, gateway);
  await loadGateway(made.dir);
};

test("gateway: two workers on one route are a problem of the second", async () => {
  assert.deepEqual(await problems({ a: "path: /x", b: "path: /x/" }), [
    "workers/b/worker.yaml:2:7 path: /x is the worker a's already, in workers/a/worker.yaml",
  ]);
  assert.deepEqual(await problems({ a: "path: /x\nhost: [a.org, b.org]", b: "path: /x\nhost: [c.org, B.org]" }), [
    "workers/b/worker.yaml:2:7 path: b.org/x is the worker a's already, in workers/a/worker.yaml",
  ]);
  assert.deepEqual(await problems({ a: "path: /x\nmethods: [GET, POST]", b: "path: /x\nmethods: [POST, PUT]" }), [
    "workers/b/worker.yaml:2:7 path: /x is for POST the worker a's already, in workers/a/worker.yaml",
  ]);
  assert.deepEqual(await problems({ a: "path: /%7Ex", b: "path: /~x" }), [
    "workers/b/worker.yaml:2:7 path: /~x is the worker a's already, in workers/a/worker.yaml",
  ]);
});

test("gateway: one path for several workers is no problem by host, by method, or below it", async () => {
  await accepts({
    a: "path: /x\nhost: a.org",
    b: "path: /x\nhost: '*.a.org'",
    c: "path: /x",
    d: "path: /x/y",
    e: "path: /x\nmethods: POST",
    f: "path: /x\nmethods: [PUT, DELETE]",
  });
});

test("gateway: a rule on a worker's route is a problem", async () => {
  assert.deepEqual(await problems({ a: "path: /x" }, "gateway: { redirects: { /x: /y } }"), [
    "warren.yaml:1:29 gateway.redirects./x: /x is the worker a's already, in workers/a/worker.yaml",
  ]);
});

test("gateway: rules that lead in a circle are shown once, with the way", async () => {
  const circles: readonly (readonly [rules: string, way: RegExp])[] = [
    ["rewrites: { /a: /b, /b: /a }", /^warren.yaml:1:\d+ gateway.rewrites.\/a: leads in a circle: \/a → \/b → \/a$/],
    ["rewrites: { /a: /a }", /circle: \/a → \/a$/],
    ["rewrites: { /a: /a/b }", /circle: \/a → \/a\/b → \/a\/b\/b/],
    ["rewrites: { /a: /, /b: /a/b }", /circle: \/b → \/a\/b → \/b$/],
    ["rewrites: { /a: '/b?x=1', /b: /a }", /circle/],
    ["rewrites: { /a: /b }, redirects: { /b: /a }", /circle: \/a → \/b → \/a$/],
    ["redirects: { /docs: /docs/start }", /circle/],
    ["rewrites: [{ path: /a, to: /b }, { path: /b, to: /a, host: h.org }]", /circle/],
  ];
  for (const [rules, way] of circles) {
    const found = await problems({ w: "path: /w" }, `gateway: { ${rules} }`);
    assert.equal(found.length, 1, `${rules}: ${found.join("\n")}`);
    assert.match(found[0]!, way);
  }
});

test("gateway: rules that lead somewhere are taken, however many there are one after the other", async () => {
  await accepts({ w: "path: /w" }, "gateway: { rewrites: { /a: /b, /b: /c, /c: /d, /d: /e, /e: /f, /f: /g, /g: /w } }");
  await accepts({ w: "path: /w" }, "gateway: { rewrites: { /: /w }, redirects: { /old: 'https://h.org/old' } }");
  await accepts({ w: "path: /docs/start" }, "gateway: { redirects: { /docs: /docs/start } }");
});

test("gateway: a request is rewritten eight times, not nine", async () => {
  const chain = (count: number): string => {
    const rules = Array.from({ length: count }, (_, at) => `/r${at}: ${at + 1 === count ? "/w" : `/r${at + 1}`}`);
    return `gateway: { rewrites: { ${rules.join(", ")} } }`;
  };
  await accepts({ w: "path: /w" }, chain(8));
  const found = await problems({ w: "path: /w" }, chain(9));
  assert.match(found[0]!, /gateway.rewrites.\/r0: leads on and on: \/r0 → \/r1 → /);
});

test("gateway: more rewrites of a request than the front follows are a problem, however many rules there are", async () => {
  const many = Array.from({ length: 2_000 }, (_, at) => `    /r${at}: /r${at + 1}/x`).join("\n");
  const found = await problems({ w: "path: /w" }, `gateway:\n  rewrites:\n${many}\n`);
  assert.match(found[0]!, /gateway.rewrites.\/r0: leads on and on: \/r0 → \/r1\/x → /);
});

test("gateway: a worker has a name of its own among the project's jobs", async () => {
  assert.deepEqual(await problems({ web: "" }, "jobs: { web: { command: x } }\n"), [
    'workers/web/worker.yaml:1:1 name: web is a job of this project\'s warren.yaml already; a worker gets another name by "name: …", or by its folder',
  ]);
});

test("gateway: the ports must do for a switch of every worker", async () => {
  assert.deepEqual(await problems({ a: "instances: 2", b: "" }, "gateway: { ports: 9000-9003 }"), [
    "warren.yaml:1:19 gateway.ports: 9000-9003 are 4 ports, and the workers need 5",
  ]);
  await accepts({ a: "instances: 2", b: "" }, "gateway: { ports: 9000-9004 }");
  assert.match((await problems({ a: "" }, "gateway: { ports: 9010-9000 }"))[0]!, /begins at 9010, after its end 9000/);
  assert.match((await problems({ a: "" }, "gateway: { ports: 60000-70000 }"))[0]!, /must lie within 1-65535/);
});

test("gateway: /metrics is the gateway's own where it is public", async () => {
  await accepts({ metrics: "" });
  assert.match(
    (await problems({ metrics: "" }, "gateway: { public_metrics: true }"))[0]!,
    /\/metrics is the gateway's own/,
  );
});
