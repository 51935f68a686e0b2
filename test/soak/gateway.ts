import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import http from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { messageOf } from "../../src/protocol/errors.ts";
import { linesOf } from "../harness/busy-agents.ts";
import { type Ground, type Part, pause, rounds } from "./ground.ts";

/**
 * A worker that is saved again and again while clients ask. Every request is counted. One may fail only as docs/what-survives-what.md says: its connection was
 * open when the front was killed; or it is a POST that was with an instance that was killed.
 */
const WORKER = "workers/index/src/main.ts";
/** From a save to the moment from which on nobody is answered by what was before it. */
const AFTER_SAVE_MS = 20;
const SAVE_PAUSE_MS = { min: 1_000, max: 8_000 };
const ASK_PAUSE_MS = 40;
const POST_BYTES_MAX = 200_000;

const FRONT_KILLED = "front killed: what is in flight is lost";
const WORKER_KILLED = "a worker's process killed: what it had read and is not safe to repeat gets one 502";

const source = (version: number, journal: string): string => `import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
const version: number = ${version};
createServer((request, response) => {
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

interface Asked {
  status: number;
  body: string;
}

/** A request that did not end with an answer, and since when its connection was there. */
class Broken extends Error {
  readonly connectedMs: number;

  constructor(cause: Error, connectedMs: number) {
    super(cause.message, { cause });
    this.connectedMs = connectedMs;
  }
}

export class GatewayLoad implements Part {
  readonly name = "gateway";
  readonly #ground: Ground;
  readonly #journal: string;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  readonly #connectedMs = new WeakMap<Socket, number>();
  readonly #answered: string[] = [];
  readonly #failed = new Set<string>();
  #version = 0;
  /** Saved, and more than {@link AFTER_SAVE_MS} ago. */
  #promised = 0;
  #posts = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#journal = join(ground.house.dir, "posts", "journal.txt");
  }

  async open(): Promise<void> {
    mkdirSync(join(this.#ground.house.dir, "posts"));
    this.#save();
    await this.#ground.site.up();
    await this.#ground.site.becomes("index", ({ state }) => state === "healthy", "serves");
  }

  async work(): Promise<void> {
    const loop = (work: () => Promise<void>): Promise<void> =>
      rounds(this.#ground, this.name, async () => {
        await work();
        await pause(ASK_PAUSE_MS, this.#ground.over);
      });
    await Promise.all([
      loop(() => this.#get(true)),
      loop(() => this.#get(true)),
      loop(() => this.#get(false)),
      loop(() => this.#post()),
      rounds(this.#ground, this.name, () => this.#saveAndWait()),
    ]);
    this.#agent.destroy();
  }

  say(): string {
    const { ledger } = this.#ground;
    return `requests ${ledger.count("requests")} saves ${ledger.count("saves")}`;
  }

  async check(): Promise<void> {
    const done = linesOf(this.#journal);
    const times = new Map<string, number>();
    for (const id of done) times.set(id, (times.get(id) ?? 0) + 1);
    const twice = [...times].filter(([, count]) => count > 1);
    assert.deepEqual(twice, [], "no POST was done twice");
    const lost = this.#answered.filter((id) => !times.has(id));
    assert.deepEqual(lost, [], "each POST that was answered was done");
    const unknown = [...times.keys()].filter((id) => !this.#failed.has(id) && !this.#answered.includes(id));
    assert.deepEqual(unknown, [], "nothing else was done");
    assert.deepEqual(await this.#said({ method: "GET", keepsAlive: false }), { version: this.#version, bytes: 0 });
  }

  #save(): void {
    this.#ground.site.write(WORKER, source(++this.#version, this.#journal));
  }

  async #saveAndWait(): Promise<void> {
    const { random, over, ledger } = this.#ground;
    this.#save();
    const version = this.#version;
    await pause(AFTER_SAVE_MS, over);
    this.#promised = version;
    ledger.add("saves");
    await pause(random.between(SAVE_PAUSE_MS.min, SAVE_PAUSE_MS.max), over);
  }

  async #get(keepsAlive: boolean): Promise<void> {
    const promised = this.#promised;
    const beganMs = this.#ground.incidents.nowMs();
    const said = await this.#allowing(() => this.#said({ method: "GET", keepsAlive }));
    if (!said || said.version >= promised) return;
    assert.fail(`stale: version ${said.version} although ${promised} was saved\n${this.#before(beganMs)}`);
  }

  async #post(): Promise<void> {
    const id = `p${this.#posts++}`;
    const body = Buffer.alloc(this.#ground.random.between(0, POST_BYTES_MAX), 65);
    this.#failed.add(id); // until it is answered
    const said = await this.#allowing(() => this.#said({ method: "POST", keepsAlive: false, id, body }));
    if (!said) return;
    assert.equal(said.bytes, body.length, `${id} arrived whole`);
    this.#failed.delete(id);
    this.#answered.push(id);
  }

  /** Undefined: it failed, as it may. */
  async #allowing(ask: () => Promise<Said>): Promise<Said | undefined> {
    const { ledger, incidents } = this.#ground;
    const beganMs = incidents.nowMs();
    ledger.add("requests");
    try {
      return await ask();
    } catch (error) {
      const nowMs = incidents.nowMs();
      if (error instanceof Broken && incidents.within(["front"], error.connectedMs, nowMs)) ledger.allow(FRONT_KILLED);
      else if (error instanceof BadGateway && incidents.within(["worker"], beganMs, nowMs)) ledger.allow(WORKER_KILLED);
      else throw new Error(`${messageOf(error)}\n${this.#before(beganMs)}`, { cause: error });
      return undefined;
    }
  }

  #before = (atMs: number): string => `before it: ${this.#ground.incidents.near(atMs).join(", ") || "nothing"}`;

  async #said(request: Request): Promise<Said> {
    const { status, body } = await this.#ask(request);
    if (status === 502 && request.method === "POST") throw new BadGateway(body);
    assert.equal(status, 200, `${request.method}: ${status} ${body.slice(0, 300)}`);
    return JSON.parse(body) as Said;
  }

  #ask({ method, keepsAlive, id, body }: Request): Promise<Asked> {
    const { incidents, site } = this.#ground;
    const beganMs = incidents.nowMs();
    return new Promise((resolve, reject) => {
      const request = http.request({
        host: "127.0.0.1",
        port: site.port,
        method,
        path: "/",
        agent: keepsAlive ? this.#agent : false,
        headers: id === undefined ? {} : { "x-post": id, "content-length": body?.length ?? 0 },
      });
      let connectedMs = beganMs;
      const broken = (error: Error): void => reject(new Broken(error, connectedMs));
      request.on("socket", (socket) => {
        connectedMs = this.#connectedMs.get(socket) ?? beganMs;
        this.#connectedMs.set(socket, connectedMs);
      });
      request.on("error", broken);
      request.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
        response.on("error", broken);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
      });
      request.end(body);
    });
  }
}

interface Request {
  method: "GET" | "POST";
  keepsAlive: boolean;
  id?: string;
  body?: Buffer;
}

/** To a POST: the instance that had it has gone. */
class BadGateway extends Error {}
