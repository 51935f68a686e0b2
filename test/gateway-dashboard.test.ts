import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { Site } from "./harness/site.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** The gateway as a page: who may see it, what it shows, and that it stays true. */
const TIMEOUT_MS = 90_000;
const INDEX = "workers/index/src/main.ts";
const API = "workers/api/src/main.ts";

/** A worker that prints what could be taken for HTML, and fails where it is asked to. */
const working = (text: string): string => `import { createServer } from "node:http";
console.error("<b>${text}</b> & more");
createServer((request, response) => {
  response.statusCode = request.url?.includes("/fail") ? 500 : 200;
  response.end("${text}");
}).listen(process.env.PORT);
`;

const files = { [INDEX]: working("one"), [API]: working("api"), "workers/files/public/index.html": "<p>files</p>" };

test(
  "dashboard: seen from this machine under its own name, by reading, in development alone",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(files);
    await site.up();
    const asked = (headers: Record<string, string> = {}, method = "GET", path = "/.warren/") =>
      site.get(path, { method, headers });
    const page = await asked({ origin: "http://evil.example" });
    assert.equal(page.status, 200);
    assert.match(page.body, /href="\?worker=api"/);
    assert.equal(page.headers["access-control-allow-origin"], undefined);
    assert.equal(page.headers["x-frame-options"], "DENY");
    assert.equal(page.headers["cache-control"], "no-store");
    assert.match(String(page.headers["content-security-policy"]), /default-src 'none'.*frame-ancestors 'none'/);
    assert.doesNotMatch(page.body, /https?:\/\//, "nothing from elsewhere");
    const fromElsewhere: Record<string, string>[] = [
      { host: "evil.example" },
      { host: `evil.example:${site.port}` },
      { "x-forwarded-for": "203.0.113.7" },
      { forwarded: "for=203.0.113.7" },
      { via: "1.1 tunnel" },
    ];
    for (const headers of fromElsewhere)
      for (const path of ["/.warren/", "/.warren/?worker=api", "/.warren/dashboard.js"])
        assert.equal((await asked(headers, "GET", path)).status, 403, `${path} ${JSON.stringify(headers)}`);
    for (const method of ["POST", "PUT", "DELETE"]) assert.equal((await asked({}, method)).status, 405);
    assert.equal((await asked({}, "HEAD")).status, 200);
    assert.equal((await asked({}, "GET", "/.warren/metrics")).status, 404);
    assert.equal((await asked({}, "GET", "/metrics")).body, "one", "not asked for, so it is the site's own path");
    assert.equal((await site.house.warren(["gateway", "mode", "prod"])).status, 0);
    await waitUntil(async () => (await asked()).status === 404, { what: "production" });
  },
);

describe("dashboard: in a browser", { skip: missingChromium(), timeout: 3 * TIMEOUT_MS }, () => {
  let browser: Chromium;
  before(async () => {
    browser = await Chromium.launch();
  });
  after(() => browser[Symbol.asyncDispose]());

  const opened = async (site: Site, query = "", size = {}): Promise<Tab> => {
    const tab = await browser.tab(size);
    await tab.goto(`http://localhost:${site.port}/.warren/${query}`);
    await tab.shows(query === "" ? "Workers" : "Instances");
    return tab;
  };

  test(
    "shows saves, failures and requests as they come, and says when the gateway is gone",
    { timeout: TIMEOUT_MS },
    async () => {
      await using site = await Site.make(files);
      await site.up();
      for (const path of ["/", "/api/x?secret=1", "/api/fail"]) await site.get(path);
      const tab = await opened(site);
      await tab.evaluate("window.mark = 1");
      const text = await tab.evaluate<string>("document.body.innerText");
      assert.match(text, /GET \/api\/x\?…/);
      assert.doesNotMatch(text, /secret/);
      assert.match(await tab.evaluate('document.querySelector("#failures").innerText'), /GET \/api\/fail\s+api\s+500/);
      const row = (name: string) =>
        `[...document.querySelectorAll("#workers tr")].find((row) => row.innerText.startsWith("${name}"))?.innerText ?? ""`;
      assert.match(await tab.evaluate(row("api")), /healthy\s+\/api\s+[0-9a-f]{8}\s+1\s+0[\s\S]*1 of 2$/);
      assert.match(await tab.evaluate(row("files")), /healthy\s+\/files/);
      site.write(INDEX, working("two").replace("createServer((", "createServer(((("));
      await tab.until(`${row("index")}.includes("failed")`, "the failure");
      await tab.until('document.querySelector("#changes").innerText.includes("cannot be built")', "the failed save");
      assert.match(await tab.evaluate("document.title"), /^✗ 1 /);
      site.write(INDEX, working("two"));
      await tab.until(`${row("index")}.includes("healthy")`, "the good save");
      await tab.until('/serves [0-9a-f]{8} after/.test(document.querySelector("#changes").innerText)', "the switch");
      assert.equal(await tab.evaluate("window.mark"), 1, "one page all the time");
      assert.deepEqual(tab.complaints, []);
      assert.equal((await site.house.warren(["down"])).status, 0);
      await tab.shows("The gateway does not answer");
      assert.match(await tab.evaluate(row("index")), /healthy/, "what is known stays");
      await tab.close();
    },
  );

  test(
    "a worker's page: instances, its failure, its last output as it was printed",
    { timeout: TIMEOUT_MS },
    async () => {
      await using site = await Site.make(files);
      await site.up();
      const tab = await opened(site);
      await tab.evaluate('document.querySelector("a[href=\\"?worker=api\\"]").click()');
      await tab.shows("<b>api</b> & more");
      assert.match(
        await tab.evaluate('document.querySelector("#instances").innerText'),
        /api-\S+\s+◉ healthy\s+[0-9a-f]{8}\s+127\.0\.0\.1:\d+/,
      );
      site.write(API, working("two").replace("createServer((", "createServer(((("));
      await tab.shows("Cannot be built");
      assert.match(
        await tab.evaluate('document.querySelector("#failure").innerText'),
        /src\/main\.ts:6:\d+[\s\S]*> 6 │/,
      );
      await tab.close();
    },
  );

  test("fits a phone, in the dark, without scripts, and for who cannot see", { timeout: TIMEOUT_MS }, async () => {
    await using site = await Site.make({
      ...files,
      "workers/a-worker-with-a-long-name/src/main.ts": working("long"),
    });
    await site.up();
    await site.get(`/api/${"long/".repeat(50)}`);
    const tab = await opened(site, "", { width: 360, height: 740 });
    for (const scheme of ["light", "dark"] as const) {
      await tab.prefer(scheme);
      assert.equal(await tab.evaluate("document.documentElement.scrollWidth"), 360);
      assert.deepEqual(await tab.lowContrasts(), []);
    }
    assert.deepEqual(
      await tab.evaluate('[...document.querySelectorAll("table")].filter((one) => !one.ariaLabel).length'),
      0,
    );
    assert.equal(await tab.evaluate('document.querySelectorAll("h1").length'), 1);
    assert.ok((await tab.evaluate<number>('document.querySelector("td.name a").parentElement.offsetHeight')) >= 44);
    await tab.setScripting(false);
    await tab.goto(`http://localhost:${site.port}/.warren/?worker=index`);
    await tab.shows("Last output");
    await tab.close();
  });
});
