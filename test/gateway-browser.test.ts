import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Front } from "../src/front/routing/testing/front.ts";
import { readProcess } from "../src/platform/process.ts";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { Site } from "./harness/site.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** What a person sees who saves and looks: in a real browser, on the gateway as it is shipped. */
const TIMEOUT_MS = 90_000;
const INDEX = "workers/index/src/main.ts";
const STYLE = "workers/index/public/style.css";
const ODD_STYLE = "workers/index/public/my 100% (é).css";
const FAST = "health: { interval: 1s }\nstart_timeout: 2s\nprobation: 200ms\ndrain: 1s\n";

/** A worker whose pages say `text`; `headers` go with each of them. */
const showing = (
  text: string,
  headers: Record<string, string> = {},
  more = "",
): string => `import { createServer } from "node:http";
const text: string = ${JSON.stringify(text)};
const headers: Record<string, string> = ${JSON.stringify(headers)};
${more}
createServer((request, response) => {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...headers });
  response.end(\`<!doctype html><title>site</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css">
<body><h1>\${text}</h1><p>\${request.url}</p><div style="height: 3000px"></div></body>\`);
}).listen(process.env.PORT);
`;

/** As frameworks do, where the client takes it. */
const zipping = (text: string): string => `import { createServer } from "node:http";
import { gzipSync } from "node:zlib";
const page: string = '<!doctype html><title>zip</title><link rel="icon" href="data:,"><p>${text}</p>';
createServer((request, response) => {
  const isZipped = /gzip/.test(String(request.headers["accept-encoding"]));
  response.writeHead(200, { "content-type": "text/html", ...(isZipped ? { "content-encoding": "gzip" } : {}) });
  response.end(isZipped ? gzipSync(page) : page);
}).listen(process.env.PORT);
`;

const files = { [INDEX]: showing("one"), "workers/index/worker.yaml": FAST, [STYLE]: "h1 { color: rgb(1, 2, 3) }" };

/** Each load of a page of its own: what comes of a save is one, and not several. */
const loadsOf = (tab: Tab): number => tab.documents.filter((url) => url !== "about:blank").length;

function assertNoConnectionError(tab: Tab): void {
  assert.deepEqual(
    tab.documents.filter((url) => url.startsWith("chrome-error")),
    [],
  );
}

describe("gateway: a browser", { skip: missingChromium(), timeout: 4 * TIMEOUT_MS }, () => {
  let browser: Chromium;
  before(async () => {
    browser = await Chromium.launch();
  });
  after(() => browser[Symbol.asyncDispose]());

  const opened = async (site: Site, path = "/", shown = "one"): Promise<Tab> => {
    const tab = await browser.tab();
    await tab.goto(`http://127.0.0.1:${site.port}${path}`);
    await tab.shows(shown);
    return tab;
  };

  test(
    "goes through good and broken saves by itself, and never meets a connection error",
    { timeout: TIMEOUT_MS },
    async () => {
      await using site = await Site.make(files);
      await site.up();
      const tab = await opened(site);
      const saves: [string, string, RegExp?][] = [
        [showing("two"), "two"],
        [
          showing("bad").replace("createServer((", "createServer(((("),
          "cannot be built",
          /src\/main\.ts:9:28[\s\S]*> +9 │/,
        ],
        [showing("two"), "two"],
        [showing("three"), "three"],
        [
          showing("bad", {}, 'throw new Error("no <b>database</b>");'),
          "does not start",
          /no <b>database<\/b>[\s\S]*src\/main\.ts:4:\d+[\s\S]*> +4 │/,
        ],
        [showing("bad", {}, "process.exit(3);"), "exit", /3/],
        [showing("bad").replace(".listen(process.env.PORT)", ""), "exit status 0"],
        [showing("bad", {}, "setInterval(() => {}, 1000);").replace(".listen(process.env.PORT)", ""), "2"],
        [showing("four"), "four"],
      ];
      for (const [code, shown, detail] of saves) {
        const count = loadsOf(tab);
        site.write(INDEX, code);
        await waitUntil(() => loadsOf(tab) > count, { what: `another page: ${shown}` });
        await tab.shows(shown);
        const text = await tab.evaluate<string>("document.body.innerText");
        if (detail !== undefined) assert.match(text, detail);
        assert.equal(loadsOf(tab), count + 1, `one load for a save: ${shown}`);
      }
      assertNoConnectionError(tab);
      await tab.close();
    },
  );

  test(
    "takes a style sheet up without a load; what else changes in public loads the page, where it was",
    { timeout: TIMEOUT_MS },
    async () => {
      await using site = await Site.make({ ...files, [ODD_STYLE]: "body { color: rgb(1, 1, 1) }" });
      await site.up();
      const tab = await opened(site);
      await tab.evaluate("window.mark = 1; scrollTo(0, 700)");
      site.write(STYLE, "h1 { color: rgb(4, 5, 6) }");
      await tab.until('getComputedStyle(document.querySelector("h1")).color === "rgb(4, 5, 6)"', "the new colour");
      site.write(STYLE, "h1 { color: rgb(7, 8, 9) }");
      await tab.until('getComputedStyle(document.querySelector("h1")).color === "rgb(7, 8, 9)"', "the colour after it");
      assert.deepEqual(await tab.evaluate("[window.mark, scrollY, document.styleSheets.length]"), [1, 700, 1]);
      const link = "/my%20100%25%20(%C3%A9).css";
      await tab.evaluate(`document.head.insertAdjacentHTML("beforeend", '<link rel="stylesheet" href="${link}">')`);
      await tab.until('getComputedStyle(document.body).color === "rgb(1, 1, 1)"', "the one with an odd name");
      site.write(ODD_STYLE, "body { color: rgb(2, 2, 2) }");
      await tab.until('getComputedStyle(document.body).color === "rgb(2, 2, 2)"', "its new colour");
      assert.deepEqual(await tab.evaluate("[window.mark, scrollY, document.styleSheets.length]"), [1, 700, 2]);
      site.write("workers/index/public/picture.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
      await tab.until("window.mark === undefined && scrollY === 700", "the page anew, where it was");
      assert.equal(loadsOf(tab), 2);
      assertNoConnectionError(tab);
      await tab.close();
    },
  );

  test(
    "each tab and frame loads its own worker's pages, once; one that is not seen when it is seen again",
    { timeout: TIMEOUT_MS },
    async () => {
      const frames = showing("shop").replace("<h1>", '<iframe src="/framed"></iframe><h1>');
      await using site = await Site.make({
        ...files,
        "workers/shop/src/main.ts": frames,
        "workers/shop/worker.yaml": FAST,
      });
      await site.up();
      const [index, hidden, shop] = [await opened(site), await opened(site), await opened(site, "/shop", "shop")];
      const framed = '(document.querySelector("iframe").contentDocument?.body?.innerText ?? "")';
      await shop.until(`${framed}.includes("one")`, "the frame");
      await shop.evaluate("window.mark = 1");
      await hidden.setSeen(false);
      site.write(INDEX, showing("two"));
      await index.shows("two");
      await shop.until(`${framed}.includes("two")`, "the frame anew");
      assert.equal(await shop.evaluate("window.mark"), 1, "the page around it stays");
      assert.match(await hidden.evaluate("document.body.innerText"), /^one/);
      site.write(INDEX, showing("three"));
      await index.shows("three");
      await hidden.setSeen(true);
      await hidden.shows("three");
      assert.deepEqual([index, hidden, shop].map(loadsOf), [3, 2, 1]);
      for (const tab of [index, hidden, shop]) {
        assertNoConnectionError(tab);
        assert.deepEqual(tab.complaints, []);
        await tab.close();
      }
    },
  );

  test("a page outlives the front and the server, and loads at the next save", { timeout: TIMEOUT_MS }, async () => {
    await using site = await Site.make(files);
    const { front } = await site.up();
    const tab = await opened(site);
    await tab.evaluate("window.mark = 1");
    process.kill(front!.pid, "SIGKILL");
    await waitUntil(() => readProcess(front!.pid) === undefined, { what: "its end" });
    const next = await waitUntil(async () => (await site.status()).front, { what: "the next front" });
    assert.equal(next.generation, 2);
    assert.equal((await site.house.warren(["reload"])).status, 0);
    // The browser is back once the front counts it.
    await waitUntil(async () => ((await site.status()).front?.connections ?? 0) > 0, { what: "the browser's stream" });
    assert.equal(await tab.evaluate("window.mark"), 1, "nothing has changed");
    site.write(INDEX, showing("two"));
    await tab.shows("two");
    assert.equal(loadsOf(tab), 2);
    assertNoConnectionError(tab);
    await tab.close();
  });

  test(
    "a page that would be compressed loads itself too; one whose policy forbids the script stays, without a complaint",
    {
      timeout: TIMEOUT_MS,
    },
    async () => {
      const zip = "workers/zip/src/main.ts";
      const policies = {
        strict: { "content-security-policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:" },
        own: { "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:" },
      };
      const main = (name: keyof typeof policies, text: string) => ({
        [`workers/${name}/src/main.ts`]: showing(text, policies[name]),
      });
      await using site = await Site.make({
        ...files,
        [zip]: zipping("zipped"),
        "workers/zip/worker.yaml": FAST,
        ...main("strict", "strict"),
        ...main("own", "own"),
      });
      await site.up();
      const tabs = [];
      for (const [path, shown] of [
        ["/zip", "zipped"],
        ["/own", "own"],
        ["/strict", "strict"],
      ] as const)
        tabs.push(await opened(site, path, shown));
      for (const [path, text] of Object.entries({
        [zip]: zipping("again"),
        ...main("own", "anew"),
        ...main("strict", "stricter"),
      }))
        site.write(path, text);
      await tabs[0]!.shows("again");
      await tabs[1]!.shows("anew");
      await waitUntil(async () => (await site.text("/strict")).includes("stricter"), { what: "the new code" });
      assert.deepEqual(tabs.map(loadsOf), [2, 2, 1]);
      for (const tab of tabs) {
        assert.deepEqual(tab.complaints, []);
        await tab.close();
      }
    },
  );

  test(
    "a page about a failure is text and nothing else, however long; a script that fetches gets JSON",
    { timeout: TIMEOUT_MS },
    async () => {
      await using front = await Front.start((request) => request.socket.destroy());
      const tag = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>';
      const file = `workers/index/src/${"a-long-folder/".repeat(12)}main.ts`;
      const place = { file, line: 3, column: 7, message: tag, frame: [`> 3 │ ${tag.repeat(5)}`] };
      const output = Array.from({ length: 200 }, (_, at) => `${at} \u001b[31m${tag}\u001b[0m ${"x".repeat(300)}`);
      const message = `${tag}\n${"one-word-without-an-end".repeat(40)}`;
      const failure = { worker: "index", at: "T1", phase: "build" as const, message, places: [place], output };
      front.tell({ state: "failed", instances: [], failure });
      const tab = await browser.tab({ width: 360, height: 740 });
      await tab.goto(front.url);
      await tab.shows("index cannot be built");
      const isWell = async (what: string) => {
        for (const scheme of ["light", "dark"] as const) {
          await tab.prefer(scheme);
          assert.deepEqual(await tab.lowContrasts(), [], what);
          assert.equal(await tab.evaluate("document.documentElement.scrollWidth"), 360, what);
        }
      };
      await isWell("the failed build");
      assert.equal(await tab.evaluate("window.hacked"), undefined);
      const text = await tab.evaluate<string>("document.body.innerText");
      assert.ok(text.includes(`${file}:3:7`) && text.includes(`199 ${tag} x`), text.slice(0, 400));
      const fetched = 'fetch("/").then(async (answer) => [answer.status, (await answer.json()).code])';
      assert.deepEqual(await tab.evaluate(fetched), [500, "BUILD_FAILED"]);
      front.tell({}, { routes: [{ kind: "worker", path: "/api", worker: "index", strip: false }] });
      for (const [path, shown, code] of [
        ["/api", "It broke off", "CONNECTION_LOST"],
        [`/${"nothing/".repeat(30)}<b>`, "/api → index", "NO_ROUTE"],
      ] as const) {
        await tab.goto(front.url + path);
        await tab.shows(shown);
        await isWell(shown);
        const asked = `fetch(location.href).then(async (answer) => (await answer.json()).code)`;
        assert.equal(await tab.evaluate(asked), code);
      }
      assertNoConnectionError(tab);
      await tab.close();
    },
  );
});
