import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { Session } from "../src/protocol/units.ts";
import { variant } from "./harness/build-copy.ts";
import { Site, saying } from "./harness/site.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** What a session serves on its `$PORT` is `<name>.localhost` at the gateway of a project of this machine. */
const TIMEOUT_MS = 90_000;
const INDEX = { "workers/index/src/main.ts": saying("index") };

/** Answers with what it was asked; streams; takes WebSockets by hand. `process.argv[2]`: on which address. */
const PROGRAM = `
import { createHash } from "node:crypto";
import http from "node:http";
const server = http.createServer((request, response) => {
  if (request.url === "/events") {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("data: first\\n\\n");
    request.socket.once("close", () => console.log("left"));
    return;
  }
  response.end(\`\${process.env.WARREN_UNIT} \${request.headers.host} \${request.url}\\n\`);
});
server.on("upgrade", (request, socket) => {
  const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: " + accept + "\\r\\n\\r\\n");
  socket.on("data", (bytes) => socket.write(Buffer.concat([Buffer.from([0x82, bytes.length]), bytes])));
});
server.listen(Number(process.env.PORT), process.argv[2] ?? "127.0.0.1", () => console.log("listens"));
`;

class SiteWithSessions {
  readonly site: Site;
  readonly program: string;

  constructor(site: Site) {
    this.site = site;
    this.program = join(site.house.base, "program.mjs");
    writeFileSync(this.program, PROGRAM);
  }

  /** Started, and found by name. */
  async start(name: string, command: readonly string[], env: Record<string, string> = {}): Promise<Session> {
    const { status, stdout, stderr } = await this.site.house.warren(
      ["new", "--json", "--name", name, "--", ...command],
      { env },
    );
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as Session;
  }

  serve(name: string, address = "127.0.0.1"): Promise<Session> {
    return this.start(name, [process.execPath, this.program, address]);
  }

  at(name: string, path = "/", headers: http.OutgoingHttpHeaders = {}) {
    return this.site.get(path, { headers: { host: `${name}.localhost:${this.site.port}`, ...headers } });
  }

  /** Looks until the host answers so. */
  async answers(name: string, pattern: RegExp): Promise<string> {
    const said = async (): Promise<string | false> => {
      const { body } = await this.at(name);
      return pattern.test(body) && body;
    };
    return waitUntil(said, { what: `${name}.localhost to say ${pattern}`, everyMs: 20 });
  }

  async said(args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.site.house.warren(args);
    assert.equal(status, 0, `${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  }

  async screen(name: string): Promise<string> {
    const { lines } = await this.site.house.looker().request("session.screen", { session: name });
    return lines.join("\n");
  }
}

test(
  "gateway sessions: fox.localhost is what fox serves on its PORT, from its first answer to its end",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(INDEX);
    await site.up();
    const all = new SiteWithSessions(site);
    assert.match((await all.at("fox")).body, /No session runs now.*warren new --name fox/s);
    const quiet = await all.start("owl", ["cat"]);
    const fox = await all.serve("fox");
    assert.notEqual(fox.port, quiet.port);
    assert.match(await all.answers("fox", /^fox/), new RegExp(`^fox fox\\.localhost:${site.port} /\n$`));
    assert.match((await all.at("fox", "/health?x=1")).body, /^fox \S+ \/health\?x=1\n$/, "with all its paths");
    assert.match(await site.text("/"), /^index/);

    const silent = await all.at("owl");
    assert.equal(silent.status, 503);
    assert.match(silent.body, new RegExp(`The session owl runs, and nothing listens on its port ${quiet.port}`));
    const near = await all.at("fix");
    assert.deepEqual([near.status, /Did you mean fox\.localhost\?/.test(near.body)], [404, true], near.body);
    const byProxy = await all.at("fox", "/", { "x-forwarded-for": "203.0.113.7" });
    assert.equal(byProxy.status, 403);

    const { sessions } = await site.house.client().request("session.list", { usage: true });
    const listed = sessions.map(({ name, port, is_listening }) => [name, port, is_listening]).sort();
    assert.deepEqual(listed, [
      ["fox", fox.port, true],
      ["owl", quiet.port, false],
    ]);

    await all.said(["rename", "fox", "vixen"]);
    await all.answers("vixen", /^fox vixen\.localhost/);
    await all.said(["stop", "vixen"]);
    await all.answers("vixen", /No session|Did you mean|There (is|are)/);
  },
);

test(
  "gateway sessions: streams and WebSockets go through, and a client that leaves is noticed",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(INDEX);
    await site.up();
    const all = new SiteWithSessions(site);
    await all.serve("fox");
    await all.answers("fox", /^fox/);
    const host = `fox.localhost:${site.port}`;
    const events = http.get({ port: site.port, host: "127.0.0.1", path: "/events", headers: { host }, agent: false });
    const [response] = (await once(events, "response")) as [http.IncomingMessage];
    const [first] = (await once(response, "data")) as [Buffer];
    assert.equal(String(first), "data: first\n\n");
    response.on("error", () => {});
    events.destroy();
    await waitUntil(async () => (await all.screen("fox")).includes("left"), { what: "the program to notice" });

    const socket = net.connect(site.port, "127.0.0.1");
    const head = ["GET /socket HTTP/1.1", `Host: ${host}`, "Connection: Upgrade", "Upgrade: websocket"];
    const key = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""];
    socket.write([...head, ...key].join("\r\n"));
    let received = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => (received = Buffer.concat([received, bytes])));
    await waitUntil(() => received.includes("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), { what: "the switch" });
    const frame = Buffer.from([0x82, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
    socket.write(frame);
    await waitUntil(() => received.includes(frame), { what: "the echo" });
    socket.destroy();
  },
);

test(
  "gateway sessions: a port is kept through resume, reload, and the death of server and front; given back by remove",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(INDEX);
    const { front } = await site.up();
    const all = new SiteWithSessions(site);
    const { port } = await all.serve("fox");
    await all.answers("fox", /^fox/);
    await all.said(["reload"]);
    assert.match((await all.at("fox")).body, /^fox/);
    process.kill(front!.pid, "SIGKILL");
    await all.answers("fox", /^fox/);
    await all.said(["stop", "fox"]);
    await all.answers("fox", /No session/);
    const owl = await all.start("owl", ["cat"]);
    assert.notEqual(owl.port, port, "what has ended keeps its port");
    const resumed = JSON.parse(await all.said(["resume", "fox", "--json"])) as Session;
    assert.equal(resumed.port, port);
    await all.answers("fox", /^fox/);
    await all.said(["stop", "fox"]);
    await all.said(["remove", "fox"]);
    const hen = await all.start("hen", ["cat"]);
    assert.equal(hen.port, port);
  },
);

test(
  "gateway sessions: PORT in the environment is the session's own, not that of the shell from which it was started",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(INDEX);
    const all = new SiteWithSessions(site);
    const shell = ["sh", "-c", 'echo "PORT is $PORT."; exec cat'];
    const fox = await all.start("fox", shell, { PORT: "3000" });
    await waitUntil(async () => (await all.screen("fox")).includes(`PORT is ${fox.port}.`), { what: "its PORT" });
    assert.ok(fox.port! >= 14_000 && fox.port! <= 14_999, String(fox.port));
    const asked = ["new", "--json", "--port", "3000", "--name"];
    const session = JSON.parse(await all.said([...asked, "owl", "--", ...shell])) as Session;
    assert.equal(session.port, 3000);
    await waitUntil(async () => (await all.screen("owl")).includes("PORT is 3000."), {
      what: "the port that was asked for",
    });
    for (const [port, code] of [
      ["3000", /Port 3000 is another session's/],
      ["70000", /70000 is no port/],
    ] as const) {
      const refused = await site.house.warren(["new", "--json", "--port", port, "--name", "hen", "--", "cat"]);
      assert.notEqual(refused.status, 0);
      assert.match(refused.stderr, code);
    }
    const { sessions } = await site.house.client().request("session.list", { saved: true });
    assert.deepEqual(sessions, [], "nothing is left of them");
  },
);

test(
  "gateway sessions: those of an older server are there too, each with a port of its own",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(INDEX);
    await site.up();
    const all = new SiteWithSessions(site);
    const fox = await all.serve("fox");
    const from = variant({ hash: "newer01", newerByMs: 5_000 });
    const args = ["new", "--json", "--name", "owl", "--", process.execPath, all.program];
    const { status, stdout, stderr } = await site.house.warren(args, { from });
    assert.equal(status, 0, stderr);
    const owl = JSON.parse(stdout) as Session;
    assert.notEqual(owl.server, fox.server);
    assert.notEqual(owl.port, fox.port);
    await all.answers("owl", /^owl/);
    await all.answers("fox", /^fox/);
    await all.said(["move", "fox", owl.server]);
    assert.match((await all.at("fox")).body, /^fox/, "a move changes nothing");
    await all.said(["stop", "fox"]);
    await all.answers("fox", /owl\.localhost/);
  },
);

test(
  "gateway sessions: one that listens on ::1 alone is found; a route of that very host goes first; production has none",
  { timeout: TIMEOUT_MS },
  async (t) => {
    const probe = net.createServer().listen(0, "::1");
    const hasIPv6 = await once(probe, "listening").then(
      () => true,
      () => false, // once() rejects at an error
    );
    probe.close();
    if (!hasIPv6) return t.skip("no IPv6 here");
    await using site = await Site.make({
      ...INDEX,
      "workers/own/src/main.ts": saying("own"),
      "workers/own/worker.yaml": "host: owl.localhost\npath: /\n",
    });
    await site.up();
    const all = new SiteWithSessions(site);
    await all.serve("fox", "::1");
    await all.answers("fox", /^fox/);
    await all.serve("owl");
    await all.answers("owl", /^own/);
    await all.said(["gateway", "mode", "prod"]);
    await all.answers("fox", /^index/);
  },
);
