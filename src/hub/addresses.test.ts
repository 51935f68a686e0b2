import assert from "node:assert/strict";
import { test } from "node:test";
import { hubAddresses, type Reach } from "./addresses.ts";

const reach = (more: Partial<Reach>): Reach => ({
  host: "127.0.0.1",
  port: 7117,
  certificateHosts: undefined,
  ownAddresses: ["192.168.1.20", "100.101.102.103"],
  isBehindProxy: false,
  ...more,
});
const urls = (more: Partial<Reach>): [string, boolean][] =>
  hubAddresses(reach(more)).map(({ url, for_phones }) => [url, for_phones]);
const note = (more: Partial<Reach>, url: string): string =>
  hubAddresses(reach(more)).find((address) => address.url === url)?.note ?? "";

test("addresses: without https no phone can open any, and each says what to do", () => {
  assert.deepEqual(urls({}), [["http://localhost:7117", false]]);
  assert.match(note({}, "http://localhost:7117"), /tailscale serve --bg 7117/);
  assert.match(note({ isBehindProxy: true }, "http://localhost:7117"), /https address of the proxy/);
  const everywhere = { host: "0.0.0.0", port: 80 };
  assert.deepEqual(urls(everywhere), [
    ["http://localhost", false],
    ["http://192.168.1.20", false],
    ["http://100.101.102.103", false],
  ]);
  assert.match(note(everywhere, "http://192.168.1.20"), /--cert and --key/);
  assert.match(note(everywhere, "http://100.101.102.103"), /tailscale serve --bg 80/);
  assert.deepEqual(urls({ host: "::1" }), [["http://localhost:7117", false]]);
  assert.deepEqual(urls({ host: "fd00::5" }), [["http://[fd00::5]:7117", false]]);
});

test("addresses: with a certificate its names are the addresses, and a phone can open those that are not this machine's own", () => {
  const certificateHosts = ["hub.example", "laptop.tail1234.ts.net", "*.example.org", "localhost", "10.0.0.9"];
  assert.deepEqual(urls({ host: "0.0.0.0", port: 443, certificateHosts }), [
    ["https://hub.example", true],
    ["https://laptop.tail1234.ts.net", true],
    ["https://localhost", false],
    ["https://10.0.0.9", true],
    ["https://*.example.org", true],
  ]);
  assert.match(note({ certificateHosts }, "https://hub.example:7117"), /start it with --host 0\.0\.0\.0/);
});
