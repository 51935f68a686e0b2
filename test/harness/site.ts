import assert from "node:assert/strict";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import http from "node:http";
import { dirname, join } from "node:path";
import { after } from "node:test";
import { environValues, hasEnded, listProcesses, type ProcessInfo } from "../../src/platform/process.ts";
import type { Gateway, Worker } from "../../src/protocol/gateway-units.ts";
import { type HomeOptions, type TemporaryHome, temporaryHome } from "./home.ts";
import { waitUntil } from "./wait-until.ts";

/** A project with workers in a home of its own, on a free port. */
export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export class Site implements AsyncDisposable {
  readonly house: TemporaryHome;
  port = 0;
  readonly #left: number[] = [];

  /** `files`: by path below the project. */
  static async make(files: Record<string, string>, options: HomeOptions = {}): Promise<Site> {
    const house = temporaryHome({ ...options, env: { WARREN_GATEWAY_PORT: "0", ...options.env } });
    const site = new Site(house);
    for (const [path, text] of Object.entries(files)) site.write(path, text);
    return site;
  }

  private constructor(house: TemporaryHome) {
    this.house = house;
    // Not by a throw of the disposal, which would hide the test's own failure.
    after(() => assert.deepEqual(this.#left, [], "workers' processes outlived the home"));
  }

  /** In one go, as editors save. */
  write(path: string, text: string): void {
    const target = join(this.house.dir, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(`${target}.saving~`, text);
    renameSync(`${target}.saving~`, target);
  }

  async up(): Promise<Gateway> {
    const { status, stdout, stderr } = await this.house.warren(["up", "--json"]);
    assert.equal(status, 0, `${stdout}${stderr}${this.house.logs()}`);
    const { gateway } = JSON.parse(stdout) as { gateway: Gateway };
    this.port = gateway.port;
    return gateway;
  }

  async status(): Promise<Gateway> {
    const { gateways } = await this.house.looker().request("gateway.status", { workdir: this.house.dir });
    assert.equal(gateways.length, 1);
    return gateways[0]!;
  }

  async worker(name: string): Promise<Worker> {
    const found = (await this.status()).workers.find((worker) => worker.name === name);
    assert.ok(found, name);
    return found;
  }

  /** Looks until the worker is so. */
  becomes(name: string, isSo: (worker: Worker) => boolean, what: string): Promise<Worker> {
    return waitUntil(
      async () => {
        const worker = await this.worker(name);
        return isSo(worker) && worker;
      },
      { what: `${name} ${what}`, everyMs: 20 },
    );
  }

  /** On a connection of its own, unless `agent` says otherwise. */
  get(path: string, options: http.RequestOptions & { body?: string } = {}): Promise<Answer> {
    const { body, ...rest } = options;
    return new Promise((resolve, reject) => {
      const request = http.request({ host: "127.0.0.1", port: this.port, path, agent: false, ...rest }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const { statusCode = 0, headers } = response;
          resolve({ status: statusCode, headers, body: Buffer.concat(chunks).toString() });
        });
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  async text(path: string, options: http.RequestOptions = {}): Promise<string> {
    const { status, body } = await this.get(path, options);
    assert.equal(status, 200, body);
    return body;
  }

  /** Processes of its workers: they do not have the home in their environment, so that nobody else finds what is left of them. */
  workerProcesses(): ProcessInfo[] {
    const isOurs = (folder: string): boolean => folder.startsWith(`${this.house.base}/`);
    const all = listProcesses().filter((info) => !hasEnded(info));
    return all.filter(({ pid }) => environValues(pid, "WORKER_PRIVATE").some(isOurs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.house[Symbol.asyncDispose]();
    for (const { pid } of this.workerProcesses()) {
      this.#left.push(pid);
      process.kill(pid, "SIGKILL");
    }
  }
}

/** A worker that says `text` and who it is. */
export const saying = (text: string): string => `import { createServer } from "node:http";
const text: string = ${JSON.stringify(text)};
createServer((request, response) => {
  response.end(\`\${text} \${request.url} \${process.pid}\\n\`);
}).listen(process.env.PORT);
`;
