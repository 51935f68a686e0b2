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

const source = (version: number, journal: string): string => `import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
const version = ${version};
createServer((request, response) => {
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
}).listen(process.env.PORT);
`;

interface Said {
  version: number;
  bytes: number;
}

/** Clients that ask until they are told to stop; what fails is noted. */
class Load {
  readonly failures: string[] = [];
  readonly posted: string[] = [];
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
    t.diagnostic(`${load.requestCount} requests, ${load.posted.length} of them with a body`);
    assert.deepEqual(load.failures, []);
    assert.deepEqual(stale, []);
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
