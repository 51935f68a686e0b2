import assert from "node:assert/strict";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import https from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { readProcess } from "../src/platform/process.ts";
import { fingerprint, makeCertificate, type TestCertificate } from "./harness/self-signed.ts";
import { Site, saying } from "./harness/site.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** https at a project's gateway: from warren.yaml to what a browser sees. */
const TIMEOUT_MS = 90_000;
const make = (): TestCertificate => makeCertificate({ hosts: ["site.test", "*.site.test"] });
const CONFIG = "gateway: { tls: { certificates: [{ cert: certs/site.pem, key: certs/site.key }] } }\n";

function secureSite(certificate: TestCertificate): Promise<Site> {
  return Site.make({
    "workers/index/src/main.ts": saying("one"),
    "warren.yaml": CONFIG,
    "certs/site.pem": certificate.cert,
    "certs/site.key": certificate.key,
  });
}

/** On a connection of its own: what is answered, and whose certificate was shown. */
async function getSecurely({ port }: Site, path: string, agent: https.Agent | false = false) {
  const options = { host: "127.0.0.1", port, path, servername: "www.site.test", rejectUnauthorized: false, agent };
  const request = https.get(options);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const { fingerprint256 } = (response.socket as TLSSocket).getPeerCertificate();
  return { body: Buffer.concat(await response.toArray()).toString(), shown: fingerprint256 };
}

test(
  "gateway: https from warren.yaml; plain HTTP is sent there; status and up say so",
  { timeout: TIMEOUT_MS },
  async () => {
    const certificate = make();
    await using site = await secureSite(certificate);
    const up = await site.house.warren(["up", "--detach"]);
    assert.equal(up.status, 0, up.stderr);
    const { url, tls, port } = await waitUntil(
      async () => {
        const gateway = await site.status();
        return gateway.tls?.certificates !== undefined && gateway; // the front says what it has read
      },
      { what: "the certificate in the status" },
    );
    site.port = port;
    assert.equal(url, `https://127.0.0.1:${port}`);
    assert.match(up.stdout, new RegExp(url));
    assert.equal(tls?.plain, "redirect");
    assert.deepEqual(tls?.certificates?.[0]?.hosts, ["site.test", "*.site.test"]);
    const { body, shown } = await getSecurely(site, "/a");
    assert.match(body, /^one \/a \d+\n$/);
    assert.equal(shown, fingerprint(certificate));
    const plain = await site.get("/a?b=c", { headers: { host: "www.site.test" } });
    assert.deepEqual([plain.status, plain.headers.location], [308, "https://www.site.test/a?b=c"]);
    const { stdout } = await site.house.warren(["gateway"]);
    assert.match(stdout, /certificate: site\.pem {2}site\.test, \*\.site\.test {2}until \d{4}-\d\d-\d\d/);
    const table = tableOf(site);
    assert.match(table, /certs\/site\.key/);
    assert.doesNotMatch(table, /PRIVATE KEY/);
  },
);

test(
  "gateway: a renewed certificate is taken up by itself, a broken one is told; connections go on",
  { timeout: TIMEOUT_MS },
  async () => {
    const [one, two] = [make(), make()];
    await using site = await secureSite(one);
    await site.up();
    using agent = new KeptConnection();
    const first = await getSecurely(site, "/", agent.agent);
    site.write("certs/site.pem", "broken");
    const told = await waitUntil(
      async () => (await site.status()).tls?.certificates?.find(({ problem }) => problem !== undefined),
      { what: "the problem in the status" },
    );
    assert.match(told.problem!, /site\.pem holds no PEM certificate/);
    const { stdout } = await site.house.warren(["gateway"]);
    assert.match(stdout, /certificate: site\.pem .*holds no PEM certificate\. The one before serves on\./);
    assert.equal((await getSecurely(site, "/")).shown, fingerprint(one));
    site.write("certs/site.pem", two.cert);
    site.write("certs/site.key", two.key);
    await waitUntil(async () => (await getSecurely(site, "/")).shown === fingerprint(two), {
      what: "the new certificate",
    });
    const last = await getSecurely(site, "/", agent.agent);
    assert.equal(last.body, first.body);
    assert.equal(last.shown, fingerprint(one), "it is the connection of before");
    await waitUntil(async () => (await site.status()).config_error === undefined, { what: "no problem" });
  },
);

test(
  "gateway: https goes on when the front is killed, and comes and goes with warren.yaml",
  { timeout: TIMEOUT_MS },
  async () => {
    const certificate = make();
    await using site = await secureSite(certificate);
    const { front } = await site.up();
    process.kill(front!.pid, "SIGKILL");
    await waitUntil(() => readProcess(front!.pid) === undefined, { what: "the end of the front" });
    assert.equal((await getSecurely(site, "/")).shown, fingerprint(certificate));
    site.write("warren.yaml", CONFIG.replace("site.key", "other.key"));
    await waitUntil(async () => (await site.status()).config_error?.includes("other.key does not exist"), {
      what: "the refusal",
    });
    assert.equal((await getSecurely(site, "/")).shown, fingerprint(certificate));
    site.write("warren.yaml", "gateway: {}\n");
    await waitUntil(async () => (await site.get("/")).status === 200, { what: "plain HTTP" });
    assert.equal((await site.status()).url, `http://127.0.0.1:${site.port}`);
  },
);

/** What the front finds when nobody tells it. */
function tableOf({ house }: Site): string {
  const [path] = globSync("**/table.json", { cwd: house.home });
  assert.ok(path !== undefined);
  return readFileSync(join(house.home, path), "utf8");
}

class KeptConnection implements Disposable {
  readonly agent = new https.Agent({ keepAlive: true, maxSockets: 1 });

  [Symbol.dispose](): void {
    this.agent.destroy();
  }
}
