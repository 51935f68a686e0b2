import assert from "node:assert/strict";
import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { readProcess } from "../src/platform/process.ts";
import { ended, killProcess } from "./harness/processes.ts";
import { type Random, withSeed } from "./harness/random.ts";
import { Site } from "./harness/site.ts";
import { waitUntil } from "./harness/wait-until.ts";

/**
 * Races of saves and requests: who asks 20 ms after a save, or later, is answered by what was saved, whatever kind of save it was, and by an answer, never by
 * a broken connection.
 */
const SAVES = process.env.WARREN_PROOF ? 1_000 : 100;
const TIMEOUT_MS = process.env.WARREN_PROOF ? 1_200_000 : 120_000;
const AFTER_SAVE_MS = 20;

const MAIN = { index: "workers/index/src/main.ts", api: "workers/api/src/main.ts" };
const SHARED = "shared/lib.ts";
const EXTRA = "workers/api/src/extra.ts";

/** What the files say by now; `index` and `api` answer with it. */
interface Content {
  index: number;
  api: number;
  shared: number;
  /** A module of `api` that comes and goes. */
  extra: number | undefined;
  isBroken: boolean;
}

const main = (name: "index" | "api", { [name]: version, extra, isBroken }: Content): string => {
  const hasExtra = name === "api" && extra !== undefined;
  return `import { createServer } from "node:http";
import { shared } from "../../../shared/lib.ts";
${hasExtra ? 'import { extra } from "./extra.ts";' : "const extra = 0;"}
createServer((request, response) => response.end(\`${version} \${shared} \${extra}\`)).listen(process.env.PORT);
${name === "index" && isBroken ? "const broken = ;" : ""}
`;
};

class Saves {
  readonly content: Content = { index: 0, api: 0, shared: 0, extra: undefined, isBroken: false };
  readonly #site: Site;
  readonly #random: Random;
  #number = 0;

  constructor(site: Site, random: Random) {
    this.#site = site;
    this.#random = random;
  }

  /** Saves something in one of the ways in which programs save. Says what it did. */
  next(): string {
    const { content } = this;
    const kinds = [
      () => this.#main("index"),
      () => this.#main("api"),
      () => this.#inPlace(),
      () => this.#shared(),
      () => this.#extra(),
      () => this.#broken(),
      () => this.#touched(),
      () => this.#several(),
    ];
    this.#number += 1;
    if (content.isBroken && this.#random.oneIn(2)) return this.#mended();
    return this.#random.pick(kinds)();
  }

  #write(name: "index" | "api"): void {
    this.#site.write(MAIN[name], main(name, this.content));
  }

  #main(name: "index" | "api"): string {
    this.content[name] = this.#number;
    this.#write(name);
    return `${name} by a rename`;
  }

  #inPlace(): string {
    this.content.api = this.#number;
    writeFileSync(join(this.#site.house.dir, MAIN.api), main("api", this.content));
    return "api in its place";
  }

  #shared(): string {
    this.content.shared = this.#number;
    this.#site.write(SHARED, `export const shared = ${this.#number};\n`);
    return "what both import";
  }

  #extra(): string {
    const isThere = this.content.extra !== undefined;
    this.content.extra = isThere ? undefined : this.#number;
    if (!isThere) this.#site.write(EXTRA, `export const extra = ${this.#number};\n`);
    this.#write("api");
    if (isThere) rmSync(join(this.#site.house.dir, EXTRA));
    return isThere ? "a module less" : "a module more";
  }

  #broken(): string {
    this.content.isBroken = true;
    this.#write("index");
    return "a syntax error";
  }

  #mended(): string {
    this.content.isBroken = false;
    this.#write("index");
    return "the error mended";
  }

  #touched(): string {
    const now = new Date();
    utimesSync(join(this.#site.house.dir, MAIN.api), now, now);
    return "touched only";
  }

  #several(): string {
    this.content.index = this.#number;
    this.content.api = this.#number;
    this.content.shared = this.#number;
    this.#write("index");
    this.#site.write(SHARED, `export const shared = ${this.#number};\n`);
    this.#write("api");
    return "three files at once";
  }
}

async function checkAnswers(site: Site, { index, api, shared, extra, isBroken }: Content): Promise<string[]> {
  const [first, second] = await Promise.all([site.get("/"), site.get("/api")]);
  const wanted = { index: `${index} ${shared} 0`, api: `${api} ${shared} ${extra ?? 0}` };
  const wrong: string[] = [];
  if (isBroken ? first.status !== 500 : first.body !== wanted.index)
    wrong.push(`/ said ${first.status} ${first.body.slice(0, 80)}, not ${isBroken ? 500 : wanted.index}`);
  if (second.body !== wanted.api)
    wrong.push(`/api said ${second.status} ${second.body.slice(0, 80)}, not ${wanted.api}`);
  return wrong;
}

const AT_ONE: Content = { index: 1, api: 1, shared: 0, extra: undefined, isBroken: false };

/** Both workers serve 1. */
async function upAtOne(site: Site) {
  for (const name of ["index", "api"] as const) site.write(MAIN[name], main(name, AT_ONE));
  const up = await site.up();
  assert.deepEqual(await checkAnswers(site, AT_ONE), []);
  return up;
}

const saveTwo = (site: Site): void => site.write(MAIN.api, main("api", { ...AT_ONE, api: 2 }));

/** A request after a save waits until this process, which is stopped, goes on; then it is answered by what was saved. */
async function saveWaitsFor(site: Site, stoppedPid: number): Promise<void> {
  saveTwo(site);
  await delay(AFTER_SAVE_MS);
  const api = site.text("/api");
  assert.equal(await site.text("/"), "1 0 0", "the other worker is served");
  assert.equal(await Promise.race([api, delay(300, "waits")]), "waits");
  process.kill(stoppedPid, "SIGCONT");
  assert.equal(await api, "2 0 0");
}

test(`gateway: ${SAVES} saves of every kind: none stale, none failed`, { timeout: TIMEOUT_MS }, () =>
  withSeed(async (random) => {
    await using site = await Site.make({ [SHARED]: "export const shared = 0;\n" });
    const saves = new Saves(site, random);
    for (const name of ["index", "api"] as const) site.write(MAIN[name], main(name, saves.content));
    await site.up();
    const wrong: string[] = [];
    for (let count = 1; count <= SAVES; count++) {
      let what = saves.next();
      // Some come while the one before is detected, built, or started.
      if (random.oneIn(3)) {
        await delay(random.between(0, 150));
        what += `, then ${saves.next()}`;
      }
      await delay(AFTER_SAVE_MS);
      for (const one of await checkAnswers(site, saves.content)) wrong.push(`save ${count} (${what}): ${one}`);
    }
    assert.deepEqual(wrong, []);
  }),
);

test(
  "gateway: while the server is stopped, a save holds requests; it goes on, and they are answered by it",
  {
    timeout: TIMEOUT_MS,
  },
  async () => {
    await using site = await Site.make({ [SHARED]: "export const shared = 0;\n" });
    await upAtOne(site);
    const [server] = site.house.processes("server");
    assert.ok(server);
    process.kill(server.pid, "SIGSTOP");
    try {
      await saveWaitsFor(site, server.pid);
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
  },
);

test(
  "gateway: a server that is killed: a save before its successor is there holds requests, and they are answered by it",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({ [SHARED]: "export const shared = 0;\n" });
    await upAtOne(site);
    await site.becomes("api", ({ state }) => state === "healthy", "at rest");
    const [keeper, server] = [await site.house.keeper(), await site.house.server()];
    process.kill(keeper.pid, "SIGSTOP"); // nobody starts a successor
    try {
      killProcess(server);
      await ended(server);
      await saveWaitsFor(site, keeper.pid);
    } finally {
      process.kill(keeper.pid, "SIGCONT");
    }
  },
);

test(
  "gateway: a front that is killed while the server is slow: its successor does not answer by what was before a save",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({ [SHARED]: "export const shared = 0;\n" });
    const { front } = await upAtOne(site);
    const server = await site.house.server();
    process.kill(server.pid, "SIGSTOP");
    try {
      process.kill(front!.pid, "SIGKILL");
      await waitUntil(() => readProcess(front!.pid) === undefined, { what: "the front's end" });
      saveTwo(site);
      const api = site.text("/api");
      assert.equal(await Promise.race([api, delay(800, "waits")]), "waits");
      process.kill(server.pid, "SIGCONT");
      assert.equal(await api, "2 0 0");
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
  },
);
