import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fingerprint, makeCertificate } from "../../../test/harness/self-signed.ts";
import { until } from "../proxy/testing/deadline.ts";
import { NodeWorker } from "../proxy/testing/workers.ts";
import { SecureFront, textOf } from "./testing/secure-front.ts";

const GET = "GET / HTTP/1.1\r\nHost: site.test\r\n\r\n";
const site = () => makeCertificate({ hosts: ["site.test"] });

/** Looks at the files as often as it takes. */
async function becomes(front: SecureFront, what: string, isSo: () => boolean): Promise<void> {
  await until(what, () => {
    front.clock.pass(2_000);
    return isSo();
  });
}

const countOf = (front: SecureFront, event: string): number =>
  front.logged.filter((line) => line.startsWith(event)).length;

test("certificates: a pair that was replaced is taken up; until both match, the old one serves; connections stay", async () => {
  await using worker = await NodeWorker.start();
  const [one, two] = [site(), site()];
  await using front = await SecureFront.start(worker.port, { site: one });
  front.tell({ limits: { idleMs: 1e9 } }); // much time passes
  const socket = await front.connect();
  front.replace("site.pem", two.cert);
  await becomes(front, "a refusal", () => countOf(front, "certificate_refused") === 1);
  assert.match(front.door.state()!.certificates[0]!.problem!, /site\.key is not the key of .*site\.pem/);
  assert.equal(await front.fingerprint("site.test"), fingerprint(one));
  front.replace("site.key", two.key);
  await becomes(front, "the new one", () => countOf(front, "certificate_taken") === 2);
  assert.equal(await front.fingerprint("site.test"), fingerprint(two));
  assert.equal(front.door.state()!.certificates[0]!.problem, undefined);
  socket.write(GET);
  assert.match(await textOf(socket, (text) => text.endsWith("hello")), /200 OK/);
  socket.destroy();
  assert.equal(countOf(front, "certificate_refused"), 1, "each reason is said once");
});

test("certificates: a symlink that is swapped, as certbot does, and a folder further up, as Kubernetes does", async () => {
  await using worker = await NodeWorker.start();
  const made = [site(), site(), site()];
  await using front = await SecureFront.start(worker.port, {});
  made.forEach(({ cert, key }, index) => {
    mkdirSync(front.path(`archive${index}`));
    writeFileSync(front.path(`archive${index}/cert.pem`), cert);
    writeFileSync(front.path(`archive${index}/key.pem`), key);
  });
  const link = (to: string, name: string): void => {
    symlinkSync(to, front.path(`${name}~`));
    renameSync(front.path(`${name}~`), front.path(name));
  };
  link("archive0", "data");
  link("data/cert.pem", "site.pem");
  link("data/key.pem", "site.key");
  front.tell({ tls: front.tlsOf(["site"]) });
  assert.equal(await front.fingerprint("site.test"), fingerprint(made[0]!));
  link("archive1", "data");
  await becomes(front, "the second", () => countOf(front, "certificate_taken") === 2);
  assert.equal(await front.fingerprint("site.test"), fingerprint(made[1]!));
  link("archive2/cert.pem", "site.pem");
  link("archive2/key.pem", "site.key");
  await becomes(front, "the third", () => countOf(front, "certificate_taken") === 3);
  assert.equal(await front.fingerprint("site.test"), fingerprint(made[2]!));
});

test("certificates: a file that is broken, half or gone is told, and the old one serves on; mended, it is taken", async () => {
  await using worker = await NodeWorker.start();
  const one = site();
  await using front = await SecureFront.start(worker.port, { site: one });
  await front.fingerprint("site.test");
  const breaks: [RegExp, () => void][] = [
    [/site\.pem holds a certificate that cannot be read/, () => truncateSync(front.path("site.pem"), 200)],
    [/site\.pem holds no PEM certificate/, () => truncateSync(front.path("site.pem"), 0)],
    [/site\.pem does not exist/, () => rmSync(front.path("site.pem"))],
    [/site\.pem cannot be read: EISDIR/, () => mkdirSync(front.path("site.pem"))],
  ];
  for (const [reason, breakIt] of breaks) {
    breakIt();
    await becomes(front, String(reason), () => reason.test(front.door.state()!.certificates[0]!.problem ?? ""));
    assert.equal(await front.fingerprint("site.test"), fingerprint(one));
  }
  rmSync(front.path("site.pem"), { recursive: true });
  front.write("site", one);
  await becomes(front, "the end of the problem", () => front.door.state()!.certificates[0]!.problem === undefined);
  assert.equal(await front.fingerprint("site.test"), fingerprint(one));
});

test("certificates: one that was never any good leaves its hosts to the first that is; with none handshakes fail", async () => {
  await using worker = await NodeWorker.start();
  const good = site();
  await using front = await SecureFront.start(worker.port, { bad: { cert: "no", key: "no" }, site: good });
  assert.equal(await front.fingerprint("other.test"), fingerprint(good));
  const [bad, served] = front.door.state()!.certificates;
  assert.deepEqual([bad!.expiresAt, bad!.hosts], [undefined, []]);
  assert.match(served!.expiresAt!, /^\d{4}-/);
  front.tell({ tls: front.tlsOf(["bad"]) });
  await until("the change", () => front.door.state()!.certificates.length === 1);
  await assert.rejects(front.fingerprint("site.test"));
  front.write("bad", good);
  await becomes(front, "the good one", () => countOf(front, "certificate_taken") === 2);
  assert.equal(await front.fingerprint("site.test"), fingerprint(good));
});
