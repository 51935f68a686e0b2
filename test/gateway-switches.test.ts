import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Site } from "./harness/site.ts";
import { waitUntil } from "./harness/wait-until.ts";

/**
 * One version of a worker after the other while clients of every kind ask: no request fails, none is carried out twice, and who asks after a save is not
 * answered by what was before it.
 */
const SWITCHES = process.env.WARREN_PROOF ? 1_000 : 40;
const TIMEOUT_MS = process.env.WARREN_PROOF ? 1_200_000 : 120_000;
/** What is promised. */
const AFTER_SAVE_MS = 20;
const MEBIBYTE = 1024 * 1024;

/** What a WebSocket is closed with for a restart (RFC 6455 §7.4.2, IANA's registry). */
const SERVICE_RESTART = 1012;

const source = (version: number, journal: string): string => `import { createHash } from "node:crypto";
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
const version = ${version};
const server = createServer((request, response) => {
  if (request.url === "/events") {
    response.setHeader("content-type", "text/event-stream");
    let count = 0;
    const timer = setInterval(() => {
      response.write(\`data: \${count}\\n\\n\`);
      if (++count < 5) return;
      clearInterval(timer);
      response.end("data: end\\n\\n");
    }, 10);
    return;
  }
  let bytes = 0;
  request.on("data", (chunk) => (bytes += chunk.length));
  request.on("end", () => {
    if (request.method === "POST") appendFileSync(${JSON.stringify(journal)}, request.headers["x-post"] + "\\n");
    response.end(JSON.stringify({ version, bytes }));
  });
});
// Says its version in a text frame for each frame of at most 125 bytes that comes (RFC 6455 §5.2).
server.on("upgrade", (request, socket) => {
  const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n" +
    "Sec-WebSocket-Accept: " + accept.digest("base64") + "\\r\\n\\r\\n");
  let bytes = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 6 && bytes.length >= 6 + (bytes[1] & 127)) {
      const isClose = (bytes[0] & 15) === 8;
      bytes = bytes.subarray(6 + (bytes[1] & 127));
      if (isClose) return void socket.end(Buffer.from([0x88, 0]));
      const text = Buffer.from(String(version));
      socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
    }
  });
  socket.on("error", () => {});
});
server.listen(process.env.PORT);
`;

interface Said {
  version: number;
  bytes: number;
}

/** Clients that ask until they are told to stop; what fails is noted. */
class Load {
  readonly failures: string[] = [];
  readonly posted: string[] = [];
  readonly webSocketEnds: number[] = [];
  requestCount = 0;
  readonly #site: Site;
  readonly #over = new AbortController();
  readonly #clients: Promise<void>[] = [];
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 4 });

  constructor(site: Site) {
    this.#site = site;
    this.#run("keep-alive", () => this.#get({ agent: this.#agent }));
    this.#run("new connection", () => this.#get({}));
    this.#run("1 MB POST", () => this.#post(Buffer.alloc(MEBIBYTE, 65), {}));
    this.#run("chunked POST", () => this.#post(Buffer.alloc(70_000, 66), { isChunked: true }));
    this.#run("slow upload", () => this.#post(Buffer.alloc(3_000, 67), { isChunked: true, pauseMs: 15 }));
    this.#run("100-continue", () => this.#post(Buffer.alloc(10_000, 68), { expects: true }));
    this.#run("WebSocket", () => this.#webSocket());
    this.#run("events", async () => {
      const body = await this.#site.text("/events");
      assert.ok(body.endsWith("data: end\n\n"), body);
    });
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }

  #run(name: string, ask: () => Promise<void>): void {
    const loop = async (): Promise<void> => {
      while (!this.#over.signal.aborted) {
        try {
          await ask();
          this.requestCount += 1;
        } catch (error) {
          this.failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        }
        await delay(2);
      }
    };
    this.#clients.push(loop());
  }

  /** Talks until the instance at the other end is replaced: whatever was said before is answered, and the end is a restart's. */
  async #webSocket(): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#site.port}/`);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let version: string | undefined;
    const stop = (): void => socket.close(1000);
    this.#over.signal.addEventListener("abort", stop, { once: true });
    socket.addEventListener("open", () => socket.send("?"));
    socket.addEventListener("message", ({ data }) => {
      version ??= String(data);
      if (data !== version) reject(new Error(`one connection, two versions: ${version} and ${data}`));
      setTimeout(() => socket.readyState === WebSocket.OPEN && socket.send("?"), 5);
    });
    socket.addEventListener("close", ({ code }) => {
      this.webSocketEnds.push(code);
      if (code === SERVICE_RESTART || (this.#over.signal.aborted && code <= 1005)) resolve();
      else reject(new Error(`closed with ${code} after ${version === undefined ? "nothing" : `version ${version}`}`));
    });
    try {
      await promise;
    } finally {
      this.#over.signal.removeEventListener("abort", stop);
    }
  }

  async #get(options: http.RequestOptions): Promise<void> {
    const said = JSON.parse(await this.#site.text("/", options)) as Said;
    assert.equal(said.bytes, 0);
  }

  #post(
    body: Buffer,
    { isChunked = false, expects = false, pauseMs }: { isChunked?: boolean; expects?: boolean; pauseMs?: number },
  ): Promise<void> {
    const id = `${this.posted.length}`;
    this.posted.push(id);
    const headers: http.OutgoingHttpHeaders = { "x-post": id };
    if (!isChunked) headers["content-length"] = body.length;
    if (expects) headers.expect = "100-continue";
    return new Promise((resolve, reject) => {
      const request = http.request(
        { host: "127.0.0.1", port: this.#site.port, method: "POST", path: "/post", agent: false, headers },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
          response.on("error", reject);
          response.on("end", () => {
            request.destroy(); // an answer may come before the body was sent
            if (response.statusCode !== 200) reject(new Error(`${response.statusCode} ${text}`));
            else if ((JSON.parse(text) as Said).bytes !== body.length) reject(new Error(`not whole: ${text}`));
            else resolve();
          });
        },
      );
      request.on("error", reject);
      const send = async (): Promise<void> => {
        if (pauseMs === undefined) return void request.end(body);
        for (let at = 0; at < body.length; at += 1_000) {
          request.write(body.subarray(at, at + 1_000));
          await delay(pauseMs);
        }
        request.end();
      };
      if (expects) request.on("continue", () => void send());
      else void send();
    });
  }
}

test(
  `gateway: ${SWITCHES} switches under load: no request fails, none is done twice, none is stale`,
  { timeout: TIMEOUT_MS },
  async (t) => {
    const journalName = "journal.txt";
    await using site = await Site.make({ [journalName]: "" });
    const journal = join(site.house.dir, journalName);
    const save = (version: number): void => site.write("workers/index/src/main.ts", source(version, journal));
    save(0);
    await site.up();
    const load = new Load(site);
    const stale: string[] = [];
    try {
      for (let version = 1; version <= SWITCHES; version++) {
        save(version);
        await delay(AFTER_SAVE_MS);
        const said = JSON.parse(await site.text("/")) as Said;
        if (said.version !== version) stale.push(`${said.version} instead of ${version}`);
        // Now and then a save meets the probation, the drain and the build of the one before; else it comes to rest.
        if (version % 4 === 0) await delay(50);
        else if (version % 7 === 0) await site.becomes("index", ({ state }) => state === "healthy", "at rest");
      }
    } finally {
      await load.stop();
    }
    const done = readFileSync(journal, "utf8").split("\n").filter(Boolean);
    t.diagnostic(
      `${load.requestCount} requests, ${load.posted.length} of them with a body, ${load.webSocketEnds.length} WebSockets`,
    );
    assert.deepEqual(load.failures, []);
    assert.deepEqual(stale, []);
    assert.ok(load.webSocketEnds.filter((code) => code === SERVICE_RESTART).length > 0, String(load.webSocketEnds));
    assert.ok(load.requestCount > SWITCHES * 5, String(load.requestCount));
    assert.deepEqual(done.toSorted(), load.posted.toSorted(), "each POST was done once");
    writeFileSync(journal, "");
    await waitUntil(async () => (await site.worker("index")).instances.length === 1, {
      what: "the end of all but one instance",
      everyMs: 100,
      deadlineMs: 60_000,
    });
  },
);
