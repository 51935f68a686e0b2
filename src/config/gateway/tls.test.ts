import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { makeCertificate } from "../../../test/harness/self-signed.ts";
import { loadGateway } from "./load-gateway.ts";
import { temporaryProject } from "./project-fixture.ts";

const one = makeCertificate({ hosts: ["Site.test", "*.site.test", "10.0.0.1"] });
const two = makeCertificate({ hosts: ["two.test"] });
const old = makeCertificate({ hosts: ["old.test"], fromDays: -9, toDays: -2 });
const nameless = makeCertificate({ hosts: [], fromDays: 3, toDays: 9 });
const FILES = {
  "workers/index/public/": "",
  "certs/one.pem": one.cert,
  "certs/one.key": one.key,
  "certs/two.pem": `${two.key}${two.cert}`,
  "certs/old.pem": `${old.cert}${old.key}`,
  "certs/nameless.pem": `${nameless.cert}${nameless.key}`,
  "certs/text.pem": "no certificate",
  "certs/half.pem": one.cert.slice(0, 200),
  "certs/torn.pem": `${one.cert.slice(0, 200)}\n-----END CERTIFICATE-----\n${one.key}`,
};
const project = (tls: string, files: Record<string, string> = {}) =>
  temporaryProject({ ...FILES, ...files, "warren.yaml": `gateway:\n  tls:\n${tls.replace(/^/gm, "    ")}\n` });

test("gateway.tls: pairs of files, or both in one; plain requests are redirected unless it is said", async () => {
  await using made = await project(
    "certificates:\n  - { cert: certs/one.pem, key: certs/one.key }\n  - cert: certs/two.pem",
  );
  const { tls, warnings, watched } = await loadGateway(made.dir);
  const at = (name: string): string => join(made.dir, "certs", name);
  assert.deepEqual(tls, {
    plain: "redirect",
    certificates: [
      { cert: at("one.pem"), key: at("one.key") },
      { cert: at("two.pem"), key: at("two.pem") },
    ],
  });
  assert.deepEqual(warnings, []);
  for (const name of ["one.pem", "one.key", "two.pem"]) assert.ok(watched.includes(at(name)), name);
  await using refusing = await project("{ plain: refuse, certificates: [{ cert: certs/two.pem }] }");
  assert.equal((await loadGateway(refusing.dir)).tls?.plain, "refuse");
  await using without = await temporaryProject(FILES);
  assert.equal((await loadGateway(without.dir)).tls, undefined);
});

test("gateway.tls: what has expired, is not valid yet or names no host is served, with a warning", async () => {
  await using made = await project("certificates: [{ cert: certs/old.pem }, { cert: certs/nameless.pem }]");
  const { warnings } = await loadGateway(made.dir);
  assert.equal(warnings.length, 3);
  assert.match(warnings[0]!, /certs\/old\.pem expired at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\.$/);
  assert.match(warnings[1]!, /certs\/nameless\.pem is not valid before \d{4}/);
  assert.match(warnings[2]!, /names no host/);
});

const PROBLEMS: [tls: string, problem: RegExp][] = [
  ["certificates: [{ cert: certs/none.pem }]", /^warren\.yaml:3:28 .*\[0\]\.cert: certs\/none\.pem does not exist$/],
  [
    "certificates:\n  - cert: certs/one.pem\n    key: certs/two.pem",
    /^warren\.yaml:5:14 gateway\.tls\.certificates\[0\]\.key: certs\/two\.pem is not the key of certs\/one\.pem$/,
  ],
  ["certificates: [{ cert: certs/one.pem }]", /\.cert: certs\/one\.pem holds no PEM private key; where is its key/],
  ["certificates: [{ cert: certs/one.pem, key: certs/nokey.key }]", /\.key: certs\/nokey\.key does not exist/],
  ["certificates: [{ cert: certs/text.pem }]", /\.cert: certs\/text\.pem holds no PEM certificate/],
  [
    "certificates: [{ cert: certs/half.pem, key: certs/one.key }]",
    /certs\/half\.pem holds a certificate that cannot be read/,
  ],
  ["certificates: [{ cert: certs/torn.pem }]", /certs\/torn\.pem holds a certificate that cannot be read/],
  ["certificates: [{ cert: certs }]", /\.cert: certs cannot be read: EISDIR/],
  ["certificates: []", /gateway\.tls\.certificates/],
  ["plain: serve", /certificates/],
  ["certificates: [{ key: certs/one.key }]", /cert/],
  ["certificates: [{ crt: certs/one.pem, key: certs/one.key }]", /did you mean "?cert"?/],
  ["{ certificates: [{ cert: certs/two.pem }], plain: redirct }", /did you mean "?redirect"?/],
];

test("gateway.tls: what is no pair is a problem, with its place", async () => {
  for (const [tls, problem] of PROBLEMS) {
    await using made = await project(tls);
    assert.match((await made.problems()).join("\n"), problem, tls);
  }
  const pem = { "server/public/site.pem": `${one.cert}${one.key}` };
  await using served = await project("certificates: [{ cert: server/public/site.pem }]", pem);
  assert.match((await served.problems()).join("\n"), /site\.pem lies in server\/public, whose files are served/);
});
