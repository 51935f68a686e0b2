import { createServer, type RequestListener } from "node:http";
import { test } from "node:test";
import { Chromium, missingChromium } from "./harness/chromium.ts";
import { Web } from "./harness/web.ts";

/** The page that a browser keeps, where its server is known to be there and is of no use. */
const TIMEOUT_MS = 90_000;

const LISTENERS: readonly [string, RequestListener][] = [
  ["a proxy whose server is down", (_, response) => void response.writeHead(502).end("Bad Gateway")],
  ["a network that hangs", () => {}],
];

test(
  "the kept page opens where the server fails, and where it does not answer",
  { skip: missingChromium(), timeout: TIMEOUT_MS },
  async () => {
    await using browser = await Chromium.launch();
    await using web = await Web.start();
    const { port } = web;
    const tab = await web.tab(browser);
    await tab.until("navigator.serviceWorker.controller", "the service worker");
    process.kill(web.pid, "SIGTERM");
    await tab.shows("not connected");
    for (const [name, listener] of LISTENERS) {
      const server = createServer(listener);
      await new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
      try {
        await tab.evaluate("void (window.isBefore = true, location.reload())");
        await tab.until('!window.isBefore && document.querySelector(".connection")', `the app, with ${name}`);
      } finally {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    }
    await tab.close();
  },
);
