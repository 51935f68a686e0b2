import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Chromium, missingChromium, type Tab } from "../../test/harness/chromium.ts";
import { type Bench, type Case, measuredOf, rounds } from "../cases/case.ts";
import type { Row } from "../result.ts";
import { endHub, startHub } from "./hub-process.ts";

const HUBS = 50;
const MACHINES = 100;
const SESSIONS = 20_000;
const QUICK_SESSIONS = 1_000;
const FIRST_LOAD_KB = 150;
const FIRST_PAINT_MS = 150;
const ROUNDS = { roundCountMin: 15, roundCountMax: 15, warmUpCount: 2 };

/** The app in Chromium: what is fetched before it shows anything, and how soon it shows what this browser has kept, while no hub of its fifty answers. */
export const app: Case = {
  name: "app",
  async run(bench) {
    const rows: Row[] = [
      {
        ...row("first load, gzip, without terminal and scanner", "kB", [firstLoadKB(bench)]),
        target: atMost(FIRST_LOAD_KB, "p50"),
      },
    ];
    if (missingChromium()) bench.say(String(missingChromium()));
    else rows.push(...(await paints(bench)));
    return {
      title: `The app, with ${HUBS} hubs, ${MACHINES} machines and ${bench.quick ? QUICK_SESSIONS : SESSIONS} sessions in its store`,
      rows,
      peers: [],
    };
  },
};

const atMost = (value: number, of: "p50" | "p90") => ({ atMost: value, of });

const row = (what: string, unit: Row["unit"], samples: number[]): Row => ({
  what,
  unit,
  measured: measuredOf(new Map([["warren", samples]])),
});

/** The page, what it names, and what that imports at once. */
function firstLoadKB({ stage }: Bench): number {
  const dir = join(stage.checkout, "dist", "web");
  const files = new Set(readdirSync(dir, { recursive: true }).map(String));
  const read = (name: string): Buffer => readFileSync(join(dir, name));
  const wanted = new Set(["index.html"]);
  for (const name of wanted) {
    const text = read(name).toString();
    const named = name.endsWith(".html")
      ? [...text.matchAll(/(?:href|src)="\/([^"]+\.(?:js|css))"/g)]
      : [...text.matchAll(/(?:import|from)\s*"\.\/([^"]+\.js)"/g)];
    for (const [, path = ""] of named) {
      const found = [path, `chunks/${path}`].find((one) => files.has(one));
      if (found) wanted.add(found); // a Set goes on with what is added meanwhile
    }
  }
  return [...wanted].reduce((sum, name) => sum + gzipSync(read(name)).length, 0) / 1_000;
}

interface Paint {
  /** Since the navigation. */
  firstMs: number;
  rowMs: number;
  allMs: number;
}

async function paints(bench: Bench): Promise<Row[]> {
  const host = await startHub(bench.stage, { label: "app" });
  try {
    await using browser = await Chromium.launch();
    const tab = await browser.tab();
    const count = bench.quick ? QUICK_SESSIONS : SESSIONS;
    await tab.goto(host.address);
    await tab.until('document.querySelector("main, .list, header")', "the app");
    await tab.until(
      "navigator.serviceWorker.controller || navigator.serviceWorker.getRegistration().then((one) => one?.active)",
      "its service worker",
    );
    await tab.evaluate(fill({ hubs: HUBS, machines: MACHINES, sessionsEach: count / MACHINES }));
    await tab.beforeEachDocument(WATCH(count));
    const seen: Paint[] = [];
    const { roundCountMin, warmUpCount = 0 } = rounds(bench, ROUNDS);
    for (let round = -warmUpCount; round < roundCountMin; round++) {
      const paint = await load(tab, host.address);
      if (round >= 0) seen.push(paint);
    }
    const of = (take: (paint: Paint) => number): number[] => seen.map(take);
    return [
      row(
        "first paint",
        "ms",
        of(({ firstMs }) => firstMs),
      ),
      {
        ...row(
          "rows of the store are painted",
          "ms",
          of(({ rowMs }) => rowMs),
        ),
        target: atMost(FIRST_PAINT_MS, "p50"),
      },
      row(
        "all of them are in the list",
        "ms",
        of(({ allMs }) => allMs),
      ),
    ];
  } finally {
    await endHub(host);
  }
}

/** A new document each time, as after the app was closed; its files come from the service worker. */
async function load(tab: Tab, address: string): Promise<Paint> {
  await tab.goto("about:blank");
  await tab.goto(`${address}/`);
  await tab.until("globalThis.benchPaint?.allMs", "all sessions in the list");
  const first = 'performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0';
  return tab.evaluate<Paint>(`({ ...benchPaint, firstMs: ${first} })`);
}

/** Looks at each change of the page, before the app's own script runs; a time is taken after the frame that shows the change. */
const WATCH = (count: number): string => `(() => {
  const seen = (globalThis.benchPaint = {});
  const painted = (name) => {
    seen[name] = -1;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => { seen[name] = performance.now(); };
      channel.port2.postMessage(0);
    });
  };
  new MutationObserver((_changes, observer) => {
    if (!seen.rowMs && document.querySelector("a.row")) painted("rowMs");
    if (!seen.allMs && document.querySelector('ul.rows:not([aria-busy="true"])')?.getAttribute("aria-label")?.startsWith("${count} ")) {
      painted("allMs");
      observer.disconnect();
    }
  }).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-label", "aria-busy"] });
})()`;

/** Puts into the browser's store what the app would have put there: in its own databases, tables and forms. */
const fill = (counts: { hubs: number; machines: number; sessionsEach: number }): string => `(async () => {
  const { hubs, machines, sessionsEach } = ${JSON.stringify(counts)};
  const hex = (number, digits) => number.toString(16).padStart(digits, "0");
  const bytes = (number) => new Uint8Array(32).fill(number);
  const settled = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const key = async (use, algorithm, uses) => {
    const { publicKey, privateKey } = await crypto.subtle.generateKey(algorithm, false, uses);
    return { use, publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)), secret: privateKey };
  };
  const signing = () => key("signing", "Ed25519", ["sign", "verify"]);
  const keys = { signing: await signing(), exchange: await key("exchange", "X25519", ["deriveBits"]) };
  const logins = await Promise.all(Array.from({ length: hubs }, signing));
  const device = await settled(indexedDB.open("warren-device"));
  const put = device.transaction(["device", "hubs", "machines"], "readwrite");
  put.objectStore("device").put(keys, "keys");
  for (let at = 0; at < hubs; at++) {
    const entry = { fingerprint: hex(at, 32), key: logins[at].publicKey, addresses: ["http://127.0.0.1:9"], label: "hub " + at, login: logins[at], addedMs: at };
    put.objectStore("hubs").put(entry, entry.fingerprint);
  }
  const names = Array.from({ length: machines }, (_, at) => "machine-" + at);
  for (const [at, name] of names.entries()) {
    const entry = { id: hex(at, 64), exchangeKey: bytes(at), name, words: "ann@" + name, scopes: ["view", "type", "approve"], spaces: { [hex(at % hubs, 32)]: bytes(at) }, addedMs: at, confirmedMs: Date.now() };
    put.objectStore("machines").put(entry, entry.id);
  }
  await new Promise((resolve, reject) => { put.oncomplete = resolve; put.onabort = () => reject(put.error); });
  const opening = indexedDB.open("warren", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("homes");
  const homes = (await settled(opening)).transaction("homes", "readwrite");
  const at = "2026-11-21T12:00:00.000Z";
  for (const [number] of names.entries()) {
    const sessions = Array.from({ length: sessionsEach }, (_, index) => ({
      id: hex(number, 4) + hex(index, 8), name: "fox-" + number + "-" + index, icon: "🦊", kind: "agent", server: "blazing", pid: 1,
      status: "running", state: index % 50 === 0 ? "needs_you" : "idle", outcome: null, command: ["claude", "--continue"],
      workdir: "/home/ann/project-" + (index % 10), title: "mend the thing number " + index, labels: {}, created_at: at, started_at: at,
      active_at: at, cols: 80, rows: 24, client_count: 0, viewer_count: 0, output_bytes: 1, resume_count: 0,
    }));
    const servers = [{ name: "blazing", icon: "🔥", version: "1", primary: true, sessions: sessions.map(({ id }) => id) }];
    const home = { confirmedMs: Date.now(), jobs: new Map(), sessions: new Map([["blazing", sessions]]), servers, gateways: [] };
    homes.objectStore("homes").put(home, hex(number, 64));
  }
  await new Promise((resolve, reject) => { homes.oncomplete = resolve; homes.onabort = () => reject(homes.error); });
})()`;
