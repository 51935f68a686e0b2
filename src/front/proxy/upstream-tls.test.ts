import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { makeCertificate, type TestCertificate } from "../../../test/harness/self-signed.ts";
import type { FrontInstance } from "../../protocol/front-messages.ts";
import { parseAnswers } from "./testing/answers.ts";
import { RawClient } from "./testing/raw-client.ts";
import { TestFront, tableOf, workerOf } from "./testing/test-front.ts";
import { RawWorker } from "./testing/workers.ts";

const authority = makeCertificate({ hosts: [], isAuthority: true });

/** A server elsewhere, by https, that says how it was asked. */
async function elsewhere({ cert, key }: TestCertificate) {
  const server = https.createServer({ cert, key }, (request, response) => {
    const { servername } = request.socket as TLSSocket & { servername: string | false };
    response.end(JSON.stringify({ servername, host: request.headers.host, for: request.headers["x-forwarded-host"] }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: stop };
}

/** A file with an authority's certificate. */
function authorityFile(text = authority.cert) {
  const dir = mkdtempSync(join(tmpdir(), "warren-ca-"));
  const path = join(dir, "ca.pem");
  writeFileSync(path, text);
  return { path, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
}

async function ask(instance: Partial<FrontInstance> & { port: number }) {
  await using front = await TestFront.start([]);
  const whole: FrontInstance = { id: "far", version: "url", host: "localhost", isTls: true, ...instance };
  front.plane.table(tableOf([workerOf([whole], { kind: "url" })]));
  using client = await RawClient.connect(front.port);
  client.send("GET / HTTP/1.1\r\nHost: here.test\r\nConnection: close\r\n\r\n");
  const [answer] = parseAnswers(await client.closed(), ["GET"]);
  return answer!;
}

test("a worker elsewhere by https: verified, by its own name, told the client's", async () => {
  using ca = authorityFile();
  await using far = await elsewhere(makeCertificate({ hosts: ["localhost"], by: authority }));
  const { status, body } = await ask({ port: far.port, ca: ca.path });
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body.toString()), {
    servername: "localhost",
    host: `localhost:${far.port}`,
    for: "here.test",
  });
});

test("a worker elsewhere by https with no good certificate: 502, with the reason, and nothing is sent there", async () => {
  using ca = authorityFile();
  using broken = authorityFile("nothing");
  const good = makeCertificate({ hosts: ["localhost"], by: authority });
  const expired = makeCertificate({ hosts: ["localhost"], by: authority, fromDays: -9, toDays: -2 });
  const cases: [string, TestCertificate, Partial<FrontInstance>, RegExp][] = [
    ["of nobody's authority", good, {}, /not trusted \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\); an authority of your own/],
    ["signed by itself", makeCertificate({ hosts: ["localhost"] }), {}, /not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/],
    [
      "of another host",
      makeCertificate({ hosts: ["other.test"], by: authority }),
      { ca: ca.path },
      /not for localhost/,
    ],
    ["asked by address", good, { ca: ca.path, host: "127.0.0.1" }, /not for 127\.0\.0\.1/],
    ["expired", expired, { ca: ca.path }, /has expired/],
    ["no authority", good, { ca: `${ca.path}.none` }, /ca\.pem\.none cannot be used: ENOENT/],
    ["a broken authority", good, { ca: broken.path }, /cannot be used/],
  ];
  for (const [name, certificate, instance, reason] of cases) {
    await using far = await elsewhere(certificate);
    const { status, body } = await ask({ port: far.port, ...instance });
    assert.equal(status, 502, name);
    assert.match(body.toString(), /takes no connection: /, name);
    assert.match(body.toString(), reason, name);
  }
  await using plain = await RawWorker.start((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const { status, body } = await ask({ port: plain.port, host: "127.0.0.1" });
  assert.equal(status, 502);
  assert.match(body.toString(), /does not speak TLS/);
});
